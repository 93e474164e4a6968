import type { RequestHandler } from 'express'
import { Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

/** Counts and times requests by route, method and status. The route is its template (`/v1/oids/:oid`): what was looked at is no label. */
export function measured(registry: Registry | undefined): RequestHandler[] {
  if (registry === undefined) return []
  const seconds = new Histogram({
    name: 'trailjoin_http_request_duration_seconds',
    help: 'Requests by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  })
  return [
    (request, response, next) => {
      const stop = seconds.startTimer()
      response.on('close', () => {
        const { route, method } = request as { route?: { path?: unknown }; method: string }
        stop({ route: typeof route?.path === 'string' ? route.path : 'other', method, status: response.statusCode })
      })
      next()
    },
  ]
}
