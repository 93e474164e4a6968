/** The program as operators use it: tokens, an address on the network, an issuer, and the record of who looked at what. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AUDIENCE, startIssuer } from '#api/access/testing/issuer.ts'
import { id, insertFact, seen, TENANT } from '#api/fixture.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { startProgram } from '../../test/program.ts'
import type { Ended, StartedProgram } from '../../test/program.ts'

let database: TestDatabase
let folder: string
beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-access-'))
  await insertFact(database.pool, TENANT, seen(id('a'), { kind: 'agent', name: 'Weather Agent' }))
})
afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): StartedProgram =>
  startProgram(args, folder, { DATABASE_URL: database.url, TRAILJOIN_DATA_DIR: join(folder, 'data'), ...env })

const trailjoin = (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> => start(args, env).ended

/** Runs the work against a server that listens; gives what it had printed when it was stopped. */
async function whileServing(args: readonly string[], env: Readonly<Record<string, string>>, work: (port: string) => Promise<void>): Promise<Ended> {
  const { child, ended, stdoutSoFar: soFar } = start(['api', '--port', '0', ...args], env)
  try {
    await Promise.race([expect.poll(soFar, { timeout: 30_000 }).toMatch(/Ctrl-C/), ended.then((end) => expect(end).toMatchObject({ stdout: /Ctrl-C/ }))])
    await work(/:(\d+)\/v1/.exec(soFar())?.[1] ?? '')
  } finally {
    child.kill('SIGTERM')
  }
  return await ended
}

const ask = (port: string, token: string, path = '/v1/agents'): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } })

