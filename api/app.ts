/** The HTTP application: guards first, then the routes, then the page. It does not listen (see `listen.ts`). */
import { existsSync } from 'node:fs'
import express from 'express'
import type { Express, RequestHandler, Response } from 'express'
import helmet from 'helmet'
import type { Caller } from './access/caller.ts'
import { mayUse } from './access/caller.ts'
import type { Authenticate } from './auth.ts'
import type { Log } from './log.ts'
import { openApiDocument } from './openapi.ts'
import { problemHandler, sendProblem } from './problem.ts'
import type { Queries } from './read-models/store.ts'
import { wholeStore } from './read-models/store.ts'
import { ROUTES } from './routes/index.ts'
import type { RunnableRoute } from './routes/route.ts'

export interface AppOptions {
  readonly pool: Queries
  readonly auth: Authenticate
  readonly log: Log
  /** Folder of the built page; without it only the API is served. */
  readonly dashboardDir?: string | undefined
  readonly version?: string
}

/** Builds the application. */
export function createApp({ pool, auth, log, dashboardDir, version = '0.0.0' }: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  // Plain `a=b` pairs: no nested objects from a query, and a repeated name is seen as an array and refused.
  app.set('query parser', 'simple')
  app.set('etag', false)
  app.use(logged(log), securityHeaders(), loopbackHostOnly)

  const document = openApiDocument(ROUTES, version)
  app.get('/openapi.json', (_request, response) => void response.json(document))
  app.use('/v1', authenticated(auth))
  for (const route of ROUTES) {
    app[route.method ?? 'get'](expressPath(route), permitted(route), ...bodyReader(route), (request, response) =>
      route.run(request, response, { store: wholeStore(pool), caller: callerOf(response) }),
    )
  }
  for (const path of new Set(ROUTES.map(expressPath))) app.all(path, methodNotAllowed(methodsOf(path)))
  app.use('/v1', (request, response) => sendProblem(response, 404, `There is no route ${request.baseUrl}${request.path}; /openapi.json lists those there are.`))
  if (dashboardDir !== undefined && existsSync(dashboardDir))
    app.use(express.static(dashboardDir, { index: 'index.html', redirect: false, dotfiles: 'ignore' }))
  app.use((request, response) => sendProblem(response, 404, `There is nothing at ${request.path}.`))
  app.use(problemHandler(log))
  return app
}

function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Charts set style attributes; scripts are the page's own files and nothing else.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Loopback has no TLS; the header would break other local servers of the same name.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  })
}

/**
 * A page elsewhere can make its own host name resolve to 127.0.0.1 and so become same-origin with this server (DNS rebinding). Its requests
 * still carry that name as Host: anything but a loopback name is turned away.
 */
const loopbackHostOnly: RequestHandler = (request, response, next) => {
  if (/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(request.headers.host ?? '')) next()
  else sendProblem(response, 421, 'This server answers only to localhost and 127.0.0.1.')
}

const expressPath = (route: RunnableRoute): string => route.path.replaceAll(/\{(\w+)\}/g, ':$1')

/** The methods of all routes at this path, as `Allow` writes them. */
function methodsOf(path: string): string {
  const methods = ROUTES.filter((route) => expressPath(route) === path).map((route) => (route.method ?? 'get').toUpperCase())
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
}

function methodNotAllowed(allow: string): RequestHandler {
  return (request, response) => {
    response.setHeader('Allow', allow)
    sendProblem(response, 405, `${request.method} is not offered here; this is: ${allow}.`)
  }
}

/** Bodies are taken only where a route asks for one, and only of the media types that it names. */
function bodyReader({ body }: RunnableRoute): RequestHandler[] {
  if (!body) return []
  const types = [...(body.types ?? ['application/json'])]
  const ofRightType: RequestHandler = (request, response, next) => {
    // `is` gives null where there is no body at all: the schema (or the handler) says what is missing then.
    if (request.is(types) === false) return sendProblem(response, 415, `Send ${types.join(' or ')}.`)
    next()
  }
  return body.schema ? [ofRightType, express.json({ limit: '64kb', type: types })] : [ofRightType]
}

function authenticated(auth: Authenticate): RequestHandler {
  return async (request, response, next) => {
    response.setHeader('Cache-Control', 'no-store')
    const caller = await auth(request.headers.authorization)
    if (caller) {
      response.locals['caller'] = caller
      return next()
    }
    const given = request.headers.authorization !== undefined
    response.setHeader('WWW-Authenticate', given ? 'Bearer realm="trailjoin", error="invalid_token"' : 'Bearer realm="trailjoin"')
    sendProblem(
      response,
      401,
      given ? 'The token is not the one of this server.' : 'Send the token as "Authorization: Bearer <token>"; `trailjoin up` prints it.',
    )
  }
}

/** The caller's roles let them in, or 403. */
function permitted(route: RunnableRoute): RequestHandler {
  return (_request, response, next) => {
    const caller = callerOf(response)
    if (route.open || (caller && mayUse(caller, route.roles ?? ['reader', 'responder']))) return next()
    sendProblem(response, 403, 'The token is good, but its roles do not include what this route asks for.')
  }
}

function callerOf(response: Response): Caller | null {
  return (response.locals['caller'] as Caller | undefined) ?? null
}

/** One line a request: who looked at what. The query is left out (it holds search texts); the path holds the oid that was looked at. */
function logged(log: Log): RequestHandler {
  return (request, response, next) => {
    const started = performance.now()
    const { path } = request
    response.on('close', () => {
      const fields = {
        caller: callerOf(response)?.id ?? null,
        method: request.method,
        path,
        status: response.statusCode,
        ms: Math.round(performance.now() - started),
      }
      log.info(response.writableFinished ? fields : { ...fields, cut: true }, 'request')
    })
    next()
  }
}
