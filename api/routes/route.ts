/** What a route file is: one file a route, found by the list in `routes/index.ts`. */
import type { Request, Response } from 'express'
import type { z } from 'zod'
import type { AccessRole, Caller } from '../access/caller.ts'
import { parse } from '../problem.ts'
import type { Queries, Store } from '../read-models/store.ts'
import type { Services } from '../services.ts'

export interface RouteContext {
  /** Sees what the caller may see. */
  readonly store: Store
  /** The database without bounds, for tables of the API itself (tokens, decisions, who looked at what). What is about a tenant's records goes through `store`. */
  readonly db: Queries
  /** Null on open routes only. */
  readonly caller: Caller | null
  /** For the record of who looked at what: counts rows that were given otherwise than by `response.json`, which counts itself. */
  readonly gave: (rows: number) => void
  /** Whether the caller would be let in once more; asked now and then by answers that last. */
  readonly stillAllowed: () => Promise<boolean>
  readonly services: Services
}

/** What a request carries. With a schema it is JSON of at most 64 KiB, read and parsed before the handler runs; without one the handler reads the stream. */
export interface RouteBody<Body extends z.ZodType = z.ZodType> {
  readonly description: string
  readonly schema?: Body
  /** Media types that are taken; any other is answered with 415. `application/json` without it. */
  readonly types?: readonly string[]
}

interface RouteInput<Query, Params, Body> {
  readonly query: Query
  readonly params: Params
  readonly body: Body
  readonly request: Request
  readonly response: Response
}

export interface Route<Query extends z.ZodType = z.ZodType, Params extends z.ZodType = z.ZodType, Body extends z.ZodType = z.ZodType> {
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
  readonly body?: RouteBody<Body>
  /** Whether this request would hand out raw records or an export: then it is answered only once it is on record that it was asked. */
  readonly handsOut?: (request: Request) => boolean
  /** The answer: JSON where a schema is given, and the other media types it can have. */
  readonly answer: {
    /** 200 without it. */
    readonly status?: number
    readonly description: string
    readonly schema?: z.ZodType
    readonly alsoAs?: readonly string[]
  }
  /** Statuses beside the answer's own, 400, 401, 403 and 429. */
  readonly problems?: readonly number[]
  readonly handle: (input: RouteInput<z.output<Query>, z.output<Params>, z.output<Body>>, context: RouteContext) => Promise<void>
}

/** A route whose handler's input has the types of its own schemas; all of it is parsed before the handler runs. */
export function defineRoute<Query extends z.ZodType, Params extends z.ZodType, Body extends z.ZodType>(route: Route<Query, Params, Body>): RunnableRoute {
  return {
    ...route,
    run: (request, response, context) => {
      const params = (route.params ? parse(route.params, request.params) : {}) as z.output<Params>
      const query = parse(route.query, request.query)
      const body = (route.body?.schema ? parse(route.body.schema, request.body) : undefined) as z.output<Body>
      return route.handle({ query, params, body, request, response }, context)
    },
  }
}

/** A route ready to be served and described. */
export interface RunnableRoute extends Omit<Route, 'handle'> {
  readonly run: (request: Request, response: Response, context: RouteContext) => Promise<void>
}
