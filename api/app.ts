/** The HTTP application: guards first, then the routes, then the page. It does not listen (see `listen.ts`). */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import express from 'express'
import type { Express, RequestHandler, Response } from 'express'
import type pg from 'pg'
import { maskLooks } from '#core/secrets/looks.ts'
import { callerOf } from './access/caller-of.ts'
import type { Authenticate } from './access/check.ts'
import { authenticated, permitted, stillAllowed } from './access/gate.ts'
import { allowedOrigins, knownHostsOnly, securityHeaders } from './access/guard.ts'
import { limitCallers, limitFailures } from './access/limits.ts'
import { accessRecorder } from './access/record.ts'
import type { Access, AccessRecorder } from './access/record.ts'
import { DEFAULT_ACCESS } from './access/settings.ts'
import type { AccessSettings } from './access/settings.ts'
import { signInOrigins, signInWays } from './access/sign-in.ts'
import type { Log } from './log.ts'
import { measured } from './http-metrics.ts'
import { openApiDocument } from './openapi.ts'
import { explainProblem } from './problem-types.ts'
import { problemHandler, sendProblem } from './problem.ts'
import { scopedStore } from './read-models/store.ts'
import { ROUTES } from './routes/index.ts'
import { reference } from './routes/reference.ts'
import type { RunnableRoute } from './routes/route.ts'
import type { Services } from './services.ts'

export interface AppOptions {
  readonly pool: pg.Pool
  readonly auth: Authenticate
  readonly log: Log
  /** Folder of the built page; without it only the API is served. */
  readonly dashboardDir?: string | undefined
  readonly version?: string
  /** Names, origins, proxies and limits, and where people sign in; without it this machine alone. */
  readonly access?: Pick<AccessSettings, 'hosts' | 'corsOrigins' | 'trustProxy' | 'limits'> & Partial<Pick<AccessSettings, 'oidc'>>
  /** Whether it is reached by https. */
  readonly tls?: boolean
  /** What the process offers beside the database; routes that need what is not there say so. */
  readonly services?: Services
  /** Keeps the record of who looked at what; one of its own without it. Give one to wait for its last entries. */
  readonly recorder?: AccessRecorder
}

/** Builds the application. */
export function createApp(options: AppOptions): Express {
  const {
    pool,
    auth,
    log,
    dashboardDir,
    version = '0.0.0',
    access = DEFAULT_ACCESS,
    tls = false,
    services: given = {},
    recorder = accessRecorder(pool, log),
  } = options
  const services = { ...given, signIn: signInWays(access.oidc ?? []) }
  const app = express()
  app.disable('x-powered-by')
  // Plain `a=b` pairs: no nested objects from a query, and a repeated name is seen as an array and refused.
  app.set('query parser', 'simple')
  app.set('etag', false)
  // Whose word is taken for the address of a caller: without a proxy nobody's.
  app.set('trust proxy', access.trustProxy === undefined ? false : access.trustProxy)
  const headers = securityHeaders({ tls, asks: signInOrigins(access.oidc ?? []) })
  app.use(logged(log), ...measured(services.metrics), headers, knownHostsOnly(access.hosts), ...allowedOrigins(access.corsOrigins))

  const document = openApiDocument(ROUTES, version)
  app.get('/openapi.json', described(document))
  app.get('/docs', reference(document))
  app.get('/problems/:name', (request, response) => {
    const text = explainProblem(request.params.name)
    if (text === null) return sendProblem(response, 404, 'There is no such kind of problem.')
    response.type('text/plain').send(text)
  })
  app.use('/v1', ...limitFailures(access.limits), authenticated(auth), ...limitCallers(access.limits))
  for (const route of ROUTES) {
    app[route.method ?? 'get'](expressPath(route), ...followed(route, recorder), permitted(route), begun(route), ...bodyReader(route), (request, response) => {
      const caller = callerOf(response)
      const work = route.run(request, response, {
        store: scopedStore(pool, caller?.scope ?? []),
        db: pool,
        caller,
        gave: (rows) => accessOf(response)?.gave(rows),
        stillAllowed: () => stillAllowed(auth, request.headers.authorization, caller, route),
        services,
      })
      accessOf(response)?.answeredBy(work)
      return work
    })
  }
  for (const path of new Set(ROUTES.map(expressPath))) app.all(path, methodNotAllowed(methodsOf(path)))
  app.use('/v1', (request, response) => sendProblem(response, 404, `There is no route ${request.baseUrl}${request.path}; /openapi.json lists those there are.`))
  if (dashboardDir !== undefined && existsSync(dashboardDir))
    app.use(express.static(dashboardDir, { index: 'index.html', redirect: false, dotfiles: 'ignore' }))
  app.use((request, response) => sendProblem(response, 404, `There is nothing at ${request.path}.`))
  app.use(problemHandler(log))
  return app
}

/** The API's description: the same as long as the process lives, so that a client that has it need not load it again. */
function described(document: Readonly<Record<string, unknown>>): RequestHandler {
  const text = JSON.stringify(document)
  const etag = `"${createHash('sha256').update(text).digest('base64url')}"`
  return (request, response) => {
    response.setHeader('ETag', etag)
    response.setHeader('Cache-Control', 'no-cache')
    if (request.fresh) return void response.status(304).end()
    response.type('application/json').send(text)
  }
}

/** Puts the request on record when it is over. Probes are not: they show nothing. */
function followed(route: RunnableRoute, recorder: AccessRecorder): RequestHandler[] {
  if (route.open) return []
  return [
    (request, response, next) => {
      const caller = callerOf(response)
      if (caller) response.locals['access'] = recorder.follow(request, response, caller, route.path)
      next()
    },
  ]
}

/** Before raw records and exports: it is on record that they were asked for, or they are not given. */
function begun(route: RunnableRoute): RequestHandler {
  return async (request, response, next) => {
    if (route.handsOut?.(request) && request.method !== 'HEAD') await accessOf(response)?.begin()
    next()
  }
}

const accessOf = (response: Response): Access | undefined => response.locals['access'] as Access | undefined

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

/** One line a request: who looked at what. The query is left out (it holds search texts); the path holds the oid that was looked at. */
function logged(log: Log): RequestHandler {
  return (request, response, next) => {
    const started = performance.now()
    // Somebody may paste a token where an oid belongs.
    const path = maskLooks(request.path)
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
