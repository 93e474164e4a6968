import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server as TlsServer } from 'node:https'
import type { Express } from 'express'
import { keepTlsFresh, readTls } from './access/tls.ts'
import type { TlsFiles } from './access/tls.ts'
import type { Log } from './log.ts'

export interface Listening {
  /** e.g. `http://127.0.0.1:8417` */
  readonly url: string
  /** Takes no new requests, lets running ones end (for five seconds), then resolves. */
  readonly close: () => Promise<void>
}

export interface ListenOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Whether callers have identities of their own (OIDC, API tokens): only then may the network reach it. */
  readonly identities?: boolean
  readonly tls?: TlsFiles | undefined
  /** Where a certificate that cannot be renewed is told. */
  readonly log?: Log
  /** How often a renewed certificate is looked for, in milliseconds. */
  readonly tlsEveryMs?: number
  /** Limits of the connections, in milliseconds; for tests. */
  readonly times?: Partial<typeof TIMES>
}

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/

/** Whether only this machine can reach the address. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/** A client that sends its headers slower is not one; nor one that sends a body for longer, or that neither reads nor sends. */
const TIMES = { headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 65_000, timeout: 120_000, connectionsCheckingInterval: 5_000 }
const MOST_CONNECTIONS = 2_000

/**
 * Serves the app: to this machine alone, unless callers have identities of their own.
 * @throws when the host is not loopback and they have none, the port is taken, or the certificate cannot be used
 */
export async function listen(app: Express, options: ListenOptions): Promise<Listening> {
  const { host, port, identities = false, tls } = options
  if (!isLoopback(host) && !identities) {
    throw new Error(
      `Refusing to listen on ${host}: a local token is not enough protection on a network. Configure OIDC issuers or make API tokens (docs/operators/access.md), or listen on 127.0.0.1 and reach it through an SSH tunnel.`,
    )
  }
  const { server, stopLooking } = await createEither(app, options)
  await bind(server, host, port)
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: () => {
      stopLooking()
      return close(server)
    },
  }
}

async function createEither(
  app: Express,
  { tls, log, tlsEveryMs, times: given }: ListenOptions,
): Promise<{ server: Server | TlsServer; stopLooking: () => void }> {
  const times = { ...TIMES, ...given }
  if (!tls) return { server: limited(createServer(times, app), times.timeout), stopLooking: () => undefined }
  const pair = await readTls(tls)
  const server = createTlsServer({ ...times, ...pair }, app)
  return { server: limited(server, times.timeout), stopLooking: log ? keepTlsFresh(server, tls, pair, log, tlsEveryMs) : () => undefined }
}

function limited<AnyServer extends Server | TlsServer>(server: AnyServer, timeout: number): AnyServer {
  server.timeout = timeout
  server.maxConnections = MOST_CONNECTIONS
  return server
}

async function bind(server: Server | TlsServer, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new Error(`Port ${port} is taken by another program: choose one with --port, or --port 0 for any free one.`))
      else if (error.code === 'EACCES') reject(new Error(`This user may not listen on port ${port}: choose one above 1023 with --port.`))
      else if (error.code === 'EADDRNOTAVAIL') reject(new Error(`${host} is no address of this machine: choose one with --host.`))
      else reject(error)
    })
    server.listen(port, host, resolve)
  })
}

function close(server: Server | TlsServer): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = setTimeout(() => server.closeAllConnections(), 5000)
    server.close((error) => {
      clearTimeout(cut)
      if (error) reject(error)
      else resolve()
    })
    server.closeIdleConnections()
  })
}
