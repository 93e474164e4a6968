import { z } from 'zod'

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost'])

/** True when the address is on this machine. */
export function isLoopback(url: string): boolean {
  return LOOPBACK.has(URL.parse(url)?.hostname ?? '')
}

/**
 * A base address in the place of the cloud's own (a private endpoint, a sovereign cloud, a server of a test). Plain http would send credentials in
 * clear, so it is allowed to this machine only.
 */
export const endpointUrl = z.string().superRefine((text, context) => {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) context.addIssue({ code: 'custom', message: 'is no address: write https://host[:port]' })
  else if (url.username !== '' || url.password !== '') context.addIssue({ code: 'custom', message: 'must not hold a user or a password' })
  else if (url.protocol === 'http:' && !isLoopback(text)) {
    context.addIssue({
      code: 'custom',
      message: 'is plain http, which is allowed only to 127.0.0.1, [::1] and localhost: credentials would travel in clear. Write https://',
    })
  }
})
