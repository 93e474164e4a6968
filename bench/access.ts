/**
 * What it costs to know the caller and to put on record what they looked at: the same page of a timeline over HTTP, asked with each kind of token, with and without
 * the record, turn about. `node bench/access.ts [--requests 400] [--at-once 8]`. Prints medians and ratios to the local token without a record.
 */
import { rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { authenticateBy } from '#api/access/check.ts'
import { oneToken } from '#api/access/local-token.ts'
import { oidcTokens } from '#api/access/oidc.ts'
import type { AccessRecorder } from '#api/access/record.ts'
import { ApiSection } from '#api/access/settings.ts'
import { AUDIENCE, startIssuer } from '#api/access/testing/issuer.ts'
import { apiTokens, createToken } from '#api/access/tokens.ts'
import { createApp } from '#api/app.ts'
import { id, insertEvent, repeatEvent, TENANT } from '#api/fixture.ts'
import { listen } from '#api/listen.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { testDataDir } from '../test/postgres.ts'
import { percentile } from './percentile.ts'

const { values } = parseArgs({ options: { requests: { type: 'string', default: '400' }, 'at-once': { type: 'string', default: '8' } } })
const REQUESTS = Number(values.requests)
const AT_ONCE = Number(values['at-once'])
const ROUNDS = 5
const LOCAL = 'bench'

const folder = await testDataDir()
const server = await startEmbedded(folder)
const pool = await openPool(server.url)
const issuer = await startIssuer()
const keepAlive = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
const log = pino({ level: 'silent' })
const { oidc, limits } = ApiSection.parse({
  oidc: [{ issuer: issuer.issuer, audience: AUDIENCE }],
  limits: { perCaller: 0, perAddress: 0, failuresPerAddress: 0 },
})
const access = { hosts: [], corsOrigins: [], limits }
const auth = authenticateBy([oneToken(LOCAL), apiTokens(pool), oidcTokens(oidc, { log })])
/** Sees requests and writes nothing. */
const blind: AccessRecorder = {
  follow: () => ({ gave: () => undefined, begin: async () => undefined, answeredBy: () => undefined }),
  settled: async () => undefined,
}
const recording = await listen(createApp({ pool, auth, log, access }), { host: '127.0.0.1', port: 0 })
const silent = await listen(createApp({ pool, auth, log, access, recorder: blind }), { host: '127.0.0.1', port: 0 })
try {
  await migrate(pool)
  const event = {
    id: id('7'),
    time: 1_780_000_000_000_000_000n,
    conclusion: { tenant: TENANT, subject: id('a'), agent: id('a'), confidence: 'exact' },
  } as const
  await insertEvent(pool, { ...event, timeline: [{ oid: id('a'), role: 'actor' }] })
  await repeatEvent(pool, id('7'), 2000)
  await pool.query('analyze')
  const machine = await createToken(pool, { name: 'bench', roles: ['reader'], scope: [TENANT], expiresAt: new Date(Date.now() + 3_600_000) })
  const everything = await createToken(pool, { name: 'bench', roles: ['reader'], scope: 'everything', expiresAt: new Date(Date.now() + 3_600_000) })
  const person = await issuer.token({ tid: TENANT, roles: ['trailjoin.reader'], exp: Math.floor(Date.now() / 1000) + 3600 })
  const runs = [
    { name: 'local token, no record', url: silent.url, token: LOCAL },
    { name: 'local token', url: recording.url, token: LOCAL },
    { name: 'API token, all tenants', url: recording.url, token: everything.token },
    { name: 'API token, one tenant', url: recording.url, token: machine.token },
    { name: 'OIDC token, one tenant', url: recording.url, token: person },
  ].map((run) => ({ ...run, times: [] as number[], seconds: 0 }))
  for (const run of runs) await ask(run.url, run.token)
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      const begun = performance.now()
      let left = REQUESTS / ROUNDS
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          while (left-- > 0) run.times.push(await ask(run.url, run.token))
        }),
      )
      run.seconds += (performance.now() - begun) / 1000
    }
  }
  const base = runs[0]!
  console.log(`${REQUESTS} requests each, ${AT_ONCE} at once`)
  for (const { name, times, seconds } of runs)
    console.log(
      `${name.padEnd(24)} | p50 ${percentile(times, 50).toFixed(1).padStart(7)} ms | p99 ${percentile(times, 99).toFixed(1).padStart(7)} ms | time for all ${(seconds / base.seconds).toFixed(2)} of the first`,
    )
} finally {
  keepAlive.destroy()
  await recording.close()
  await silent.close()
  await issuer.close()
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** One page, whole; gives its milliseconds. */
function ask(url: string, token: string): Promise<number> {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    get(`${url}/v1/oids/${id('a')}/timeline?limit=100`, { agent: keepAlive, headers: { authorization: `Bearer ${token}` } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`))
      response.resume()
      response.on('end', () => resolve(performance.now() - begun))
    }).on('error', reject)
  })
}
