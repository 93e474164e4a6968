import { createServer } from 'node:http'
import type { Express } from 'express'

export interface Listening {
  /** e.g. `http://127.0.0.1:8417` */
  readonly url: string
  /** Takes no new requests, lets running ones end (for five seconds), then resolves. */
  readonly close: () => Promise<void>
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Serves the app on this machine only.
 * @param options.port 0 for any free one
 * @throws when the host is not loopback or the port is taken
 */
export async function listen(app: Express, options: { readonly host: string; readonly port: number }): Promise<Listening> {
  const { host, port } = options
  if (!LOOPBACK.has(host)) {
    throw new Error(
      `Refusing to listen on ${host}: a local token is not enough protection on a network. Listen on 127.0.0.1 and reach it through an SSH tunnel or an authenticating proxy.`,
    )
  }
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new Error(`Port ${port} is taken by another program: choose one with --port, or --port 0 for any free one.`))
      else if (error.code === 'EACCES') reject(new Error(`This user may not listen on port ${port}: choose one above 1023 with --port.`))
      else reject(error)
    })
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${host === '::1' ? '[::1]' : host}:${actual}`,
    close: () =>
      new Promise((resolve, reject) => {
        const cut = setTimeout(() => server.closeAllConnections(), 5000)
        server.close((error) => {
          clearTimeout(cut)
          if (error) reject(error)
          else resolve()
        })
        server.closeIdleConnections()
      }),
  }
}
