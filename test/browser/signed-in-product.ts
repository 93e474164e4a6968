/** The product as an organisation runs it: API, page and database with the demo records, where people sign in at an OpenID Connect provider. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { authenticateBy, Refused } from '#api/access/check.ts'
import { oidcTokens } from '#api/access/oidc.ts'
import { accessRecorder } from '#api/access/record.ts'
import { ApiSection } from '#api/access/settings.ts'
import { createApp } from '#api/app.ts'
import { listen } from '#api/listen.ts'
import { createBell } from '#api/live/bell.ts'
import { createCorrelator } from '#correlate/index.ts'
import { openDatabase } from '#database/open.ts'
import { importPaths } from '#ingest/import.ts'
import { importRecords } from '../samples.ts'
import { testDataDir } from '../postgres.ts'
import { AUDIENCE, CLIENT, SCOPE, startIdentityProvider } from './identity-provider.ts'
import type { IdentityProvider } from './identity-provider.ts'

const DEMO = join(import.meta.dirname, '..', '..', 'demo', 'records')
const DEMO_TENANT = '297ba008-ac9c-420b-9a02-2a8e3ea11350'
/** Weather Agent of the demo. */
export const AGENT = '39e3ea38-5904-436f-83c0-2b83b8445b22'

export interface SignedInProduct {
  readonly url: string
  readonly provider: IdentityProvider
  /** Every line of the server's log so far. */
  readonly log: () => string
  /** Tokens that the API was shown, oldest first, each once. */
  readonly shown: () => readonly string[]
  /** From now on the API finds that this token has expired. */
  readonly expire: (token: string | undefined) => void
  /** One more call of the agent's to its own API. */
  readonly newEvent: (path: string) => Promise<void>
  readonly close: () => Promise<void>
}

export async function startSignedInProduct(dashboardDir: string, people: Readonly<Record<string, readonly string[]>>): Promise<SignedInProduct> {
  const dataDir = await testDataDir()
  const database = await openDatabase({ dataDir })
  const { pool } = database
  await importPaths([DEMO], { sink: createCorrelator(pool) })
  await createCorrelator(pool).drain()
  const provider = await startIdentityProvider(people, DEMO_TENANT)
  const access = ApiSection.parse({
    oidc: [{ issuer: provider.issuer, audience: AUDIENCE, signIn: { clientId: CLIENT, scope: SCOPE } }],
    limits: { perCaller: 0, perAddress: 0, failuresPerAddress: 0 },
  })
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const expired = new Set<string>()
  const seen = new Set<string>()
  const issued = oidcTokens(access.oidc, { log })
  const auth = authenticateBy([
    async (token) => {
      seen.add(token)
      if (expired.has(token)) throw new Refused('The token has expired.')
      return await issued(token)
    },
  ])
  const bell = createBell(pool, log)
  const recorder = accessRecorder(pool, log)
  const server = await listen(createApp({ pool, auth, log, dashboardDir, access, recorder, services: { bell } }), {
    host: '127.0.0.1',
    port: 0,
    identities: true,
  })
  provider.admit(`${server.url}/`)
  let requests = 0
  return {
    url: server.url,
    provider,
    log: () => lines.join(''),
    shown: () => [...seen],
    expire: (token) => {
      if (token !== undefined) expired.add(token)
    },
    newEvent: async (path) => {
      const call = { api: 'weather', requestId: `signed-in-${++requests}`, method: 'GET', path, status: 200, idtyp: 'app' }
      // Each later than the one before.
      const time = `2026-09-17T10:00:${String(requests).padStart(2, '0')}Z`
      await importRecords(pool, { time, ...call, tid: DEMO_TENANT, oid: AGENT, appid: AGENT })
      await createCorrelator(pool).drain()
    },
    close: async () => {
      await bell.close()
      await server.close()
      await recorder.settled()
      await provider.close()
      await database.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
