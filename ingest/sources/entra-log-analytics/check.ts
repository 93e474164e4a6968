import type { SourceError } from '../../engine/source-error.ts'
import type { Finding } from '../../engine/source.ts'
import { answerOf, azureError } from '../entra/errors.ts'
import { missingMessage } from './poll.ts'
import type { TablePart } from './poll.ts'
import { ask, isMissingTable } from './query.ts'

const DAYS = 7
const DAY = 24 * 3_600_000
const EXPORT =
  'In Entra: Monitoring & health, Diagnostic settings, send this log to the workspace (managed-identity and service-principal sign-ins need Entra ID P1 or P2).'

/** Reachable and permitted? Does the table exist, and is it being filled? One query. */
export async function checkTable(part: TablePart, signal: AbortSignal): Promise<readonly Finding[]> {
  const { workspace, table, expected, context } = part
  const now = context.now()
  const query = `${table}\n| where TimeGenerated >= datetime(${new Date(now - DAYS * DAY).toISOString()})\n| summarize rows = count(), newest = max(TimeGenerated)`
  try {
    const body = await ask(workspace, query, { from: now - DAYS * DAY, until: now + DAY }, signal)
    if (typeof body !== 'string')
      return [{ check: 'reachable', level: 'warning', message: `${table} answers only in part`, next: 'Try again; the collector reads smaller parts.' }]
    const { tables } = JSON.parse(body) as { readonly tables?: readonly { readonly rows?: readonly (readonly [number, string | null])[] }[] }
    const [rows, newest] = tables?.[0]?.rows?.[0] ?? []
    if (rows === undefined || rows === 0) {
      return [{ check: `log ${table}`, level: 'warning', message: `${table} exists in ${workspace.id} and has no row of the last ${DAYS} days`, next: EXPORT }]
    }
    return [
      {
        check: `log ${table}`,
        level: 'ok',
        message: `${table} has ${rows} rows of the last ${DAYS} days, the latest of ${newest ?? 'unknown'}`,
        next: null,
      },
    ]
  } catch (error) {
    const { status, body } = answerOf(error)
    if (status === 400 && isMissingTable(body, table)) {
      return [{ check: `log ${table}`, level: expected ? 'problem' : 'warning', message: missingMessage(workspace.id, table), next: EXPORT }]
    }
    const failure = azureError(error, `query of ${table} in the workspace ${workspace.id}`)
    return [{ check: 'reachable', level: 'problem', message: failure.message, next: adviceFor(failure, status) }]
  }
}

function adviceFor({ code }: SourceError, status: number | null): string {
  if (status === 404)
    return 'Check the workspace: the setting wants its Workspace ID (a GUID), not its name or resource id, and "cloud" must be the one it is in.'
  if (code === 'SOURCE_DENIED') return 'Check the credential, and give its identity the role Log Analytics Reader on the workspace.'
  if (code === 'SOURCE_MISCONFIGURED') return 'Check the settings of this source.'
  if (code === 'SOURCE_THROTTLED') return 'Somebody else uses up the rate of this identity: wait, or poll less often (everySeconds).'
  return 'Check the network between this machine and Azure Monitor, and try again.'
}
