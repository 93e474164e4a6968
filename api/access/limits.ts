/** How often one address, and one caller, may ask. Counted in this process: it guards the process against a client, it is no quota. */
import type { Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { sendProblem } from '../problem.ts'
import { callerOf } from './caller-of.ts'
import { LOCAL_CALLER } from './local-token.ts'
import type { Limits } from './settings.ts'

/** IPv6 networks of one household or server count as one address. */
const addressOf = (request: Request): string => ipKeyGenerator(request.ip ?? '')

const isLocal = (response: Response): boolean => callerOf(response)?.id === LOCAL_CALLER.id

function limiter(
  limit: number,
  name: string,
  keyGenerator: (request: Request, response: Response) => string,
  options: { readonly skip?: (request: Request, response: Response) => boolean; readonly failuresOnly?: true } = {},
): RequestHandler[] {
  if (limit === 0) return []
  return [
    rateLimit({
      windowMs: 60_000,
      limit,
      identifier: name,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator,
      ...(options.skip ? { skip: options.skip } : {}),
      ...(options.failuresOnly
        ? { skipSuccessfulRequests: true, requestWasSuccessful: (_request: Request, response: Response) => response.statusCode !== 401 }
        : {}),
      // The settings of the proxy are checked where they are read (`settings.ts`).
      validate: { trustProxy: false, xForwardedForHeader: false, forwardedHeader: false },
      handler: (_request, response) => sendProblem(response, 429, 'Too many requests: wait for as many seconds as Retry-After says.'),
    }),
  ]
}

/** Before authentication: an address that keeps sending tokens that are not good is not heard for the rest of the minute. */
export const limitFailures = ({ failuresPerAddress }: Limits): RequestHandler[] => limiter(failuresPerAddress, 'failures', addressOf, { failuresOnly: true })

/** After it. The local token is not limited: its holder has the database itself. */
export const limitCallers = ({ perCaller, perAddress }: Limits): RequestHandler[] => {
  const skip = (_request: Request, response: Response): boolean => isLocal(response)
  return [
    ...limiter(perAddress, 'address', addressOf, { skip }),
    ...limiter(perCaller, 'caller', (_request, response) => callerOf(response)?.id ?? '', { skip }),
  ]
}
