import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { errorCode } from '#database/errors.ts'
import { createBundle } from '../exports/bundle/bundle.ts'
import { asDigest } from '../exports/manifest.ts'
import { announceTrailers } from '../exports/trailers.ts'
import { ProblemError } from '../problem.ts'
import { guid, inOrder, instant } from '../query.ts'
import { explainUnknown } from '../read-models/oid-info.ts'
import { defineRoute } from './route.ts'

export const evidence = defineRoute({
  path: '/v1/oids/{oid}/evidence',
  roles: ['responder'],
  summary: 'The evidence bundle of an oid and period: timeline, raw records, attributions, findings, coverage, hashes chained. `trailjoin verify` checks it.',
  params: z.object({ oid: guid }),
  query: z.strictObject({ from: instant.optional(), to: instant.optional() }).refine(inOrder.check, inOrder.params),
  handsOut: () => true,
  answer: {
    description: 'A zip; the trailer Repr-Digest has its SHA-256. Note it: it tells this file from one that was made anew.',
    alsoAs: ['application/zip'],
  },
  problems: [404],
  handle: async ({ params: { oid }, query: { from, to }, response }, { store, caller, gave }) => {
    const unknown = await explainUnknown(store, oid)
    if (unknown !== null) throw new ProblemError(404, unknown)
    response.setHeader('Content-Type', 'application/zip')
    response.setHeader('Content-Disposition', `attachment; filename="evidence-${oid}.zip"`)
    if (!announceTrailers(response, 'Repr-Digest')) return void response.end()
    const { stream, events } = createBundle(store, { oid, from, to, createdBy: caller?.id ?? 'unknown', createdAt: new Date() })
    const hash = createHash('sha256')
    try {
      await pipeline(
        stream,
        async function* hashed(parts: AsyncIterable<Buffer>) {
          for await (const part of parts) {
            hash.update(part)
            yield part
          }
        },
        response,
        { end: false },
      )
      response.addTrailers({ 'Repr-Digest': asDigest(hash.digest('hex')) })
      response.end()
    } catch (error) {
      // The client hung up: nobody is left to tell.
      if (errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    } finally {
      gave(events())
    }
  },
})
