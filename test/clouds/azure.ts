/** An Azure Monitor that speaks `POST /v1/workspaces/<id>/query` as the real one does (facts: Entra, "How to pull"), for the queries that the collector sends, and can be made to fail. */
import { parseTime } from '#core/time.ts'
import { startFakeServer } from './fake-server.ts'
import type { FakeServer } from './fake-server.ts'

export type AzureFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  /** No answer at all. */
  | { readonly kind: 'hang' }
  /** The body ends in the middle. */
  | { readonly kind: 'cut' }
  /** 200 with half of the rows and an error beside them. */
  | { readonly kind: 'partial' }
  /** The rows come twice. */
  | { readonly kind: 'repeat' }

export interface FakeMonitor extends FakeServer {
  /** Makes an empty table. Columns by name and type. */
  table(workspace: string, name: string, columns: Readonly<Record<string, string>>): void
  /** Exact cell texts of a row; `ingested` is its time of ingestion (ms) and `shown` when the service begins to show it (ms). The first `TimeGenerated` column bounds it, too. */
  add(workspace: string, table: string, cells: readonly string[], ingested: number, shown?: number): void
  /** Of the next requests, one each; null: a good answer. */
  readonly faults: (AzureFault | null)[]
  readonly requests: { readonly workspace: string; readonly query: string; readonly timespan: string; readonly prefer: string }[]
  /** Tables that always throttle. */
  readonly throttled: Set<string>
  /** Workspaces that refuse. */
  readonly denied: Set<string>
  /** The server's clock (milliseconds). */
  now: number
  /** More rows than these: the answer is partial, as the real service's is above 500,000. */
  rowLimit: number
}

interface Row {
  readonly cells: readonly string[]
  readonly ingested: number
  readonly shown: number
}

interface Stored {
  readonly columns: Readonly<Record<string, string>>
  readonly rows: Row[]
}

type Answer = readonly [status: number, text: string, headers?: Readonly<Record<string, string>>]

const failure = (status: number, code: string, message: string, inner?: unknown): Answer => [
  status,
  JSON.stringify({ error: { message, code, correlationId: '5e2f3c1a-0000-4000-8000-000000000000', ...(inner === undefined ? {} : { innererror: inner }) } }),
]

