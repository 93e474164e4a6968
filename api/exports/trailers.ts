import type { Response } from 'express'

/**
 * Announces trailers, where the answer can have them: Node refuses the header on what is not sent in chunks (HEAD, HTTP/1.0), and `addTrailers` then does nothing.
 * @returns false for HEAD: the headers are all there is to send
 */
export function announceTrailers(response: Response, names: string): boolean {
  const { method, httpVersion } = response.req
  if (method === 'HEAD') return false
  if (httpVersion !== '1.0') response.setHeader('Trailer', names)
  return true
}
