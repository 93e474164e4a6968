import type { Response } from 'express'
import { z } from 'zod'
import type { Scope } from '../access/caller.ts'
import type { PushedLine } from '../intake.ts'
import { createPlaces } from '../places.ts'
import { ProblemError } from '../problem.ts'
import { guid } from '../query.ts'
import { MAX_BYTES, MAX_LINES, readBody } from '../records/body.ts'
import { PushAnswer } from '../records/contract.ts'
import { defineRoute } from './route.ts'

/** Pushes that are taken in at once; each may hold `MAX_BYTES` in memory. More are asked to come again, and no caller can keep the others out. */
const AT_ONCE = 6
const OF_ONE_CALLER = 2
const RETRY_AFTER_S = '2'
const places = createPlaces({ all: AT_ONCE, perCaller: OF_ONE_CALLER })

export const records = defineRoute({
  path: '/v1/records',
  method: 'post',
  roles: ['ingest'],
  summary: 'Push ingestion. Answers only when the records are durable, with a result for each; pushing the same again changes nothing.',
  query: z.strictObject({
    tenant: guid
      .meta({ description: "Tenant of records that do not name their own (Graph, portal). One of the caller's; without it the caller's only one." })
      .optional(),
  }),
  body: {
    description: `NDJSON: one record a line, as its cloud or API wrote it; at most ${MAX_BYTES / 1024 / 1024} MiB inflated and ${MAX_LINES.toLocaleString('en')} lines. Content-Encoding gzip or none.`,
    types: ['application/x-ndjson', 'application/json'],
  },
  answer: { description: 'All that was understood is durable; see the results for the rest.', schema: PushAnswer },
  problems: [408, 413, 415, 503],
  handle: async ({ query, request, response }, { caller, services }) => {
    const { intake } = services
    if (!intake || !caller) throw new ProblemError(503, 'This server takes no records.')
    const tenantId = tenantOf(query.tenant, caller.scope)
    const leave = enter(caller.id, response)
    try {
      const bytes = await readBody(request, response)
      const results = await intake({ bytes, from: caller.id, tenantId, scope: caller.scope }).catch((error: unknown) => {
        // A fault of ours does not go away by sending the same again: a forwarder would do so for ever.
        if (error instanceof TypeError || error instanceof RangeError) throw error
        response.setHeader('Retry-After', RETRY_AFTER_S)
        throw new ProblemError(503, 'The records could not be stored for certain. Send them again: what is stored already is known.', [], { cause: error })
      })
      response.json(answer(results))
    } finally {
      leave()
    }
  },
})

/** Counts the push; the returned function counts it out. */
function enter(caller: string, response: Response): () => void {
  const place = places.enter(caller)
  if ('leave' in place) return place.leave
  response.setHeader('Retry-After', RETRY_AFTER_S)
  if (place.full === 'caller')
    throw new ProblemError(429, `${OF_ONE_CALLER} pushes of this caller are being taken in at this moment. Send it again in a moment.`)
  throw new ProblemError(503, `${AT_ONCE} pushes are being taken in at this moment. Send it again in a moment.`)
}

/** Which tenant records without one of their own belong to. */
function tenantOf(asked: string | undefined, scope: Scope): string | null {
  if (scope === 'everything') return asked ?? null
  if (asked === undefined) return scope.length === 1 ? scope[0]! : null
  if (scope.includes(asked)) return asked
  throw new ProblemError(400, 'tenant is none that this token may write for', [{ field: 'tenant', message: 'is none that this token may write for' }])
}

function answer(results: readonly PushedLine[]): PushAnswer {
  const of = (status: PushedLine['status']): number => results.filter((result) => result.status === status).length
  return { read: results.length, stored: of('stored'), duplicates: of('duplicate'), rejected: of('rejected'), accepted: of('accepted'), results: [...results] }
}
