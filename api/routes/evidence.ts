import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { z } from 'zod'
import { errorCode } from '#database/errors.ts'
import { createBundle } from '../exports/bundle/bundle.ts'
import { asDigest } from '../exports/manifest.ts'
import { announceTrailers } from '../exports/trailers.ts'
import { createPlaces } from '../places.ts'
import { ProblemError } from '../problem.ts'
import { guid, inOrder, instant } from '../query.ts'
import { explainUnknown } from '../read-models/oid-info.ts'
import { inSnapshot } from '../read-models/store.ts'
import { defineRoute } from './route.ts'

/** Each holds one of the pool's eight connections, and one moment of the store, until the client has taken it all. */
const AT_ONCE = 2
const OF_ONE_CALLER = 1
const RETRY_AFTER_S = '30'
/** Whoever takes longer is cut off: the server cannot tidy up behind a moment that somebody still looks at. A million events take minutes. */
const LONGEST_MS = 30 * 60_000
const places = createPlaces({ all: AT_ONCE, perCaller: OF_ONE_CALLER })

export const evidence = defineRoute({
  path: '/v1/oids/{oid}/evidence',
  roles: ['responder'],
  summary: 'The evidence bundle of an oid and period: timeline, raw records, attributions, findings, coverage, hashes chained. `trailjoin verify` checks it.',
  params: z.object({ oid: guid }),
  query: z.strictObject({ from: instant.optional(), to: instant.optional() }).refine(inOrder.check, inOrder.params),
  handsOut: () => true,
  answer: {
    description: 'A zip, all of one moment; the trailer Repr-Digest has its SHA-256. Note it: it tells this file from one that was made anew.',
    alsoAs: ['application/zip'],
  },
  problems: [404, 429, 503],
  handle: async ({ params: { oid }, query: { from, to }, response }, { store: changing, caller, gave }) => {
    const unknown = await explainUnknown(changing, oid)
    if (unknown !== null) throw new ProblemError(404, unknown)
    const leave = enter(caller?.id ?? '', response)
    try {
      response.setHeader('Content-Type', 'application/zip')
      response.setHeader('Content-Disposition', `attachment; filename="evidence-${oid}.zip"`)
      if (!announceTrailers(response, 'Repr-Digest')) return void response.end()
      await inSnapshot(changing, async (store) => {
        const { stream, events, sha256 } = createBundle(store, { oid, from, to, createdBy: caller?.id ?? 'unknown', createdAt: new Date() })
        try {
          await pipeline(stream, response, { end: false, signal: AbortSignal.timeout(LONGEST_MS) })
          response.addTrailers({ 'Repr-Digest': asDigest(sha256()) })
          response.end()
        } finally {
          gave(events())
        }
      })
    } catch (error) {
      // The client hung up: nobody is left to tell.
      if (errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    } finally {
      leave()
    }
  },
})

/** Counts the bundle; the returned function counts it out. */
function enter(caller: string, response: Response): () => void {
  const place = places.enter(caller)
  if ('leave' in place) return place.leave
  response.setHeader('Retry-After', RETRY_AFTER_S)
  if (place.full === 'caller') throw new ProblemError(429, 'An evidence bundle of this caller is being made at this moment. Ask again when it is done.')
  throw new ProblemError(503, `${AT_ONCE} evidence bundles are being made at this moment. Ask again in a moment.`)
}