const createToken = async (...args: readonly string[]): Promise<{ token: string; id: string; prefix: string }> => {
  const { code, stdout, stderr } = await trailjoin(['tokens', 'create', '--json', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as { token: string; id: string; prefix: string }
}

describe('another address than loopback', () => {
  // Nine programs one after another.
  test('is refused until somebody has an identity, and then wants names', { timeout: 180_000 }, async () => {
    expect(await trailjoin(['api', '--host', '0.0.0.0'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Refusing to listen') as string,
    })
    const { prefix } = await createToken('--name', 'first', '--role', 'reader', '--all-tenants')
    expect(await trailjoin(['api', '--host', '0.0.0.0'])).toMatchObject({ code: 2, stderr: expect.stringContaining('TRAILJOIN_HOSTS') as string })
    await trailjoin(['tokens', 'revoke', prefix])
    expect(await trailjoin(['api', '--host', '0.0.0.0'])).toMatchObject({ code: 1 })
  })

  test('takes API tokens until they are revoked, and no local token; who asked is on record', async () => {
    const { token, id: tokenId, prefix } = await createToken('--name', 'grafana', '--role', 'reader', '--tenant', TENANT, '--expires', '7d')
    const { stdout, stderr, code } = await whileServing(['--host', '0.0.0.0'], { TRAILJOIN_HOSTS: 'trailjoin.example.com' }, async (port) => {
      const response = await ask(port, token)
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('Weather Agent')
      expect((await ask(port, token, '/v1/access-log')).status).toBe(403)
      expect(await trailjoin(['tokens', 'revoke', prefix])).toMatchObject({ code: 0 })
      expect((await ask(port, token)).status).toBe(401)
    })
    expect(code).toBe(0)
    expect(stdout).not.toContain('#token=')
    expect(stderr).toContain('plain http')
    const list = await trailjoin(['tokens', 'list', '--format', 'json'])
    expect(list.stdout).not.toContain(token.slice(11))
    expect((JSON.parse(list.stdout) as { items: unknown[] }).items).toMatchObject([{ id: tokenId, state: 'revoked', roles: ['reader'], scope: [TENANT] }, {}])
    const log = await trailjoin(['access-log', '--format', 'json', '--caller', `token:${tokenId}`])
    expect((JSON.parse(log.stdout) as { items: unknown[] }).items).toMatchObject([
      { route: '/v1/access-log', status: 403, rows: 0 },
      { route: '/v1/agents', status: 200, rows: 1, callerName: 'grafana', tenants: [TENANT] },
    ])
  })
})

test('tokens of a configured issuer are taken beside the local one', async () => {
  const issuer = await startIssuer()
  await writeFile(join(folder, 'trailjoin.yaml'), `api:\n  oidc:\n    - {issuer: "${issuer.issuer}", audience: "${AUDIENCE}"}\n`)
  try {
    const { stdout } = await whileServing([], {}, async (port) => {
      const token = await issuer.token({ tid: TENANT, roles: ['trailjoin.reader'] })
      expect(await (await ask(port, token)).text()).toContain('Weather Agent')
      expect((await ask(port, await issuer.token({ tid: TENANT, roles: ['trailjoin.reader'], exp: 1 }))).status).toBe(401)
      expect((await ask(port, await issuer.token({ tid: TENANT }))).status).toBe(403)
    })
    expect(stdout).toContain(`OIDC    ${issuer.issuer}`)
    expect(stdout).toContain('#token=')
  } finally {
    await rm(join(folder, 'trailjoin.yaml'))
    await issuer.close()
  }
})

test('old entries of the record are taken out by the owner of the tables, and that is on record', async () => {
  await database.pool.query(
    `insert into access_log (request_id, phase, started_at, caller, method, route, filters, status, rows, cut)
     select gen_random_uuid(), 'whole', '2026-01-01T12:00:00Z'::timestamptz, 'ancient', 'GET', '/v1/agents', '{}', 200, 1, false from generate_series(1, 3)`,
  )
  const prune = (...args: readonly string[]): Promise<Ended> => trailjoin(['access-log', 'prune', ...args])
  expect(await prune()).toMatchObject({ code: 2, stderr: expect.stringContaining('--before') as string })
  expect(await prune('--before', '2200-01-01')).toMatchObject({ code: 2, stderr: expect.stringContaining('--before: lies in the future') as string })
  expect(await prune('--before', '2026-01-02', '--dry-run')).toMatchObject({ code: 0, stderr: expect.stringContaining('3 entries would go') as string })
  expect(await prune('--before', '2026-01-02')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('3 entries are gone') as string })
  const { stdout } = await trailjoin(['access-log', '--format', 'json'])
  const { items } = JSON.parse(stdout) as { items: { caller: string }[] }
  expect(items[0]).toMatchObject({ method: 'PRUNE', rows: 3, caller: expect.stringMatching(/^cli:/) as string })
  expect(items.filter(({ caller }) => caller === 'ancient')).toEqual([])
}, 60_000)

test('settings by which nobody could call are refused', async () => {
  await writeFile(join(folder, 'closed.yaml'), 'api: {localToken: false}\n')
  expect(await trailjoin(['api', '--config', 'closed.yaml'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Nobody could call') as string })
  await writeFile(join(folder, 'wrong.yaml'), 'api:\n  colour: red\n  hosts: [http://x]\n')
  const { code, stderr } = await trailjoin(['api', '--config', 'wrong.yaml'])
  expect(code).toBe(2)
  expect(stderr).toContain('wrong.yaml:2: api.colour is not known here')
  expect(stderr).toContain('wrong.yaml:3: api.hosts[0] is no host name')
  expect(stderr).not.toMatch(/\n\s+at /)
})

test.each([
  [['--name', 'x', '--role', 'emperor', '--all-tenants'], '--role: "emperor" is not one of'],
  [['--name', 'x', '--role', 'reader'], 'either --tenant or --all-tenants'],
  [['--name', 'x', '--role', 'reader', '--all-tenants', '--expires', '999d'], 'longer than 366 days'],
])('tokens create %j makes none and says why', async (args, message) => {
  const { code, stdout, stderr } = await trailjoin(['tokens', 'create', ...args])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
})
