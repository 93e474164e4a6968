import { LogsQueryClient, LogsQueryResultStatus } from '@azure/monitor-query'
import type { LogsQueryClientOptions } from '@azure/monitor-query'
import type { TokenCredential } from '@azure/core-auth'
import { isLoopback } from '../../engine/endpoint.ts'
import { SourceError } from '../../engine/source-error.ts'
import { ADDRESSES } from '../entra/clouds.ts'
import type { AzureCloud } from '../entra/clouds.ts'
import { answerOf } from '../entra/errors.ts'
import { INGESTED, readTable } from './rows.ts'
import type { Table } from './rows.ts'

/** Milliseconds since 1970, half open. */
export interface Span {
  readonly from: number
  readonly until: number
}

export type Answer =
  | ({ readonly kind: 'rows' } & Table)
  /** The answer says itself that something is missing, or took too long: a shorter span may get through. */
  | { readonly kind: 'incomplete'; readonly reason: string; readonly because: 'size' | 'time' | 'other' }
  /** The workspace has no such table. */
  | { readonly kind: 'missing' }

export interface Workspace {
  readonly id: string
  readonly client: Pick<LogsQueryClient, 'queryWorkspace'>
  readonly timeoutMs: number
  /** Lets few queries run at once. */
  limit<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>
}

const DAY = 24 * 3_600_000
/** The service's own limit of an answer (facts: Entra, "Limits"). */
export const SERVICE_ROWS = 500_000

/** The SDK's client. Plain http goes to this machine only. */
export function createLogsClient(credential: TokenCredential, cloud: AzureCloud, endpoint: string | undefined): LogsQueryClient {
  const { logs } = ADDRESSES[cloud]
  const options: LogsQueryClientOptions = { audience: logs, retryOptions: { maxRetries: 0 } }
  if (endpoint === undefined) return new LogsQueryClient(credential, { ...options, endpoint: logs })
  if (!endpoint.startsWith('http:')) return new LogsQueryClient(credential, { ...options, endpoint })
  if (!isLoopback(endpoint)) throw new SourceError('SOURCE_MISCONFIGURED', 'endpoint: plain http is allowed only to this machine')
  // The SDK signs nothing that is not https; the policy runs after the signing.
  return new LogsQueryClient(credential, {
    ...options,
    endpoint: endpoint.replace(/^http:/, 'https:'),
    additionalPolicies: [
      {
        position: 'perRetry',
        policy: {
          name: 'loopbackHttp',
          sendRequest(request, next) {
            request.url = request.url.replace(/^https:/, 'http:')
            request.allowInsecureConnection = true
            return next(request)
          },
        },
      },
    ],
  })
}

/**
 * Rows of a table by the time they became visible. The times of the events are bounded too, generously, because the table is partitioned by them: Azure replaces
 * a time more than two days old or one day ahead, and the first routing may take three days.
 */
function rowsQuery(table: string, { from, until }: Span, rows: number): string {
  return `${table}
| where TimeGenerated >= datetime(${iso(from - 3 * DAY)}) and TimeGenerated < datetime(${iso(until + DAY)})
| extend ${INGESTED} = ingestion_time()
| where ${INGESTED} >= datetime(${iso(from)}) and ${INGESTED} < datetime(${iso(until)})
| take ${rows}`
}

const iso = (millis: number): string => new Date(millis).toISOString()

/** Asks for the rows that became visible in the span, at most `rows` of them. Errors of the SDK come through. */
export async function queryRows(workspace: Workspace, table: string, span: Span, rows: number, signal: AbortSignal): Promise<Answer> {
  try {
    // The SDK's own time span filters the events' times as well, so it is as wide as the query's.
    const body = await ask(workspace, rowsQuery(table, span, rows), { from: span.from - 3 * DAY, until: span.until + DAY }, signal)
    return typeof body === 'string' ? { kind: 'rows', ...readTable(body) } : body
  } catch (error) {
    if (error instanceof SourceError && error.code === 'SOURCE_TIMEOUT') return { kind: 'incomplete', reason: error.message, because: 'time' }
    const { status, body } = answerOf(error)
    if (status === 504) return { kind: 'incomplete', reason: 'the service gave up (504)', because: 'time' }
    if (status === 400 && isMissingTable(body, table)) return { kind: 'missing' }
    throw error
  }
}

/** Sends one query: the answer's exact text, or why it is not whole. */
export async function ask(workspace: Workspace, query: string, { from, until }: Span, signal: AbortSignal): Promise<string | Answer> {
  const { id, client, timeoutMs } = workspace
  return workspace.limit(async () => {
    let text = ''
    // The server gives up first; this is for an answer that never comes.
    const timeout = AbortSignal.timeout(timeoutMs + Math.min(15_000, timeoutMs))
    try {
      const result = await client.queryWorkspace(
        id,
        query,
        { startTime: new Date(from), endTime: new Date(until) },
        {
          serverTimeoutInSeconds: Math.ceil(timeoutMs / 1000),
          abortSignal: AbortSignal.any([signal, timeout]),
          onResponse: (raw) => (text = raw.bodyAsText ?? ''),
        },
      )
      if (result.status === LogsQueryResultStatus.PartialFailure) {
        const reason = result.partialError.message
        return { kind: 'incomplete', reason, because: /TOO_LARGE|exceeded|limit/i.test(`${reason} ${text.slice(-4096)}`) ? 'size' : 'other' }
      }
      return text
    } catch (error) {
      if (timeout.aborted && !signal.aborted) throw new SourceError('SOURCE_TIMEOUT', `no answer within ${timeoutMs / 1000} s`, { cause: error })
      throw error
    }
  }, signal)
}

/** Whether a refusal says that the table does not exist: `{"error":{"code":"BadArgumentError","innererror":{…"code":"SEM0100","message":"… Failed to resolve table or column expression named 'X'"}}}` */
export function isMissingTable(body: string, table: string): boolean {
  return /SEM0100|Failed to resolve table/i.test(body) && body.includes(table)
}
