/** An export over HTTP: streamed, with its manifest as a trailer; a response that breaks half-way is cut, never ended as if it were whole. */
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { errorCode } from '#database/errors.ts'
import { asDigest, asHeader } from './manifest.ts'
import type { TimelineExport } from './timeline-export.ts'
import { announceTrailers } from './trailers.ts'

/**
 * Sends the content, then the trailers `Repr-Digest` (RFC 9530) and `Trailjoin-Manifest`. Headers must be set before.
 * @param gave told how many items were given, also when the client hangs up
 */
export async function sendExport(response: Response, made: TimelineExport, gave: (rows: number) => void): Promise<void> {
  if (!announceTrailers(response, 'Repr-Digest, Trailjoin-Manifest')) return void response.end()
  try {
    await pipeline(made.texts, response, { end: false })
    const manifest = await made.manifest()
    response.addTrailers({ 'Repr-Digest': asDigest(manifest.sha256), 'Trailjoin-Manifest': asHeader(manifest) })
    response.end()
  } catch (error) {
    // The client hung up: nobody is left to tell.
    if (errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  } finally {
    gave(made.items())
  }
}

/** Reads the content without sending it, for its manifest alone. */
export async function manifestOf(made: TimelineExport): ReturnType<TimelineExport['manifest']> {
  let text = await made.texts.next()
  while (!text.done) text = await made.texts.next()
  return made.manifest()
}
