/** For the tests of this folder: the API over a test's database, on a port of its own, for whoever the test says is calling. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type pg from 'pg'
import type { Caller } from '../access/caller.ts'
import { createApp } from '../app.ts'

export interface TestServer {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

const EVERYBODY: Caller = { id: 'test', name: null, roles: ['admin'], scope: 'everything' }

/** Serves the application to one caller. */
export async function startTestServer({ pool }: { readonly pool: pg.Pool }, caller: Caller = EVERYBODY): Promise<TestServer> {
  const quiet = { info: () => undefined, error: () => undefined }
  const auth = (authorization: string | undefined) => Promise.resolve(authorization === 'Bearer test' ? caller : null)
  const server = createServer(createApp({ pool, auth, log: quiet }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, headers: { authorization: 'Bearer test' }, close }
}
