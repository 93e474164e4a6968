import type { Logging } from '@google-cloud/logging'

type RequestOptions = Parameters<Logging['auth']['request']>[0]
type Adapter = NonNullable<RequestOptions['adapter']>

/**
 * Sends a request of Google's client in a way that survives its being aborted. gaxios uses node-fetch 3, which on abort destroys a request's body with an error that nobody listens
 * to: while the request has not left yet (stopping; a connection that hangs until the timeout) that ends the whole process. Node's own fetch does not. It knows no agent,
 * which gaxios sets for HTTPS_PROXY: then the request goes the usual way without the signal, and is left behind when it aborts.
 */
export const abortable: Adapter = (options, send) => {
  const { signal, ...rest } = options
  if (options.agent === undefined) return send({ ...options, fetchImplementation: fetch })
  return Promise.race([send(rest as typeof options), aborted(signal)])
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
  })
}
