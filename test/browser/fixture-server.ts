/**
 * Serves the built page and the fixtures on 127.0.0.1 under the same routes, headers and errors as the product. For development:
 * `node test/browser/fixture-server.ts` and, for live reload, `npx vite dashboards` beside it.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import type { TimelineItem } from '#api/contract.ts'
import type { Resolution } from '#api/resolve/contract.ts'
import { AGENTS, EVENTS, HOSTILE, eventDetail, oidAnswer, storedEvent } from './fixtures.ts'

export const TOKEN = 'a-token-for-tests'
/** Good, but may ask nothing. */
export const ROLELESS = 'a-token-without-roles'

const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

export interface FixtureServer {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Starts on a port of its own unless one is given. `dist` is the folder of the built page. */
export async function startFixtureServer(dist: string, port = 0): Promise<FixtureServer> {
  const server = createServer((request, response) => {
    answer(request, response, dist).catch((error: unknown) => problem(response, 500, String(error)))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, dist: string): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  response.setHeader('content-security-policy', CSP)
  response.setHeader('x-content-type-options', 'nosniff')
  if (url.pathname === '/sign-in') return json(response, { ways: [] })
  if (!url.pathname.startsWith('/v1/')) return file(response, dist, url.pathname)
  if (request.headers.authorization === `Bearer ${ROLELESS}`)
    return problem(response, 403, 'The token is good, but it has none of the roles that may ask this: reader.')
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return problem(response, 401, 'The token is not the one of this server.')
  const [, , what, id, part] = url.pathname.split('/')
  if (what === 'agents') return json(response, { items: AGENTS, next: null })
  if (what === 'resolve') return json(response, resolution(url.searchParams.get('q') ?? ''))
  if (what === 'oids' && id && !part) {
    const info = oidAnswer(id)
    return info ? json(response, info) : problem(response, 404, `No record names ${id}.`)
  }
  if (what === 'oids' && id && part === 'stream') return stream(response, id, request.headers['last-event-id'])
  if (what === 'oids' && id && part === 'timeline') return timeline(response, id, url.searchParams)
  const entry = what === 'events' && id ? storedEvent(id) : null
  if (!entry) return problem(response, 404, 'There is no such event.')
  if (part === 'raw') {
    response.setHeader('content-type', 'application/json')
    response.end(entry.raw)
  } else json(response, eventDetail(entry))
}

/** Any principal of the fixtures is acting from one address; nothing else is known. */
export const ADDRESS = '198.51.100.7'

function resolution(text: string): Resolution {
  const nothing: Resolution = {
    query: text,
    looksLike: ['record id, request id, token id, principal or name'],
    refused: null,
    principals: [],
    others: [],
    occurrences: [],
    morePrincipals: 0,
    notSearched: [],
  }
  if (text !== ADDRESS) return nothing
  const principals = AGENTS.map(({ tenantId, oid, name, appId }) => ({
    as: 'oid' as const,
    tenantId,
    oid,
    kind: 'agent' as const,
    name,
    appId,
    firstSeen: null,
    lastSeen: null,
  }))
  return { ...nothing, looksLike: ['IP address'], principals }
}

function timeline(response: ServerResponse, oid: string, query: URLSearchParams): void {
  const events = EVENTS.get(oid)
  if (!events) return problem(response, 404, `No record names ${oid}. Check that it is an object id, not an application id.`)
  const chosen = events.map(({ item }) => item).filter((item) => passes(item, query))
  const start = Number(query.get('cursor') ?? 0)
  const limit = Number(query.get('limit') ?? 100)
  const next = start + limit < chosen.length ? String(start + limit) : null
  json(response, { items: chosen.slice(start, start + limit), next })
}

/** Tells of one new event and of one that is gone, then breaks off; to whoever comes back, of one more event. */
function stream(response: ServerResponse, oid: string, lastId: string | string[] | undefined): void {
  const items = (EVENTS.get(oid) ?? []).map(({ item }) => item)
  const newest = items[0]
  if (!newest) return problem(response, 404, `No record names ${oid}.`)
  response.setHeader('content-type', 'text/event-stream')
  const send = (event: string, id: string, data: unknown): void => void response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`)
  const later = (second: number): TimelineItem => ({
    ...newest,
    id: `${newest.id.slice(0, -3)}99${second}`,
    time: `2026-12-31T23:59:0${second}.000000000Z`,
    action: HOSTILE,
  })
  send('ready', lastId === undefined ? 'p0' : String(lastId), {})
  if (lastId === undefined) {
    setTimeout(() => {
      send('item', 'p1', later(1))
      send('gone', 'p2', { id: newest.id, tenantId: newest.tenantId })
      response.end()
    }, 300)
  } else if (lastId === 'p2') {
    setTimeout(() => {
      send('item', 'p3', later(2))
      response.write(': still here\nid: p3\n\n')
    }, 100)
  }
}

function passes(item: TimelineItem, query: URLSearchParams): boolean {
  const among = (name: string, value: string): boolean => !query.has(name) || query.get(name)!.split(',').includes(value)
  const text = query.get('text')?.toLowerCase() ?? ''
  const words = [item.action, item.cloud.principal, item.error?.code, item.model?.id, item.nativeId].join('\n').toLowerCase()
  const at = Date.parse(item.time)
  return (
    among('source', item.source) &&
    among('kind', item.kind) &&
    among('outcome', item.outcome) &&
    among('confidence', item.attribution.confidence) &&
    words.includes(text) &&
    at >= Date.parse(query.get('from') ?? '0000-01-01') &&
    at < Date.parse(query.get('to') ?? '9999-01-01')
  )
}

async function file(response: ServerResponse, dist: string, path: string): Promise<void> {
  const name = normalize(path === '/' ? '/index.html' : path)
  try {
    const body = await readFile(join(dist, name))
    response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream')
    response.end(body)
  } catch {
    problem(response, 404, `There is nothing at ${path}.`)
  }
}

function json(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}

function problem(response: ServerResponse, status: number, detail: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/problem+json')
  response.end(JSON.stringify({ type: 'about:blank', title: 'Problem', status, detail }))
}

if (import.meta.main) {
  const { url } = await startFixtureServer(join(import.meta.dirname, '../../dashboards/dist'), 4318)
  console.log(`${url}/#token=${TOKEN}`)
}
