import type { Response } from 'express'
import type { Caller } from './caller.ts'

/** The caller of the request that is being answered; null on open routes, and before authentication. */
export function callerOf(response: Response): Caller | null {
  return (response.locals['caller'] as Caller | undefined) ?? null
}

/** Remembers the caller for the rest of the request. */
export function setCaller(response: Response, caller: Caller): void {
  response.locals['caller'] = caller
}
