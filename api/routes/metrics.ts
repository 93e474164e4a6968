import { sendProblem } from '../problem.ts'
import { NoQuery } from '../query.ts'
import { isLoopback } from '../listen.ts'
import { defineRoute } from './route.ts'

/**
 * Without a token, because Prometheus comes from this machine; and to this machine alone, because the names of sources are nobody else's business. What a proxy
 * brings along comes from elsewhere, whatever its own address is.
 */
export const metrics = defineRoute({
  path: '/metrics',
  summary: 'Metrics for Prometheus: this process, its requests by route, and its sources. No oid, no account, no record. To this machine only.',
  open: true,
  query: NoQuery,
  answer: { description: 'The metrics.', alsoAs: ['text/plain'] },
  problems: [404],
  handle: async ({ request, response }, { services }) => {
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const forwarded = ['x-forwarded-for', 'forwarded', 'via'].some((name) => request.headers[name] !== undefined)
    if (forwarded || !isLoopback(address)) return sendProblem(response, 403, 'Metrics are given to this machine only.')
    if (services.metrics === undefined) return sendProblem(response, 404, 'This process keeps no metrics.')
    response.setHeader('content-type', services.metrics.contentType).end(await services.metrics.metrics())
  },
})
