/** Whose word is taken for the address of a caller (docs/operators/access.md, trustProxy): nobody's, unless the operator named a proxy. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { createApp } from '../app.ts'
import { listen } from '../listen.ts'
import { authenticateBy } from './check.ts'
import { accessLogPage } from './log-page.ts'
import { oneToken } from './local-token.ts'
import { accessRecorder } from './record.ts'
import { ApiSection } from './settings.ts'

const TOKEN = 'local-token'
const quiet = { info: () => undefined, error: () => undefined }

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database?.drop())

/** Asks once with a good token and four times with a bad one, each time as somebody else by the header. */
async function asked(trustProxy: unknown): Promise<{ readonly address: string | null; readonly refused: readonly number[] }> {
  const access = ApiSection.parse({ limits: { failuresPerAddress: 2 }, ...(trustProxy === undefined ? {} : { trustProxy }) })
  const recorder = accessRecorder(database.pool, quiet)
  const app = createApp({ pool: database.pool, auth: authenticateBy([oneToken(TOKEN)]), log: quiet, recorder, access })
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  const ask = async (token: string, from: string): Promise<number> => {
    const response = await fetch(`${server.url}/v1/agents`, { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': from } })
    await response.arrayBuffer()
    return response.status
  }
  try {
    expect(await ask(TOKEN, '203.0.113.9')).toBe(200)
    const refused: number[] = []
    for (let n = 1; n <= 4; n++) refused.push(await ask('wrong', `203.0.113.${n}`))
    await recorder.settled()
    const { items } = await accessLogPage(database.pool, 'everything', { limit: 1 })
    return { address: items[0]!.address, refused }
  } finally {
    await server.close()
  }
}

test('without a proxy a client cannot say from where it comes: not for the record, and not to try more tokens', async () => {
  const { address, refused } = await asked(undefined)
  expect(address).toMatch(/127\.0\.0\.1$/)
  expect(refused).toEqual([401, 401, 429, 429])
})

test.each([1, ['loopback']])('behind the proxy %j the address that it saw counts, for the record and for limits', async (trustProxy) => {
  expect(await asked(trustProxy)).toEqual({ address: '203.0.113.9', refused: [401, 401, 401, 401] })
})

test('a proxy elsewhere than named is a client like any other', async () => {
  expect((await asked(['10.0.0.0/8'])).address).toMatch(/127\.0\.0\.1$/)
})

test('behind one proxy what a client wrote into the header before it does not count', async () => {
  const access = ApiSection.parse({ trustProxy: 1 })
  const recorder = accessRecorder(database.pool, quiet)
  const server = await listen(createApp({ pool: database.pool, auth: authenticateBy([oneToken(TOKEN)]), log: quiet, recorder, access }), {
    host: '127.0.0.1',
    port: 0,
  })
  const forwarded = { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }
  await (await fetch(`${server.url}/v1/agents`, { headers: forwarded })).arrayBuffer()
  await recorder.settled()
  await server.close()
  expect((await accessLogPage(database.pool, 'everything', { limit: 1 })).items[0]?.address).toBe('203.0.113.9')
})
