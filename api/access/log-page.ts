/** The record of who looked at what, for admins. */
import { z } from 'zod'
import { formatTime } from '#core/time.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { Page } from '../contract.ts'
import { ProblemError } from '../problem.ts'
import { instant, inOrder, limit } from '../query.ts'
import type { Queries } from '../read-models/store.ts'
import type { Scope } from './caller.ts'

export const AccessEntry = z
  .object({
    id: z.string().meta({ description: 'Grows with every entry.' }),
    time: z.string().meta({ format: 'date-time', description: 'When the request came.' }),
    caller: z.string().meta({ description: '`local`, `token:<id>` or `oidc:<issuer>#<subject>`; `cli:<user>` of a pruning (`PRUNE`).' }),
    callerName: z.string().nullable().meta({ description: 'As the token has it: for people, no proof of anything.' }),
    tenants: z.array(z.string()).nullable().meta({ description: 'Whose records the caller could see; null for all.' }),
    method: z.string(),
    route: z.string(),
    target: z.string().nullable().meta({ description: 'The oid, event, trace or finding that was asked for.' }),
    filters: z.record(z.string(), z.string()),
    status: z.int().nullable().meta({ description: 'Null while the request runs, and where the process ended meanwhile.' }),
    rows: z.int().nullable().meta({ description: 'How many items were given; null where that is not known.' }),
    cut: z.boolean().meta({ description: 'The connection broke before the end.' }),
    address: z.string().nullable(),
  })
  .meta({ id: 'AccessEntry' })
export type AccessEntry = z.infer<typeof AccessEntry>

const word = z.string().min(1, 'is empty').max(500, 'is longer than 500 characters')
const filterFields = {
  from: instant.optional(),
  to: instant.optional(),
  caller: word.meta({ description: 'The id of a caller, whole.' }).optional(),
  target: word.meta({ description: 'The oid, event, trace or finding that was asked for.' }).optional(),
}

/** `from` inclusive, `to` exclusive. */
export const AccessLogFilters = z.strictObject(filterFields).refine(inOrder.check, inOrder.params)
export type AccessLogFilters = z.output<typeof AccessLogFilters>
export const AccessLogQuery = z.strictObject({ ...filterFields, limit: limit.optional(), cursor: z.string().optional() }).refine(inOrder.check, inOrder.params)

interface Row {
  id: bigint
  micros: bigint
  caller: string
  caller_name: string | null
  tenants: string[] | null
  method: string
  route: string
  target: string | null
  filters: Record<string, string>
  status: number | null
  rows: bigint | null
  cut: boolean
  address: string | null
}

/**
 * Entries, the latest first.
 * @param scope whoever may not see everything sees what callers did who could see no other tenants than they themselves
 */
export async function accessLogPage(
  db: Queries,
  scope: Scope,
  { from, to, caller, target, limit: size, cursor }: AccessLogFilters & { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<AccessEntry>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  if (cursor !== undefined && !(after?.length === 1 && /^\d{1,18}$/.test(after[0]!))) {
    const message = 'is no cursor that this route gave out'
    throw new ProblemError(400, `cursor ${message}`, [{ field: 'cursor', message }])
  }
  const instantOf = (nanos: bigint | undefined): string | null => (nanos === undefined ? null : formatTime(nanos))
  // A request that was written down at its begin, too, is shown by its end, if it has one.
  const { rows } = await db.query<Row>(
    `select id, (extract(epoch from started_at) * 1000000)::bigint as micros, caller, caller_name, tenants, method, route, target, filters, status, rows, cut, address
     from access_log a
     where (phase <> 'begin' or not exists (select from access_log e where e.request_id = a.request_id and e.phase = 'end'))
       and ($1::bigint is null or id < $1) and ($2::timestamptz is null or started_at >= $2) and ($3::timestamptz is null or started_at < $3)
       and ($4::text is null or caller = $4) and ($5::text is null or target = $5)
       and ($6::uuid[] is null or (cardinality(tenants) > 0 and tenants <@ $6))
     order by id desc limit $7`,
    [after?.[0] ?? null, instantOf(from), instantOf(to), caller ?? null, target?.toLowerCase() ?? null, scope === 'everything' ? null : scope, size + 1],
  )
  const last = rows.length > size ? rows[size - 1] : undefined
  return { items: rows.slice(0, size).map(toEntry), next: last ? encodeCursor([last.id.toString()]) : null }
}

const toEntry = (row: Row): AccessEntry => ({
  id: row.id.toString(),
  time: formatTime(row.micros * 1000n),
  caller: row.caller,
  callerName: row.caller_name,
  tenants: row.tenants,
  method: row.method,
  route: row.route,
  target: row.target,
  filters: row.filters,
  status: row.status,
  rows: row.rows === null ? null : Number(row.rows),
  cut: row.cut,
  address: row.address,
})