export async function startFakeMonitor(token: string): Promise<FakeMonitor> {
  const workspaces = new Map<string, Map<string, Stored>>()
  const faults: (AzureFault | null)[] = []
  const requests: FakeMonitor['requests'] = []
  const throttled = new Set<string>()
  const denied = new Set<string>()

  function answer(workspace: string, query: string, timespan: string, fault: AzureFault | null): Answer {
    const tables = workspaces.get(workspace)
    if (denied.has(workspace))
      return failure(403, 'InsufficientAccessError', 'The provided credentials have insufficient access to perform the requested operation')
    if (tables === undefined) return failure(404, 'WorkspaceNotFoundError', `The workspace could not be found: ${workspace}`)
    const name = query.split('\n')[0]!.trim()
    if (throttled.has(name)) return failure(429, 'ThrottledError', 'Rate limit is exceeded')
    if (fault?.kind === 'status') {
      const code = fault.status === 429 ? 'ThrottledError' : fault.status === 504 ? 'GatewayTimeout' : 'InternalServerError'
      const [status, text] = failure(fault.status, code, 'The request failed')
      return [status, text, fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }]
    }
    const table = tables.get(name)
    if (table === undefined) {
      const message = `'where' operator: Failed to resolve table or column expression named '${name}'`
      return failure(400, 'BadArgumentError', 'The request had some invalid properties', {
        code: 'SemanticError',
        message: 'A semantic error occurred.',
        innererror: { code: 'SEM0100', message },
      })
    }
    const text = query.includes('summarize') ? summary(table, query) : rows(table, query, timespan, fault)
    return [200, fault?.kind === 'cut' ? text.slice(0, text.length / 2) : text]
  }

  function rows(table: Stored, query: string, timespan: string, fault: AzureFault | null): string {
    const bound = (pattern: RegExp): bigint => parseTime(pattern.exec(query)?.[1])!
    const [from, until] = [bound(/ingested >= datetime\(([^)]+)\)/), bound(/ingested < datetime\(([^)]+)\)/)]
    // Two filters on the events' times: the query's and the time span's.
    const [early, late] = [bound(/TimeGenerated >= datetime\(([^)]+)\)/), bound(/TimeGenerated < datetime\(([^)]+)\)/)]
    const [begin, end] = timespan.split('/').map((time) => parseTime(time)!) as [bigint, bigint]
    const take = Number(/\| take (\d+)/.exec(query)?.[1])
    const generatedAt = Object.keys(table.columns).indexOf('TimeGenerated')
    const found = table.rows.filter(({ cells, ingested, shown }) => {
      const time = parseTime(JSON.parse(cells[generatedAt]!))!
      return shown <= server.now && nanos(ingested) >= from && nanos(ingested) < until && time >= early && time < late && time >= begin && time < end
    })
    const taken = found.slice(0, take)
    const partial = fault?.kind === 'partial' || taken.length > server.rowLimit
    const given = partial ? taken.slice(0, Math.min(server.rowLimit, Math.ceil(taken.length / 2))) : fault?.kind === 'repeat' ? [...taken, ...taken] : taken
    const columns = Object.entries({ ...table.columns, trailjoin_ingested: 'datetime' }).map(([name, type]) => `{"name":"${name}","type":"${type}"}`)
    const lines = given.map(({ cells, ingested }) => `[${[...cells, `"${new Date(ingested).toISOString().slice(0, -1)}4567Z"`].join(',')}]`)
    const size = taken.length > server.rowLimit
    const error = {
      code: 'PartialError',
      message: 'There were some errors when processing your query.',
      details: [
        {
          code: size ? 'EngineError' : 'QueryError',
          message: size ? 'Query result set has exceeded the internal record count limit (E_QUERY_RESULT_SET_TOO_LARGE)' : 'a shard did not answer',
        },
      ],
    }
    return `{"tables":[{"name":"PrimaryResult","columns":[${columns.join(',')}],"rows":[${lines.join(',\n')}]}]${partial ? `,"error":${JSON.stringify(error)}` : ''}}`
  }

  function summary(table: Stored, query: string): string {
    const since = parseTime(/TimeGenerated >= datetime\(([^)]+)\)/.exec(query)?.[1])!
    const generatedAt = Object.keys(table.columns).indexOf('TimeGenerated')
    const times = table.rows.map(({ cells }) => JSON.parse(cells[generatedAt]!) as string).filter((time) => parseTime(time)! >= since)
    const newest = times.toSorted().at(-1)
    return JSON.stringify({
      tables: [
        {
          name: 'PrimaryResult',
          columns: [
            { name: 'rows', type: 'long' },
            { name: 'newest', type: 'datetime' },
          ],
          rows: [[times.length, newest ?? null]],
        },
      ],
    })
  }

  const base = await startFakeServer((request, body, response) => {
    const send = ([status, text, headers = {}]: Answer): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      response.end(text)
    }
    const workspace = /^\/v1\/workspaces\/([^/]+)\/query$/.exec(request.url ?? '')?.[1]
    if (workspace === undefined || request.method !== 'POST') return send(failure(404, 'PathNotFoundError', 'The requested path does not exist'))
    if (request.headers.authorization !== `Bearer ${token}`) return send(failure(401, 'InvalidTokenError', 'The provided authentication token is not valid'))
    const { query, timespan } = JSON.parse(body) as { readonly query: string; readonly timespan: string }
    requests.push({ workspace, query, timespan, prefer: String(request.headers.prefer) })
    const fault = faults.shift() ?? null
    if (fault?.kind !== 'hang') send(answer(workspace, query, timespan, fault))
  })
  const server: FakeMonitor = {
    ...base,
    faults,
    requests,
    throttled,
    denied,
    now: Date.now(),
    rowLimit: 500_000,
    table(workspace, name, columns) {
      const tables = workspaces.get(workspace) ?? new Map<string, Stored>()
      workspaces.set(workspace, tables.set(name, { columns, rows: [] }))
    },
    add(workspace, table, cells, ingested, shown = 0) {
      workspaces.get(workspace)!.get(table)!.rows.push({ cells, ingested, shown })
    },
  }
  return server
}

const nanos = (millis: number): bigint => BigInt(millis) * 1_000_000n
