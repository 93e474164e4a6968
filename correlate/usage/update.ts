/**
 * Keeps the usage roll-up right while conclusions change. `usage_parts` remembers what each event has added to which row of `usage_daily`; whatever a
 * round of the deriver touched is counted again, and the rows move by the difference. So `usage_daily` is always the sum of `usage_parts`, and a part
 * is always `contributionsOf` the facts and conclusions that are stored: no part depends on what came first. Runs under DERIVE_LOCK, in the
 * transaction that writes the conclusions.
 */
import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
import type { Change } from '../store/conclusions.ts'
import type { EventRef } from '../store/lookups.ts'
import { contributionsOf, type UsageCounts, type UsageEvent, usageRowId, type UsageRowKey } from './contribution.ts'

/** Events that are looked up at once. */
const EVENTS_A_SLICE = 10_000
const COUNTS = ['calls', 'errors', 'throttles', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

interface Part {
  readonly eventId: EventId
  readonly rowId: EventId
  readonly counts: UsageCounts
}

/**
 * Counts the calls again that a round of the deriver touched.
 * @param changes the round's net changes, already written
 * @param pending what the round took from `pending`: events whose facts are new or were replaced, and the request keys of replaced ones
 */
export async function updateUsage(
  client: pg.ClientBase,
  changes: readonly Change[],
  pending: { readonly refs: readonly EventRef[]; readonly keys: readonly string[] },
): Promise<void> {
  const changed = new Set(changes.map(({ event }) => event.id))
  const isCall = ({ event }: Change): boolean => event.kind === 'llm.invoked' || event.kind === 'llm.metered'
  const calls = changes.filter(isCall).map(({ event }) => event)
  const keys = new Set([...pending.keys, ...calls.flatMap((event) => event.requestKey ?? [])])
  // What was new or replaced and is concluded about as before, or is gone.
  const unchanged = pending.refs.filter((ref) => !changed.has(ref.id))
  // A better text may say that what was counted is no call at all.
  const gone = new Set([
    ...unchanged.map((ref) => ref.id),
    ...changes.filter((change) => change.before === null && !isCall(change)).map(({ event }) => event.id),
  ])

  for (const slice of slices([...unchanged, ...calls.filter((event) => event.requestKey === null)])) {
    const events = await eventsByRef(client, slice)
    for (const { id, requestKey } of events) {
      gone.delete(id)
      if (requestKey !== null) keys.add(requestKey)
    }
    await recount(
      client,
      events.filter((event) => event.requestKey === null),
      [],
    )
  }
  for (const slice of slices([...keys])) await recount(client, await eventsByKey(client, slice), [])
  for (const slice of slices([...gone])) await recount(client, [], slice)
}

function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += EVENTS_A_SLICE) yield items.slice(start, start + EVENTS_A_SLICE)
}

const COLUMNS = `e.event_id as id, e.time_ns as "timeNs", e.kind, e.outcome, e.error_code as "errorCode", e.source, e.request_key as "requestKey", e.secondary, e.account, e.region, e.ran_region as "ranRegion", e.model_name as model, e.model_id as "modelId",
  e.input_tokens as "inputTokens", e.output_tokens as "outputTokens", e.cache_read_tokens as "cacheReadTokens", e.cache_write_tokens as "cacheWriteTokens",
  coalesce(c.tenant_id, e.tenant_id) as "tenantId", c.agent_oid as "agentOid", c.confidence, c.candidates`
// An event that is not concluded about yet counts when it is: its own round comes.
const CONCLUDED = `join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id where e.kind in ('llm.invoked', 'llm.metered')`

type UsageEventRow = Omit<UsageEvent, `${string}Tokens`> & Record<'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens', bigint | null>

/** Primary keys of events and conclusions. */
async function eventsByRef(client: pg.ClientBase, refs: readonly EventRef[]): Promise<UsageEvent[]> {
  const { rows } = await client.query<UsageEventRow>(
    `select ${COLUMNS} from unnest($1::bigint[], $2::uuid[]) r(t, i) join events e on e.time_ns = r.t and e.event_id = r.i ${CONCLUDED}`,
    [refs.map((ref) => ref.timeNs), refs.map((ref) => ref.id)],
  )
  return rows.map(usageEvent)
}

/** Index events_request_key, primary key of conclusions. */
async function eventsByKey(client: pg.ClientBase, keys: readonly string[]): Promise<UsageEvent[]> {
  const { rows } = await client.query<UsageEventRow>(`select ${COLUMNS} from events e ${CONCLUDED} and e.request_key = any($1::text[])`, [keys])
  return rows.map(usageEvent)
}

const number = (count: bigint | null): number | null => (count === null ? null : Number(count))
const usageEvent = (row: UsageEventRow): UsageEvent => ({
  ...row,
  inputTokens: number(row.inputTokens),
  outputTokens: number(row.outputTokens),
  cacheReadTokens: number(row.cacheReadTokens),
  cacheWriteTokens: number(row.cacheWriteTokens),
})

