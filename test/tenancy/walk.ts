/** Requests to every route of the API with ids of all tenants, and what must not be in their answers. */
import type { AddressInfo } from 'node:net'
import express from 'express'
import { fromBufferPromise } from 'yauzl'
import type pg from 'pg'
import { problemHandler } from '#api/problem.ts'
import type { Store } from '#api/read-models/store.ts'
import { ROUTES } from '#api/routes/index.ts'
import type { StoredIds } from './truth.ts'

/** Routes that are not asked here, and where they are tested instead or why they give nothing away. */
const NOT_ASKED: Readonly<Record<string, string>> = {
  'get /v1/oids/{oid}/evidence': 'asked by itself, because it is a zip and says when it was made',
  'post /v1/findings/{id}/acknowledgement': 'asked by itself, because it changes something',
  'delete /v1/findings/{id}/acknowledgement': 'asked by itself, because it changes something',
  'post /v1/records': 'takes records, and says of each line what became of it',
  'get /v1/access-log': 'says who asked what; shows bounded callers what callers of their own tenants did (api/access)',
  'get /v1/oids/{oid}/stream': 'never ends; what it tells is read by itself',
  'get /sign-in': 'says where people sign in, nothing about records',
  'get /metrics': 'says nothing about records',
  'get /healthz': 'says nothing about records',
  'get /readyz': 'says nothing about records',
}

type Requests = (ids: StoredIds) => readonly string[]

const withTenants = (ids: StoredIds, path: string): string[] => [
  path,
  ...ids.tenants.map((tenant) => `${path}${path.includes('?') ? '&' : '?'}tenant=${tenant}`),
]
const each = (ids: Iterable<string>, path: (id: string) => string): string[] => [...ids].map(path)

/** How each route is asked. A route that is missing here and above fails the walk: a new one must say how it keeps to the scope. */
const ASKED: Readonly<Record<string, Requests>> = {
  'get /v1/agents': (ids) => withTenants(ids, '/v1/agents'),
  'get /v1/oids/{oid}': (ids) => each(ids.oids.keys(), (oid) => `/v1/oids/${oid}`),
  'get /v1/oids/{oid}/timeline': (ids) => [
    ...each(ids.oids.keys(), (oid) => `/v1/oids/${oid}/timeline?limit=1000`),
    ...each([...ids.oids.keys()].slice(0, 5), (oid) => `/v1/oids/${oid}/timeline?format=ndjson`),
  ],
  'get /v1/oids/{oid}/explain': (ids) => each(ids.oids.keys(), (oid) => `/v1/oids/${oid}/explain`),
  'get /v1/traces': (ids) => withTenants(ids, '/v1/traces?limit=1000'),
  'get /v1/traces/{id}': (ids) => each(ids.traces.keys(), (id) => `/v1/traces/${id}`),
  'get /v1/events/{id}': (ids) => each(ids.events.keys(), (id) => `/v1/events/${id}`),
  'get /v1/events/{id}/raw': (ids) => each(ids.events.keys(), (id) => `/v1/events/${id}/raw`),
  'get /v1/events/{id}/explain': (ids) => each(ids.events.keys(), (id) => `/v1/events/${id}/explain`),
  'get /v1/findings': (ids) => withTenants(ids, '/v1/findings?limit=1000'),
  'get /v1/findings/{id}': (ids) => each(ids.findings.keys(), (id) => `/v1/findings/${id}`),
  'get /v1/reports/llm-usage': (ids) => withTenants(ids, '/v1/reports/llm-usage'),
  'get /v1/reports/what-if': (ids) => withTenants(ids, '/v1/reports/what-if'),
  'get /v1/resolve': (ids) =>
    each([...ids.oids.keys(), ...ids.events.keys(), ...ids.traces.keys(), ...ids.findings.keys(), ...ids.tenants], (id) => `/v1/resolve?q=${id}`),
  'get /v1/coverage': () => ['/v1/coverage'],
  'get /v1/rejected': () => ['/v1/rejected'],
  'get /v1/unmapped': () => ['/v1/unmapped'],
}

const nameOf = (route: { readonly method?: string; readonly path: string }): string => `${route.method ?? 'get'} ${route.path}`

/** Routes that the walk does not know: each must be asked, or say why it need not be. */
export const unknownRoutes = (): readonly string[] => ROUTES.map(nameOf).filter((name) => !(name in ASKED) && !(name in NOT_ASKED))

/** Every request. */
export const requests = (ids: StoredIds): readonly string[] => ROUTES.flatMap((route) => ASKED[nameOf(route)]?.(ids) ?? [])

export interface Answer {
  readonly status: number
  readonly text: string
}

/** Serves every route from one store, without the guards that are tested elsewhere. */
export async function serve(
  pool: pg.Pool,
  store: Store,
): Promise<{ ask: (path: string, method?: 'POST' | 'DELETE') => Promise<Answer>; close: () => Promise<void> }> {
  const app = express()
  app.set('query parser', 'simple')
  app.use(express.json())
  for (const route of ROUTES)
    app[route.method ?? 'get'](route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (request, response) =>
      route.run(request, response, {
        store,
        db: pool,
        caller: { id: 'test', name: null, roles: ['admin'], scope: store.scope },
        gave: () => undefined,
        stillAllowed: () => Promise.resolve(true),
        services: {},
      }),
    )
  app.use(problemHandler({ info: () => undefined, error: () => undefined }))
  const server = await new Promise<ReturnType<typeof app.listen>>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ask: async (path, method) => {
      const body = method === 'POST' ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ reason: 'known' }) } : {}
      const response = await fetch(`${base}${path}`, method ? { method, ...body } : {})
      const text = path.endsWith('/evidence') && response.ok ? await unzipped(Buffer.from(await response.arrayBuffer())) : await response.text()
      return { status: response.status, text }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** All entries of an evidence bundle that hold lines of JSON, but for raw records, one after the other. */
async function unzipped(zip: Buffer): Promise<string> {
  const file = await fromBufferPromise(zip, { lazyEntries: true })
  const texts: string[] = []
  for await (const entry of file.eachEntry()) {
    if (!/\.(?:nd)?json$/.test(entry.fileName) || /^(?:records|manifest)\./.test(entry.fileName)) continue
    const chunks: Buffer[] = []
    for await (const chunk of await file.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    texts.push(entry.fileName.endsWith('.json') ? JSON.stringify(JSON.parse(text)) : text)
  }
  return texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join('\n')
}

/** Fields in which a record's own words stand, which may name anybody: a visible event is shown with all that its record says. */
const WORDS = new Set([
  'principal',
  'resource',
  'asserted',
  'nativeId',
  'requestId',
  'tokenId',
  'message',
  'userAgent',
  'explanation',
  'title',
  'details',
  'text',
  'recordProves',
])

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Every GUID of an answer outside of the words of records, with the field that it stands in. */
export function idsIn(value: unknown, field = ''): readonly { readonly field: string; readonly id: string }[] {
  // Explanations quote what a record says (`quoted`): a role session is named by whatever its caller chose.
  if (typeof value === 'string' && field === 'words') return idsIn(value.replaceAll(/"[^"]*"/g, ''), 'words of ours')
  if (typeof value === 'string') return (value.toLowerCase().match(GUID) ?? []).map((id) => ({ field, id }))
  if (Array.isArray(value)) return value.flatMap((one) => idsIn(one, field))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => (WORDS.has(name) ? [] : idsIn(inner, name)))
}
