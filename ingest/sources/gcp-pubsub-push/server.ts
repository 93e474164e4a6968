import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Router } from 'express'
import { SourceError } from '../../engine/source-error.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface PushServer {
  /** The port that it listens on. */
  readonly port: number
  close(): Promise<void>
}

/** The router on an address of its own. @throws SourceError when the address is taken or is not of this machine */
export async function listen(router: Router, { host, port }: Address): Promise<PushServer> {
  const app = express()
  app.disable('x-powered-by')
  app.use(router)
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new SourceError('SOURCE_MISCONFIGURED', `the push endpoint cannot listen on ${host}:${port}: ${cause.code ?? cause.message}`, { cause }))
    })
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => stop(server) }
}

/** Pushes under way are answered first, briefly. */
function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), 1000)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}