/** Brings the parts of these calls (whole ones: all events of each request key) to what they are now; `gone` adds nothing any more. */
async function recount(client: pg.ClientBase, events: readonly UsageEvent[], gone: readonly EventId[]): Promise<void> {
  const ids = [...events.map((event) => event.id), ...gone]
  if (ids.length === 0) return
  const now = new Map(contributionsOf(events).map((one) => [one.eventId, { ...one, rowId: usageRowId(one.row) }]))
  const stored = await storedParts(client, ids)
  const fresh = [...now.values()].filter((part) => !same(stored.get(part.eventId), part))
  const stale = [...stored.values()].filter((part) => !same(now.get(part.eventId), part))
  if (fresh.length === 0 && stale.length === 0) return
  await client.query('delete from usage_parts where event_id = any($1::uuid[])', [stale.map((part) => part.eventId)])
  await insertParts(client, fresh)
  await moveRows(client, fresh, stale)
}

async function storedParts(client: pg.ClientBase, ids: readonly EventId[]): Promise<Map<EventId, Part>> {
  const { rows } = await client.query<Record<'eventId' | 'rowId', EventId> & Record<keyof UsageCounts, number | bigint>>(
    `select event_id as "eventId", row_id as "rowId", calls, errors, throttles, input_tokens as "inputTokens", output_tokens as "outputTokens",
       cache_read_tokens as "cacheReadTokens", cache_write_tokens as "cacheWriteTokens" from usage_parts where event_id = any($1::uuid[])`,
    [ids],
  )
  return new Map(
    rows.map(({ eventId, rowId, ...counts }) => [
      eventId,
      { eventId, rowId, counts: Object.fromEntries(COUNTS.map((name) => [name, Number(counts[name])])) as unknown as UsageCounts },
    ]),
  )
}

const same = (a: Part | undefined, b: Part | undefined): boolean =>
  a !== undefined && b !== undefined && a.rowId === b.rowId && COUNTS.every((name) => a.counts[name] === b.counts[name])

async function insertParts(client: pg.ClientBase, parts: readonly Part[]): Promise<void> {
  if (parts.length === 0) return
  await client.query(
    `insert into usage_parts (event_id, row_id, calls, errors, throttles, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
     select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])`,
    [parts.map((part) => part.eventId), parts.map((part) => part.rowId), ...COUNTS.map((name) => parts.map((part) => part.counts[name]))],
  )
}

/** Adds what is new to its rows and takes what is stale from its own; a row that no event adds to any more goes. */
async function moveRows(client: pg.ClientBase, fresh: readonly (Part & { readonly row: UsageRowKey })[], stale: readonly Part[]): Promise<void> {
  // Sums of many records may be larger than a JavaScript number holds exactly.
  const deltas = new Map<EventId, bigint[]>()
  const add = (part: Part, sign: bigint): void => {
    const delta = deltas.get(part.rowId) ?? Array.from({ length: COUNTS.length + 1 }, () => 0n)
    COUNTS.forEach((name, index) => (delta[index]! += sign * BigInt(part.counts[name])))
    delta[COUNTS.length]! += sign
    deltas.set(part.rowId, delta)
  }
  for (const part of fresh) add(part, 1n)
  for (const part of stale) add(part, -1n)
  const rows = [...new Map(fresh.map((part) => [part.rowId, part.row])).entries()]
  await client.query(
    `insert into usage_daily (id, day, tenant_id, share, agent_oid, confidence, candidates, cloud, account, region, ran_region, model, model_id, token_basis)
     select i, d, t, s, a, co, ca::uuid[], cl, ac, re, rr, mo, mi, tb
     from unnest($1::uuid[], $2::date[], $3::uuid[], $4::text[], $5::uuid[], $6::confidence[], $7::text[], $8::source[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
       r(i, d, t, s, a, co, ca, cl, ac, re, rr, mo, mi, tb) on conflict (id) do nothing`,
    [
      rows.map(([id]) => id),
      rows.map(([, row]) => row.day),
      rows.map(([, row]) => row.tenantId),
      rows.map(([, row]) => row.share),
      rows.map(([, row]) => row.agentOid),
      rows.map(([, row]) => row.confidence),
      rows.map(([, row]) => `{${row.candidates.join(',')}}`),
      rows.map(([, row]) => row.cloud),
      rows.map(([, row]) => row.account),
      rows.map(([, row]) => row.region),
      rows.map(([, row]) => row.ranRegion),
      rows.map(([, row]) => row.model),
      rows.map(([, row]) => row.modelId),
      rows.map(([, row]) => row.tokenBasis),
    ],
  )
  const moved = [...deltas.entries()].filter(([, delta]) => delta.some((count) => count !== 0n))
  if (moved.length === 0) return
  await client.query(
    `update usage_daily u set calls = u.calls + c, errors = u.errors + e, throttles = u.throttles + th, input_tokens = u.input_tokens + it, output_tokens = u.output_tokens + ot,
       cache_read_tokens = u.cache_read_tokens + cr, cache_write_tokens = u.cache_write_tokens + cw, parts = u.parts + p
     from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::bigint[]) r(i, c, e, th, it, ot, cr, cw, p) where u.id = r.i`,
    [moved.map(([id]) => id), ...Array.from({ length: COUNTS.length + 1 }, (_, index) => moved.map(([, delta]) => delta[index]))],
  )
  await client.query('delete from usage_daily where id = any($1::uuid[]) and parts = 0', [moved.map(([id]) => id)])
}
