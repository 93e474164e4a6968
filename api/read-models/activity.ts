/** How much, where and how surely: counts over the timelines of some oids. */
import type { Confidence, Kind, Role, Source } from '#core/event.ts'
import { type Store, scopeOf, tenantInScope } from './store.ts'

export interface Count {
  readonly tenantId: string
  readonly oid: string
  readonly role: Role
  readonly source: Source
  readonly kind: Kind
  readonly confidence: Confidence
  readonly events: number
  readonly firstNs: bigint
  readonly lastNs: bigint
}

interface CountRow {
  tenant_id: string
  oid: string
  role: Role
  source: Source
  kind: Kind
  confidence: Confidence
  events: bigint
  first_ns: bigint
  last_ns: bigint
}

/**
 * Event counts of these oids' timelines in these tenants by role, source, kind and confidence. Primary key of timeline: without the tenants, which it has first,
 * the timelines of everybody would be read.
 */
export async function countsOf(store: Store, tenants: readonly string[], oids: readonly string[]): Promise<readonly Count[]> {
  if (tenants.length === 0 || oids.length === 0) return []
  const { rows } = await store.query<CountRow>(
    `select t.tenant_id, t.oid, t.role, t.source, t.kind, coalesce(c.confidence, 'none') as confidence,
            count(*) as events, min(t.time_ns) as first_ns, max(t.time_ns) as last_ns
     from timeline t
     left join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id
     where t.tenant_id = any($1::uuid[]) and t.oid = any($2::uuid[]) and ${tenantInScope('t.tenant_id', '$3')}
     group by 1, 2, 3, 4, 5, 6`,
    [tenants, oids, scopeOf(store)],
  )
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    oid: row.oid,
    role: row.role,
    source: row.source,
    kind: row.kind,
    confidence: row.confidence,
    events: Number(row.events),
    firstNs: row.first_ns,
    lastNs: row.last_ns,
  }))
}

/** First and last instant of some counts; nulls for none. */
export function spanOf(counts: readonly Count[]): { readonly firstNs: bigint | null; readonly lastNs: bigint | null } {
  let firstNs: bigint | null = null
  let lastNs: bigint | null = null
  for (const count of counts) {
    if (firstNs === null || count.firstNs < firstNs) firstNs = count.firstNs
    if (lastNs === null || count.lastNs > lastNs) lastNs = count.lastNs
  }
  return { firstNs, lastNs }
}

/** Adds up the events of the counts by one of their fields, with a zero for every other word. */
export function sumBy<Word extends string>(counts: readonly Count[], words: readonly Word[], wordOf: (count: Count) => Word): Record<Word, number> {
  const sums = Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>
  for (const count of counts) sums[wordOf(count)] += count.events
  return sums
}
