/** Reads the body of a push: at most so many bytes and lines, however well it is compressed. */
import { createGunzip } from 'node:zlib'
import type { Request, Response } from 'express'
import { ProblemError } from '../problem.ts'

/** Inflated. What a forwarder sends in some seconds; more of it goes in several pushes. */
export const MAX_BYTES = 10 * 1024 * 1024
/** Each line can become a row with a reason of its own. */
export const MAX_LINES = 20_000

const TOO_LARGE = `A push holds at most ${MAX_BYTES / 1024 / 1024} MiB (inflated) and ${MAX_LINES.toLocaleString('en')} lines: send it in parts. Nothing of this one was stored.`

/**
 * The whole body, inflated.
 * @throws ProblemError 415 for an encoding other than gzip, 413 for too much, 400 for damaged gzip or a body that was cut off
 */
export async function readBody(request: Request, response: Response): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip') {
    response.setHeader('Accept-Encoding', 'gzip, identity')
    throw new ProblemError(415, `The content encoding ${JSON.stringify(encoding.slice(0, 40))} is not understood: send gzip, or none.`)
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) throw tooLarge(response)
  const chunks: Buffer[] = []
  let bytes = 0
  const source: AsyncIterable<Buffer> = encoding === 'identity' ? request : request.pipe(createGunzip())
  // Without it an abort of the client leaves the inflater waiting for ever.
  if (source !== request) request.once('close', () => void (request.complete || (source as ReturnType<typeof createGunzip>).destroy(new Error('cut off'))))
  try {
    for await (const chunk of source) {
      bytes += chunk.length
      if (bytes > MAX_BYTES) throw tooLarge(response)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ProblemError) throw error
    throw new ProblemError(400, encoding === 'identity' ? 'The body was cut off.' : 'The body is no gzip, or was cut off.')
  }
  const body = Buffer.concat(chunks)
  let lines = 0
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) if (++lines > MAX_LINES) throw tooLarge(response)
  return body
}

/** What is still on its way is not read to its end: the connection is given up with the answer. */
function tooLarge(response: Response): ProblemError {
  response.setHeader('Connection', 'close')
  return new ProblemError(413, TOO_LARGE)
}
