import { setTimeout as pause } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { Scope } from '../access/caller.ts'
import type { PushedLine } from '../intake.ts'
import { createQueue } from '../places.ts'
import { ProblemError } from '../problem.ts'
import { guid } from '../query.ts'
import { MAX_BYTES, MAX_LINES, readBody } from '../records/body.ts'
import { PushAnswer } from '../records/contract.ts'
import { defineRoute } from './route.ts'

/**
 * Pushes that are taken in at once; each may hold `MAX_BYTES` in memory, and no caller can keep the others out. More of them wait, with their bodies unread, so that a
 * shipper that sends every line by itself, or with many workers, is slowed down instead of turned away (syslog-ng's and Fluent Bit's defaults do both, and drop what is
 * refused a few times).
 */
const LIMITS = { all: 6, perCaller: 2, waiting: { all: 512, perCaller: 128 }, patienceMs: 4000 }
const RETRY_AFTER_S = '2'
/** From the end of the body: PostgreSQL or Kafka that has not taken the records by then is away. */
const STORED_WITHIN_MS = 4500
const queue = createQueue(LIMITS)

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
    const leave = await enter(caller.id, request, response)
    const bytes = await readBody(request, response).catch((error: unknown) => {
      leave()
      throw error
    })
    // What hangs keeps its place until it has ended, so that the store is not piled upon; the sender is answered in time all the same.
    const stored = intake({ bytes, from: caller.id, tenantId, scope: caller.scope }).finally(leave)
    const results = await inTime(stored).catch((error: unknown) => {
      // A fault of ours does not go away by sending the same again: a forwarder would do so for ever.
      if (error instanceof TypeError || error instanceof RangeError) throw error
      response.setHeader('Retry-After', RETRY_AFTER_S)
      throw new ProblemError(503, 'The records could not be stored for certain. Send them again: what is stored already is known.', [], { cause: error })
    })
    response.json(answer(results))
  },
})

/** Rejects when the promise has not settled in time; what it does goes on. */
async function inTime<Result>(promise: Promise<Result>): Promise<Result> {
  const late = new AbortController()
  const limit = pause(STORED_WITHIN_MS, undefined, { signal: late.signal }).then(() => Promise.reject(new Error(`not stored within ${STORED_WITHIN_MS} ms`)))
  try {
    return await Promise.race([promise, limit])
  } finally {
    late.abort()
    // Whichever loses the race may fail later.
    promise.catch(() => undefined)
    limit.catch(() => undefined)
  }
}

/** Counts the push, when there is a place for it; the returned function counts it out. */
async function enter(caller: string, request: Request, response: Response): Promise<() => void> {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  request.on('close', abort)
  const place = await queue.enter(caller, gone.signal)
  request.off('close', abort)
  if ('leave' in place) return place.leave
  response.setHeader('Retry-After', RETRY_AFTER_S)
  if (place.full === 'caller')
    throw new ProblemError(429, 'Too many pushes of this caller wait already, or none of them ended in time. Send it again in a moment.')
  throw new ProblemError(503, 'Too many pushes wait already, or none of them ended in time. Send it again in a moment.')
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
