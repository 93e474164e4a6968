/** A Cloud Logging that speaks `POST /v2/entries:list` as the real one does (facts: Google Cloud, "entries.list contract"), and can be made to fail. */
import { parseTime } from '#core/time.ts'
import { startFakeServer } from './fake-server.ts'
import type { FakeServer } from './fake-server.ts'

export type GcpFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  /** No answer at all. */
  | { readonly kind: 'hang' }
  /** The body ends in the middle. */
  | { readonly kind: 'cut' }
  /** A page without entries and with a page token. */
  | { readonly kind: 'empty' }
  /** The page token of this request is refused. */
  | { readonly kind: 'stale-token' }
  /** The entries of the page come twice in it. */
  | { readonly kind: 'repeat' }

export interface FakeLogging extends FakeServer {
  /** Exact texts by resource name. `shown` is when the service begins to show it (milliseconds). */
  add(resource: string, entry: string, shown?: number): void
  /** Of the next requests, one each; null: a good answer. */
  readonly faults: (GcpFault | null)[]
  /** Bodies that arrived, parsed. */
  readonly requests: ListBody[]
  /** Resources that refuse. */
  readonly denied: Set<string>
  /** The server's clock (milliseconds). */
  now: number
  /** Most entries of a page, below what is asked for. */
  pageLimit: number
  /** Every request is throttled while it is true. */
  throttling: boolean
}

interface ListBody {
  readonly resourceNames: readonly string[]
  readonly filter: string
  readonly orderBy: string
  readonly pageSize: number
  readonly pageToken?: string
}

interface Entry {
  readonly text: string
  readonly timestamp: bigint | null
  readonly insertId: string
  readonly shown: number
}

export async function startFakeLogging(token: string): Promise<FakeLogging> {
  const entries = new Map<string, Entry[]>()
  const tokens = new Map<string, { readonly found: readonly Entry[]; readonly at: number }>()
  const faults: (GcpFault | null)[] = []
  const requests: ListBody[] = []
  const denied = new Set<string>()

  const refuse = (status: number, code: string, message: string): [number, string] => [
    status,
    JSON.stringify({ error: { code: status, message, status: code } }),
  ]

  function list(body: ListBody): [number, string] {
    if (body.resourceNames.length > 100 || body.pageSize > 1000) return refuse(400, 'INVALID_ARGUMENT', 'too many resource names, or page size too large')
    if (body.resourceNames.some((name) => denied.has(name))) return refuse(403, 'PERMISSION_DENIED', 'Permission denied for all log views')
    if (server.throttling) return refuse(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded')
    const fault = faults.shift() ?? null
    if (fault?.kind === 'status') return refuse(fault.status, fault.status === 429 ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE', 'Quota exceeded or unavailable')
    if (fault?.kind === 'stale-token') return refuse(400, 'INVALID_ARGUMENT', 'page_token is invalid or has expired')
    const page = body.pageToken === undefined ? { found: find(body), at: 0 } : tokens.get(body.pageToken)
    if (page === undefined) return refuse(400, 'INVALID_ARGUMENT', 'page_token is invalid or has expired')
    const size = fault?.kind === 'empty' ? 0 : Math.min(body.pageSize, server.pageLimit)
    const shown = page.found.slice(page.at, page.at + size)
    const next = page.at + size
    let nextPageToken: string | undefined
    if (next < page.found.length || fault?.kind === 'empty') {
      nextPageToken = `token-${tokens.size}`
      tokens.set(nextPageToken, { found: page.found, at: next })
    }
    const texts = (fault?.kind === 'repeat' ? [...shown, ...shown] : shown).map(({ text }) => text)
    // Printed as the real service prints: over lines, and without `entries` where there are none.
    const members = [
      ...(texts.length === 0 ? [] : [`  "entries": [\n    ${texts.join(',\n    ')}\n  ]`]),
      ...(nextPageToken === undefined ? [] : [`  "nextPageToken": "${nextPageToken}"`]),
    ]
    const text = `{\n${members.join(',\n')}\n}\n`
    return [200, fault?.kind === 'cut' ? text.slice(0, text.length / 2) : text]
  }

  function find({ resourceNames, filter, orderBy }: ListBody): readonly Entry[] {
    const bound = (operator: string): bigint | null => parseTime(new RegExp(`timestamp${operator}"([^"]+)"`).exec(filter)?.[1])
    const [from, until] = [bound('>='), bound('<')]
    const service = /protoPayload\.serviceName="([^"]+)"/.exec(filter)?.[1]
    const found = resourceNames
      .flatMap((name) => entries.get(name) ?? [])
      .filter(
        ({ timestamp, shown }) =>
          shown <= server.now && (timestamp === null || ((from === null || timestamp >= from) && (until === null || timestamp < until))),
      )
      .filter(({ text }) => service === undefined || text.includes(service))
      .toSorted((a, b) => Number((a.timestamp ?? 0n) - (b.timestamp ?? 0n)) || (a.insertId < b.insertId ? -1 : 1))
    return orderBy === 'timestamp desc' ? found.reverse() : found
  }

  const base = await startFakeServer((request, body, response) => {
    const send = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers })
      response.end(text)
    }
    if (request.url !== '/v2/entries:list' || request.method !== 'POST') return send(404, '{}')
    if (request.headers.authorization !== `Bearer ${token}`) return send(...refuse(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'))
    const parsed = JSON.parse(body) as ListBody
    requests.push(parsed)
    const fault = faults[0]
    if (fault?.kind === 'hang') return void faults.shift()
    const retryAfter = fault?.kind === 'status' ? fault.retryAfter : undefined
    send(...list(parsed), retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
  })
  const server: FakeLogging = {
    ...base,
    faults,
    requests,
    denied,
    now: Date.now(),
    pageLimit: 1000,
    throttling: false,
    add(resource, text, shown = 0) {
      const { timestamp, insertId } = parse(text)
      entries.set(resource, [...(entries.get(resource) ?? []), { text, timestamp: parseTime(timestamp), insertId: String(insertId), shown }])
    },
  }
  return server
}

function parse(text: string): { readonly timestamp?: unknown; readonly insertId?: unknown } {
  const value: unknown = JSON.parse(text)
  return value !== null && typeof value === 'object' ? value : {}
}
