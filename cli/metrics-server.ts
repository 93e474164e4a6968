/** What a role without an API listens on: `/metrics` for Prometheus, `/healthz` for whoever restarts it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Registry } from 'prom-client'
import { parsePort } from '../config.ts'
import { UsageError } from './cli.ts'

export interface MetricsServer {
  /** e.g. `http://127.0.0.1:9464` */
  readonly url: string
  close(): Promise<void>
}

/** The metrics name no oid, no account and no record, so the address may be one that others reach. */
export interface MetricsAddress {
  readonly host: string
  readonly port: number
}

/** `9464` (this machine only) or `0.0.0.0:9464`. @throws UsageError */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, host = '127.0.0.1', port = ''] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  try {
    return { host: host.replace(/^\[|\]$/g, ''), port: parsePort(port) }
  } catch {
    throw new UsageError(`--metrics: "${text}" is no address: write a port, or host:port`)
  }
}

/**
 * @param healthy why the process is not well, or null
 * @throws when the port is taken
 */
export async function serveMetrics({ host, port }: MetricsAddress, registry: Registry, healthy: () => string | null): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.method !== 'GET') response.writeHead(405).end()
      else if (request.url === '/metrics') response.setHeader('content-type', registry.contentType).end(await registry.metrics())
      else if (request.url === '/healthz') {
        const ill = healthy()
        response.writeHead(ill === null ? 200 : 503, { 'content-type': 'text/plain' }).end(`${ill ?? 'ok'}\n`)
      } else response.writeHead(404).end()
    }
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${actual}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
