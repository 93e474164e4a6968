/** Who asks (401), and whether they may (403). */
import type { RequestHandler } from 'express'
import { isUnavailable } from '#database/errors.ts'
import { ProblemError, sendProblem } from '../problem.ts'
import type { RunnableRoute } from '../routes/route.ts'
import { mayUse } from './caller.ts'
import type { AccessRole, Caller } from './caller.ts'
import { callerOf, setCaller } from './caller-of.ts'
import type { Authenticate } from './check.ts'
import { Refused } from './check.ts'

/** Who may call a route that does not say it, beside admins. */
const DEFAULT_ROLES = ['reader', 'responder'] as const

/** Lets nobody pass who is not known. */
export function authenticated(auth: Authenticate): RequestHandler {
  return async (request, response, next) => {
    response.setHeader('Cache-Control', 'no-store')
    const given = request.headers.authorization
    let detail = 'This server knows no such token.'
    try {
      const caller = await auth(given)
      if (caller) {
        setCaller(response, caller)
        return next()
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      detail = error.message
    }
    response.setHeader('WWW-Authenticate', given === undefined ? 'Bearer realm="trailjoin"' : 'Bearer realm="trailjoin", error="invalid_token"')
    sendProblem(response, 401, given === undefined ? 'Send a token as "Authorization: Bearer <token>".' : detail)
  }
}

/** Who may call a route. */
export const rolesOf = (route: RunnableRoute): readonly AccessRole[] => [...new Set<AccessRole>([...(route.roles ?? DEFAULT_ROLES), 'admin'])]

const mayCall = (caller: Caller, route: RunnableRoute): boolean => mayUse(caller, rolesOf(route))

/** The caller's roles let them in, or 403. */
export function permitted(route: RunnableRoute): RequestHandler {
  return (_request, response, next) => {
    const caller = callerOf(response)
    if (route.open || (caller && mayCall(caller, route))) return next()
    const roles = [...rolesOf(route)]
    sendProblem(response, 403, `The token is good, but it has none of the roles that may ask this: ${roles.join(', ')}.`, [], { roles })
  }
}

/**
 * Whether the one whose request is being answered would be let in once more: for answers that last (streams). Its token may have expired or been revoked since.
 * @returns false, too, when its roles or tenants changed; true while it cannot be told
 */
export async function stillAllowed(auth: Authenticate, authorization: string | undefined, before: Caller | null, route: RunnableRoute): Promise<boolean> {
  try {
    const caller = await auth(authorization)
    return caller !== null && before !== null && mayCall(caller, route) && JSON.stringify(caller) === JSON.stringify(before)
  } catch (error) {
    // An issuer or a database that does not answer for a moment is no reason to cut a stream: the token was good.
    return isUnavailable(error) || (error instanceof ProblemError && error.status === 503)
  }
}
