/** From an Authorization header to a caller. */
import type { Caller } from './caller.ts'
import { ProblemError } from '../problem.ts'

/**
 * Gives the caller behind an Authorization header; null where there is none, or a token that nobody knows.
 * @throws Refused where it can be said why, Unavailable where it cannot be told now
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller | null>

/** Knows one kind of token; null for any other. @throws as `Authenticate` */
export type TokenCheck = (token: string) => Promise<Caller | null>

/** A token that is known for what it is, but is not good (any more): 401. */
export class Refused extends ProblemError {
  constructor(detail: string) {
    super(401, detail)
    this.name = 'Refused'
  }
}

/** Whether the token is good cannot be told now: 503. */
export class Unavailable extends ProblemError {
  constructor(detail: string) {
    super(503, detail)
    this.name = 'Unavailable'
  }
}

/** Asks one kind of token after the other; the first that knows the token decides. */
export function authenticateBy(checks: readonly TokenCheck[]): Authenticate {
  return async (authorization) => {
    // RFC 6750 §2.1.
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return null
    for (const check of checks) {
      const caller = await check(token)
      if (caller) return caller
    }
    return null
  }
}
