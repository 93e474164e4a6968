import { z } from 'zod'
import { page, Trace, TraceDetail } from '../contract.ts'
import { ProblemError } from '../problem.ts'
import { DEFAULT_LIMIT, guid, NoQuery, TracesQuery } from '../query.ts'
import { traceById, tracePage } from '../read-models/traces.ts'
import { defineRoute } from './route.ts'

export const traces = defineRoute({
  path: '/v1/traces',
  summary: 'Linked traces, the latest first.',
  query: TracesQuery,
  answer: { description: 'A page of traces with their sizes.', schema: page(Trace) },
  handle: async ({ query: { limit, cursor, ...filters }, response }, { store }) => {
    response.json(await tracePage(store, filters, limit ?? DEFAULT_LIMIT, cursor))
  },
})

export const trace = defineRoute({
  path: '/v1/traces/{id}',
  summary: 'One trace: events, edges, sessions. An id once given out keeps resolving after traces merge.',
  params: z.object({ id: guid }),
  query: NoQuery,
  answer: { description: 'The trace.', schema: TraceDetail },
  problems: [404],
  handle: async ({ params: { id }, response }, { store }) => {
    const detail = await traceById(store, id)
    if (!detail) throw new ProblemError(404, `There is no trace ${id}.`)
    response.json(detail)
  },
})
