import { isLoopback } from '../../engine/endpoint.ts'
import { SourceError } from '../../engine/source-error.ts'

type Middleware = (next: (args: never) => Promise<never>) => (args: never) => Promise<never>

interface Place {
  readonly step: 'finalizeRequest'
  readonly name: string
  readonly priority: 'high'
  readonly override: true
}

/** The part of a client that `refusePlainHttp` needs; the clients' own types differ in their inputs only. */
interface WithMiddleware {
  readonly middlewareStack: { add(middleware: Middleware, place: Place): void }
}

/** Stops a request that would leave this machine by plain http. */
export const httpsOnly: Middleware = (next) => async (args) => {
  const { protocol, hostname } = (args as { readonly request: { readonly protocol: string; readonly hostname: string } }).request
  if (protocol === 'http:' && !isLoopback(`http://${hostname}`)) {
    throw new SourceError(
      'SOURCE_MISCONFIGURED',
      `the AWS endpoint http://${hostname} is plain http, which is allowed only to this machine: write https:// (is AWS_ENDPOINT_URL set?)`,
    )
  }
  return next(args)
}

/** Where it stands in a client; added again, it replaces itself. */
export const HTTPS_ONLY: Place = { step: 'finalizeRequest', name: 'refusePlainHttp', priority: 'high', override: true }

/** An address can also come from the environment (AWS_ENDPOINT_URL…), past the configuration's check: signed requests leave this machine by https only. */
export function refusePlainHttp<Client>(client: Client): Client {
  const { middlewareStack } = client as WithMiddleware
  middlewareStack.add(httpsOnly, HTTPS_ONLY)
  return client
}
