/**
 * The law over thousands of worlds: `node scripts/soak.ts [--seed FIRST] [--worlds N]` checks each and goes on after a failure;
 * `node scripts/soak.ts --minimise SEED` shrinks a world that fails and prints what is left of it. Exit code 1 if any failed.
 */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { startEmbedded, withDatabase } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { broken, checkSeed, minimise } from '../test/law/check.ts'
import type { LawStore } from '../test/law/deliver.ts'
import { lawWorld } from '../test/law/worlds.ts'
import { TEST_SETTINGS, testDataDir } from '../test/postgres.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, worlds: { type: 'string', default: '2000' }, minimise: { type: 'string' } } })

const folder = await testDataDir()
const server = await startEmbedded(folder, { settings: TEST_SETTINGS })
try {
  await admin('create database law_template')
  const template = await openPool(withDatabase(server.url, 'law_template'))
  await migrate(template)
  await template.end()
  if (values.minimise) await shrink(Number(values.minimise))
  else await soak(Number(values.seed), Number(values.worlds))
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function soak(first: number, worlds: number): Promise<void> {
  const failed: number[] = []
  const began = performance.now()
  for (let seed = first; seed < first + worlds; seed++) {
    try {
      await checkSeed(open, seed)
    } catch (error) {
      failed.push(seed)
      process.exitCode = 1
      console.error(error instanceof Error ? error.message : error)
    }
    if ((seed - first + 1) % 100 === 0) console.log(`${seed - first + 1} worlds, ${failed.length} failed, ${Math.round((performance.now() - began) / 1000)} s`)
  }
  console.log(failed.length === 0 ? `The law holds in worlds ${first} to ${first + worlds - 1}.` : `Failed: ${failed.join(' ')}`)
}

async function shrink(seed: number): Promise<void> {
  const world = lawWorld(seed)
  if ((await broken(open, world)) === null) return console.log(`World ${seed} does not fail.`)
  const small = await minimise(open, world)
  for (const { event, format } of small.accepted)
    console.log(JSON.stringify({ format, ...event }, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
  console.log(await broken(open, small))
  process.exitCode = 1
}

async function open(): Promise<LawStore> {
  const name = `law_${randomBytes(6).toString('hex')}`
  await admin(`create database ${name} template law_template`)
  const url = withDatabase(server.url, name)
  const pool = await openPool(url)
  return {
    pool,
    url,
    drop: async () => {
      await pool.end()
      await admin(`drop database ${name} with (force)`)
    },
  }
}

async function admin(query: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  try {
    await client.query(query)
  } finally {
    await client.end()
  }
}
