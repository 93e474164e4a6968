/** What changed in the timeline of an oid after a position? */
import type { TimelineItem } from '../contract.ts'
import type { TimelineFilters } from '../query.ts'
import { ITEM_COLUMNS, ITEM_JOINS, itemRows, toItem } from '../read-models/item.ts'
import { scopeOf, shownTenant, tenantInScope } from '../read-models/store.ts'
import type { Queries, Store } from '../read-models/store.ts'
import type { TimelineRow } from '../read-models/timeline.ts'
import { endOfRound } from './position.ts'
import type { Position } from './position.ts'

/** An item as it is concluded now, or an event that stands in this timeline no more. */
export type Change =
  | { readonly position: Position; readonly item: TimelineItem }
  | { readonly position: Position; readonly gone: { readonly id: string; readonly tenantId: string | null } }

export interface Watched {
  readonly oid: string
  readonly filters: TimelineFilters
}

const ROUNDS_AT_ONCE = 64
const ROWS_AT_ONCE = 500

/** Where the store is now. */
export async function currentPosition(store: Queries): Promise<Position> {
  // Primary keys of progress and of live_rounds.
  const { rows } = await store.query<{ round: bigint; mark: string | null }>(
    `select p.round, r.mark from progress p left join live_rounds r on r.round = p.round where p.name = 'conclusions'`,
  )
  return endOfRound(rows[0]?.round ?? 0n, rows[0]?.mark ?? null)
}

/**
 * Condition: all that changed since a position can still be told. It is of this store, as it is now, and nothing after it is forgotten: of the oldest round nothing
 * is kept, so that only its end is a place to go on from. Before the first round every store is alike.
 * @param round, mark their SQL parameters
 */
const knows = ({ phase }: Position, round: string, mark: string): string =>
  `${round}::bigint <= coalesce((select round from progress where name = 'conclusions'), 0)
   and ${round}::bigint ${phase === 2 ? '>=' : '>'} coalesce((select round from progress where name = 'live-pruned'), 0)
   and (${round}::bigint = 0 or exists (select from live_rounds where round = ${round}::bigint and mark = ${mark}::uuid))`

/** Whether all that changed since a position can still be told. */
export async function canGoOnFrom(store: Queries, position: Position): Promise<boolean> {
  const { rows } = await store.query<{ good: boolean }>(`select ${knows(position, '$1', '$2')} as good`, [position.round.toString(), position.mark])
  return rows[0]!.good
}

interface Span {
  readonly tenant_id: string
  readonly round: bigint
  readonly mark: string | null
  readonly from_ns: bigint
  readonly to_ns: bigint
}

/**
 * Everything after the position, in order, page by page; ends when nothing is left. An item that was concluded anew several times comes once, as it is now, at the
 * place of its last round. Each page is a query of its own: a slow client holds neither a connection nor a snapshot. After a position that this store does not know
 * (any more: it may be restored at any time) nothing is told, so that no position of the store as it is now hides what is missing before it.
 */
export async function* changesAfter(store: Store, { oid, filters }: Watched, after: Position): AsyncGenerator<readonly Change[]> {
  let position = after
  for (;;) {
    // Primary key of live_changes, for each tenant; the round of the position itself may not be told to its end.
    const { rows } = await store.query<Span>(
      `with seen as (
         select tenant_id, round, from_ns, to_ns from live_changes
         where oid = $1 and round ${position.phase === 2 ? '>' : '>='} $2 and ($3::uuid is null or tenant_id = $3::uuid) and ${tenantInScope('tenant_id', '$4')}
           and ${knows(position, '$2', '$5')}
       )
       select seen.*, r.mark from seen left join live_rounds r using (round)
       where round in (select distinct round from seen order by round limit ${ROUNDS_AT_ONCE}) order by round, tenant_id`,
      [oid, position.round.toString(), filters.tenant ?? null, scopeOf(store), position.mark],
    )
    if (rows.length === 0) return
    for (const spans of Map.groupBy(rows, (row) => row.round).values()) {
      const { round, mark } = spans[0]!
      const begun = position.round === round && position.phase !== 2 ? position : null
      if (begun === null || begun.phase === 0) yield* items(store, oid, filters, spans, begun)
      yield* departures(store, oid, filters.tenant, spans, begun?.phase === 1 ? begun : null)
      position = endOfRound(round, mark)
    }
  }
}

