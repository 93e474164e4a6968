/** What a route file is: one file a route, found by the list in `routes/index.ts`. */
import type { Request, Response } from 'express'
import type { z } from 'zod'
import type { AccessRole, Caller } from '../access/caller.ts'
import { parse } from '../problem.ts'
import type { Store } from '../read-models/store.ts'

export interface RouteContext {
  /** Sees what the caller may see. */
  readonly store: Store
  /** Null on open routes only. */
  readonly caller: Caller | null
}

export interface Route<Query extends z.ZodType = z.ZodType, Params extends z.ZodType = z.ZodType> {
  /** `get` without it. */
  readonly method?: 'get' | 'post' | 'delete' | 'put'
  /** Who may call it beside admins: `reader` and `responder` without it. */
  readonly roles?: readonly AccessRole[]
  /** As OpenAPI writes it: `/v1/oids/{oid}`. */
  readonly path: string
  readonly summary: string
  /** Reachable without a token. */
  readonly open?: boolean
  readonly params?: Params
  readonly query: Query
  /** The JSON answer, and other media types it can be given as. */
  readonly answer: { readonly description: string; readonly schema: z.ZodType; readonly alsoAs?: readonly string[] }
  /** Statuses beside 200, 400 and 401. */
  readonly problems?: readonly number[]
  readonly handle: (
    input: { readonly query: z.output<Query>; readonly params: z.output<Params>; readonly request: Request; readonly response: Response },
    context: RouteContext,
  ) => Promise<void>
}

/** A route whose handler's input has the types of its own schemas; both are parsed before it runs. */
export function defineRoute<Query extends z.ZodType, Params extends z.ZodType>(route: Route<Query, Params>): RunnableRoute {
  return {
    ...route,
    run: (request, response, context) => {
      const params = (route.params ? parse(route.params, request.params) : {}) as z.output<Params>
      return route.handle({ query: parse(route.query, request.query), params, request, response }, context)
    },
  }
}

/** A route ready to be served and described. */
export interface RunnableRoute extends Omit<Route, 'handle'> {
  readonly run: (request: Request, response: Response, context: RouteContext) => Promise<void>
}
