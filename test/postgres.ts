/**
 * PostgreSQL for tests: one server for the run, one migrated template, a database of its own for whoever asks (about 40 ms).
 * The server is the embedded one in a folder of its own, or the one that `TEST_DATABASE_URL` names (its role must be allowed to create databases).
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbedded, withDatabase } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresServer: string
    readonly postgresTemplate: string
  }
}

export interface TestDatabase {
  readonly pool: pg.Pool
  readonly url: string
  drop(): Promise<void>
}

/** An empty folder that the embedded server can use also when the tests run as root. Remove it yourself. */
export async function testDataDir(): Promise<string> {
  const folder = await mkdtemp(join(process.platform === 'win32' ? tmpdir() : '/tmp', 'trailjoin-test-'))
  await chmod(folder, 0o755)
  return folder
}

/** Settings that give up durability for speed: nothing of a test need survive the machine. */
export const TEST_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' } as const

/** Vitest's global set-up: starts the server, makes the template; the returned function takes both away. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL']
  const folder = given ? null : await testDataDir()
  const server = folder === null ? null : await startEmbedded(folder, { settings: TEST_SETTINGS })
  const url = given ?? server!.url
  const template = newName('template')
  await admin(url, `create database ${template}`)
  const pool = await openPool(withDatabase(url, template))
  await migrate(pool)
  await pool.end()
  project.provide('postgresServer', url)
  project.provide('postgresTemplate', template)
  return async () => {
    if (server === null) await admin(url, `drop database ${template} with (force)`)
    await server?.stop()
    if (folder !== null) await rm(folder, { recursive: true, force: true })
  }
}

/** A migrated, empty database of its own; call `drop()` after the tests. `{ empty: true }` leaves out the schema. */
export async function createTestDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  // Imported late: outside of a test file (in the global set-up) vitest refuses this import.
  const { inject } = await import('vitest')
  const server = inject('postgresServer')
  const name = newName('test')
  await admin(server, `create database ${name} template ${options.empty ? 'template0' : inject('postgresTemplate')}`)
  const url = withDatabase(server, name)
  const pool = await openPool(url)
  const drop = async (): Promise<void> => {
    await pool.end()
    await admin(server, `drop database ${name} with (force)`)
  }
  return { pool, url, drop }
}

const newName = (what: string): string => `trailjoin_${what}_${randomBytes(6).toString('hex')}`

async function admin(url: string, query: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(query)
  } finally {
    await client.end()
  }
}
