/** How often one address, and one caller, may ask. Counted in this process: it guards the process against a client, it is no quota. */
import type { Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator, MemoryStore, rateLimit } from 'express-rate-limit'
import type { Options } from 'express-rate-limit'
import { sendProblem } from '../problem.ts'
import { callerOf } from './caller-of.ts'
import { LOCAL_CALLER } from './local-token.ts'
import type { Limits } from './settings.ts'

const WINDOW_MS = 60_000

const tooMany = (response: Response): void => sendProblem(response, 429, 'Too many requests: wait for as many seconds as Retry-After says.')

/** IPv6 networks of one household or server count as one address. */
const addressOf = (request: Request): string => ipKeyGenerator(request.ip ?? '')

const isLocal = (response: Response): boolean => callerOf(response)?.id === LOCAL_CALLER.id

function limiter(
  limit: number,
  name: string,
  keyGenerator: (request: Request, response: Response) => string,
  skip: (request: Request, response: Response) => boolean,
): RequestHandler[] {
  if (limit === 0) return []
  return [
    rateLimit({
      windowMs: WINDOW_MS,
      limit,
      identifier: name,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator,
      skip,
      // The settings of the proxy are checked where they are read (`settings.ts`).
      validate: { trustProxy: false, xForwardedForHeader: false, forwardedHeader: false },
      handler: (_request, response) => tooMany(response),
    }),
  ]
}

/**
 * Before authentication: an address that keeps sending tokens that are not good is not heard for the rest of the minute. Counted when the answer is known:
 * many good requests on their way at once are no failures. (The library's `skipSuccessfulRequests` counts them until they are answered.)
 */
export function limitFailures({ failuresPerAddress }: Limits): RequestHandler[] {
  if (failuresPerAddress === 0) return []
  const failures = new MemoryStore()
  failures.init({ windowMs: WINDOW_MS } as Options)
  return [
    async (request, response, next) => {
      const address = addressOf(request)
      const counted = await failures.get(address)
      const left = (counted?.resetTime?.getTime() ?? 0) - Date.now()
      if (left > 0 && counted!.totalHits >= failuresPerAddress) {
        response.setHeader('Retry-After', Math.ceil(left / 1000))
        return tooMany(response)
      }
      response.on('finish', () => {
        if (response.statusCode === 401) void failures.increment(address)
      })
      next()
    },
  ]
}

/** After it. The local token is not limited: its holder has the database itself. */
export const limitCallers = ({ perCaller, perAddress }: Limits): RequestHandler[] => {
  const skip = (_request: Request, response: Response): boolean => isLocal(response)
  return [...limiter(perAddress, 'address', addressOf, skip), ...limiter(perCaller, 'caller', (_request, response) => callerOf(response)?.id ?? '', skip)]
}
