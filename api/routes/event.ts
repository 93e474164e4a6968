import { z } from 'zod'
import { sha256 } from '#core/record.ts'
import { EventDetail } from '../contract.ts'
import { ProblemError } from '../problem.ts'
import { guid, NoQuery, RawQuery } from '../query.ts'
import { eventDetail, eventText } from '../read-models/event.ts'
import { defineRoute } from './route.ts'

const params = z.object({ id: guid })

export const event = defineRoute({
  path: '/v1/events/{id}',
  summary: 'One event with its evidence.',
  params,
  query: NoQuery,
  answer: { description: 'The event, where its record was read, what was masked in it, and other texts of the same record.', schema: EventDetail },
  problems: [404],
  handle: async ({ params: { id }, response }, { store }) => {
    const detail = await eventDetail(store, id)
    if (!detail) throw new ProblemError(404, `There is no event ${id}.`)
    response.json(detail)
  },
})

export const eventRaw = defineRoute({
  path: '/v1/events/{id}/raw',
  summary: 'The stored text of its record, byte for byte; the headers Repr-Digest and ETag have its hash.',
  roles: ['responder'],
  handsOut: () => true,
  params,
  query: RawQuery,
  answer: { description: 'The record as its cloud wrote it, credentials masked.', schema: z.record(z.string(), z.unknown()) },
  problems: [404],
  handle: async ({ params: { id }, query, request, response }, { store, gave }) => {
    const stored = await eventText(store, id, query.sha256)
    if (!stored)
      throw new ProblemError(404, query.sha256 === undefined ? `There is no event ${id}.` : `The event ${id} has no text with the SHA-256 ${query.sha256}.`)
    // Evidence that does not have its hash is no evidence: better no answer than a wrong one.
    if (sha256(stored.text) !== stored.sha256) throw new Error(`The stored text of event ${id} does not have its SHA-256 ${stored.sha256}.`)
    response.setHeader('Repr-Digest', `sha-256=:${Buffer.from(stored.sha256, 'hex').toString('base64')}:`)
    response.setHeader('ETag', `"${stored.sha256}"`)
    // Whoever has this very text already, and asks only whether it is still the one.
    if (request.fresh) return void response.status(304).end()
    gave(1)
    response.type('application/json').send(Buffer.from(stored.text))
  },
})