async function* items(store: Store, oid: string, filters: TimelineFilters, spans: readonly Span[], begun: Position | null): AsyncGenerator<readonly Change[]> {
  const { round, mark } = spans[0]!
  let after = begun
  for (;;) {
    // Primary key of timeline; the conclusions of this round only, so that what a later round changed comes with that one.
    const rows = await itemRows<TimelineRow>(
      store,
      `select t.tenant_id as row_tenant, t.role, ${ITEM_COLUMNS}
       from unnest($1::uuid[], $2::bigint[], $3::bigint[]) s(tenant_id, from_ns, to_ns)
       join timeline t on t.tenant_id = s.tenant_id and t.oid = $4 and t.time_ns between s.from_ns and s.to_ns
       join events e on e.time_ns = t.time_ns and e.event_id = t.event_id ${ITEM_JOINS}
       where c.round = $5 and ($6::bigint is null or (t.time_ns, t.event_id, t.tenant_id) > ($6::bigint, $7::uuid, $8::uuid))
       order by t.time_ns, t.event_id, t.tenant_id limit ${ROWS_AT_ONCE}`,
      [
        spans.map((span) => span.tenant_id),
        spans.map((span) => span.from_ns.toString()),
        spans.map((span) => span.to_ns.toString()),
        oid,
        round.toString(),
        after?.timeNs.toString() ?? null,
        after?.eventId ?? null,
        after?.tenantId ?? null,
      ],
    )
    const changes = rows.flatMap((row): Change[] => {
      const position: Position = { round, phase: 0, timeNs: row.time_ns, eventId: row.event_id, tenantId: row.row_tenant, mark }
      if (!matches(row, filters)) return []
      // What was told under another confidence may no longer be what is asked for.
      if (filters.confidence && !filters.confidence.includes(row.confidence ?? 'none')) return [{ position, gone: goneOf(row.event_id, row.row_tenant) }]
      return [{ position, item: toItem(row, row.role) }]
    })
    if (changes.length > 0) yield changes
    if (rows.length < ROWS_AT_ONCE) return
    const end = rows.at(-1)!
    after = { round, phase: 0, timeNs: end.time_ns, eventId: end.event_id, tenantId: end.row_tenant, mark }
  }
}

async function* departures(
  store: Store,
  oid: string,
  tenant: string | undefined,
  spans: readonly Span[],
  begun: Position | null,
): AsyncGenerator<readonly Change[]> {
  const { round, mark } = spans[0]!
  let after = begun
  for (;;) {
    // Primary key of live_departures. What came back since is no departure any more: its return is told, too. Nor is what stands in this oid's timeline under
    // another tenant that is watched: its tenant became known, and that was told as an item before.
    const { rows } = await store.query<{ tenant_id: string; time_ns: bigint; event_id: string }>(
      `select d.tenant_id, d.time_ns, d.event_id from live_departures d
       where d.oid = $1 and d.tenant_id = any($2::uuid[]) and d.round = $3
         and ($4::bigint is null or (d.time_ns, d.event_id, d.tenant_id) > ($4::bigint, $5::uuid, $6::uuid))
         and not exists (
           select from timeline t where t.oid = d.oid and t.time_ns = d.time_ns and t.event_id = d.event_id
             and ($7::uuid is null or t.tenant_id = $7::uuid) and ${tenantInScope('t.tenant_id', '$8')}
         )
       order by d.time_ns, d.event_id, d.tenant_id limit ${ROWS_AT_ONCE}`,
      [
        oid,
        spans.map((span) => span.tenant_id),
        round.toString(),
        after?.timeNs.toString() ?? null,
        after?.eventId ?? null,
        after?.tenantId ?? null,
        tenant ?? null,
        scopeOf(store),
      ],
    )
    if (rows.length > 0) {
      yield rows.map((row) => ({
        position: { round, phase: 1, timeNs: row.time_ns, eventId: row.event_id, tenantId: row.tenant_id, mark },
        gone: goneOf(row.event_id, row.tenant_id),
      }))
    }
    if (rows.length < ROWS_AT_ONCE) return
    const end = rows.at(-1)!
    after = { round, phase: 1, timeNs: end.time_ns, eventId: end.event_id, tenantId: end.tenant_id, mark }
  }
}

const goneOf = (id: string, tenantId: string): { id: string; tenantId: string | null } => ({ id, tenantId: shownTenant(tenantId) })

/** The filters that look at what the record says: what they leave out was never told. */
function matches(row: TimelineRow, { from, to, source, kind, outcome, text }: TimelineFilters): boolean {
  if ((from !== undefined && row.time_ns < from) || (to !== undefined && row.time_ns >= to)) return false
  if (source && !source.includes(row.source)) return false
  if (kind && !kind.includes(row.kind)) return false
  if (outcome && !outcome.includes(row.outcome)) return false
  if (text === undefined) return true
  const searched = [row.action, row.resource, row.principal, row.error_code, row.error_message, row.model_id, row.model_name, row.native_id, row.source_ip]
  return searched.join('\u001f').toLowerCase().includes(text.toLowerCase())
}
