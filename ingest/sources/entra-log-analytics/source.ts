import { z } from 'zod'
import { endpointUrl } from '../../engine/endpoint.ts'
import type { Source } from '../../engine/source.ts'
import { azureCloud } from '../entra/clouds.ts'
import { azureCredential, credentialOf } from '../entra/credential.ts'
import { azureError } from '../entra/errors.ts'
import { createDelivered } from '../overlap/delivered.ts'
import { checkTable } from './check.ts'
import { createLimit } from './limit.ts'
import { pollTable } from './poll.ts'
import type { TablePart } from './poll.ts'
import { createLogsClient } from './query.ts'
import type { Workspace } from './query.ts'

/** What Entra's diagnostic settings fill and a format of ours understands. */
const TABLES = [
  'AuditLogs',
  'SigninLogs',
  'AADNonInteractiveUserSignInLogs',
  'AADServicePrincipalSignInLogs',
  'AADManagedIdentitySignInLogs',
  'MicrosoftGraphActivityLogs',
] as const

/** A user may run five queries at once; one is left for people. */
const QUERIES_AT_ONCE = 4

const unique = (items: readonly string[]): boolean => new Set(items).size === items.length

const settings = z.strictObject({
  workspaces: z
    .array(z.guid('is no workspace id: write the GUID that the portal calls Workspace ID'))
    .min(1, 'names no workspace')
    .refine(unique, 'names a workspace twice'),
  /** Named here, a table must exist. Absent: all of `TABLES` that exist. */
  tables: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'is no name of a table'))
    .min(1, 'names no table')
    .refine(unique, 'names a table twice')
    .optional(),
  cloud: azureCloud,
  credential: azureCredential,
  /** How far back the first poll reaches, by time of ingestion. */
  startDays: z.number().positive().max(730).default(30),
  /** What was read already and is asked for again, because rows become visible out of order. */
  overlapMinutes: z.number().min(0).max(1440).default(15),
  /** More rows than these in a slice of time: it is asked for again in halves. Bounds the memory. */
  rowsPerQuery: z.number().int().min(1).max(100_000).default(10_000),
  /** How long the service may work on one query. */
  timeoutSeconds: z.number().positive().max(600, 'is more than the 600 that the service allows').default(180),
  endpoint: endpointUrl.optional(),
})

const source: Source<z.output<typeof settings>> = {
  kind: 'entra-log-analytics',
  description: 'Entra sign-in, audit and Graph activity logs from Log Analytics workspaces, table by table',
  settings,
  open(given, context) {
    const client = createLogsClient(credentialOf(given.credential, given.cloud, context), given.cloud, given.endpoint)
    const limit = createLimit(QUERIES_AT_ONCE)
    return given.workspaces.flatMap((id) => {
      const workspace: Workspace = { id, client, limit, timeoutMs: given.timeoutSeconds * 1000 }
      return (given.tables ?? TABLES).map((table) => {
        const part: TablePart = {
          workspace,
          table,
          expected: given.tables !== undefined,
          startMs: given.startDays * 24 * 3_600_000,
          overlapMs: given.overlapMinutes * 60_000,
          rowsPerQuery: given.rowsPerQuery,
          delivered: createDelivered(),
          context,
        }
        return {
          part: `${id}/${table}`,
          poll: (cursor, signal) => pollTable(part, cursor, signal),
          check: (signal) => checkTable(part, signal),
          classify: (error) => azureError(error, `query of ${table} in the workspace ${id}`),
        }
      })
    })
  },
}

export default source
