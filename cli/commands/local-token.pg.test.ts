/** `localToken: false` (docs/operators/access.md): where a proxy on this machine makes loopback reachable from elsewhere, the token in the data folder opens nothing. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createToken } from '#api/access/tokens.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { startProgram } from '../../test/program.ts'

let database: TestDatabase
let folder: string
beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-local-token-'))
})
afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Serves, and tells the status that each token gets. */
async function statuses(config: string, tokens: () => Promise<readonly string[]>): Promise<readonly number[]> {
  await writeFile(join(folder, 'trailjoin.yaml'), config)
  const environment = { DATABASE_URL: database.url, TRAILJOIN_DATA_DIR: join(folder, 'data') }
  const { child, ended, stdoutSoFar } = startProgram(['api', '--port', '0'], folder, environment)
  try {
    await expect.poll(stdoutSoFar, { timeout: 60_000 }).toMatch(/Ctrl-C/)
    const port = /:(\d+)\/v1/.exec(stdoutSoFar())?.[1] ?? ''
    const ask = async (token: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/v1/agents`, { headers: { authorization: `Bearer ${token}` } })).status
    return await Promise.all((await tokens()).map(ask))
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

test('a local token that was good is refused once it is switched off, while other tokens stay good', { timeout: 180_000 }, async () => {
  const expiresAt = new Date(Date.now() + 3_600_000)
  const { token } = await createToken(database.pool, { name: 'machine', roles: ['reader'], scope: 'everything', expiresAt })
  const both = async (): Promise<readonly string[]> => [(await readFile(join(folder, 'data', 'token'), 'utf8')).trim(), token]
  expect(await statuses('api: {localToken: true}\n', both)).toEqual([200, 200])
  expect(await statuses('api: {localToken: false}\n', both)).toEqual([401, 200])
})
