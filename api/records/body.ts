/** Reads the body of a push: at most so many bytes and lines, however well it is compressed, and for so long. */
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Request, Response } from 'express'
import { ProblemError } from '../problem.ts'

/** Inflated. What a forwarder sends in some seconds; more of it goes in several pushes. */
export const MAX_BYTES = 10 * 1024 * 1024
/** Each line can become a row with a reason of its own. */
export const MAX_LINES = 20_000
/** From the request to the end of its body: 10 MiB at 1.4 Mbit/s. A sender that is slower holds a place that others could use. */
const LONGEST_MS = 60_000

const TOO_LARGE = `A push holds at most ${MAX_BYTES / 1024 / 1024} MiB (inflated) and ${MAX_LINES.toLocaleString('en')} lines: send it in parts. Nothing of this one was stored.`

/**
 * The whole body, inflated.
 * @param longestMs for tests
 * @throws ProblemError 415 for an encoding other than gzip, 413 for too much, 408 for a body that takes too long, 400 for damaged gzip or a body that was cut off
 */
export async function readBody(request: Request, response: Response, longestMs: number = LONGEST_MS): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip') {
    response.setHeader('Accept-Encoding', 'gzip, identity')
    throw new ProblemError(415, `The content encoding ${JSON.stringify(encoding.slice(0, 40))} is not understood: send gzip, or none.`)
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) throw givenUp(response, 413, TOO_LARGE)
  const body = await collect(request, encoding !== 'identity', longestMs)
  switch (body) {
    case 'too large':
      throw givenUp(response, 413, TOO_LARGE)
    case 'too slow':
      throw givenUp(
        response,
        408,
        `The body was not here within ${longestMs / 1000} seconds: send it faster, or in smaller parts. Nothing of this one was stored.`,
      )
    case 'broken':
      throw new ProblemError(400, encoding === 'identity' ? 'The body was cut off.' : 'The body is no gzip, or was cut off.')
    default:
  }
  let lines = 0
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) if (++lines > MAX_LINES) throw givenUp(response, 413, TOO_LARGE)
  return body
}

/** What arrives, or why it was not read to its end. The request itself stays whole, so that it can be answered. */
function collect(request: Request, inflate: boolean, longestMs: number): Promise<Buffer | 'too large' | 'too slow' | 'broken'> {
  // A sender that has gone already gives no event more: its place would be held until its time is over.
  if (request.destroyed && !request.readableEnded) return Promise.resolve('broken')
  const { promise, resolve } = Promise.withResolvers<Buffer | 'too large' | 'too slow' | 'broken'>()
  const gunzip = inflate ? createGunzip() : null
  const source: Readable = gunzip ? request.pipe(gunzip) : request
  const chunks: Buffer[] = []
  let bytes = 0
  let over = false
  const end = (outcome: Parameters<typeof resolve>[0]): void => {
    if (over) return
    over = true
    clearTimeout(timer)
    request.unpipe()
    gunzip?.destroy()
    // What still comes is thrown away: a connection with an unread rest would be reset, and the answer lost with it.
    request.resume()
    resolve(outcome)
  }
  const timer = setTimeout(() => end('too slow'), longestMs)
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_BYTES) return end('too large')
    if (!over) chunks.push(chunk)
  })
  source.on('end', () => end(Buffer.concat(chunks)))
  source.on('error', () => end('broken'))
  // An abort of the client reaches no inflater by itself.
  request.on('error', () => end('broken'))
  request.on('close', () => void (request.complete || end('broken')))
  return promise
}

/** What is still on its way is not read to its end: the connection is given up with the answer. */
function givenUp(response: Response, status: 408 | 413, words: string): ProblemError {
  response.setHeader('Connection', 'close')
  return new ProblemError(status, words)
}
