/** How much of what the clouds logged would be exact if every agent federated as itself (Option 2)? */
import { CONFIDENCES } from '#core/event.ts'
import type { Confidence, Source } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import type { WhatIf } from '../explain/contract.ts'
import { oidsInScope } from './bounds.ts'
import { readDirectory } from './directory.ts'
import type { KnownDirectory } from './directory.ts'
import { scopeOf, shownTenant, tenantInScope } from './store.ts'
import type { Store } from './store.ts'

export interface WhatIfFilters {
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
  readonly tenant?: string | undefined
}

interface Row {
  readonly tenant_id: string | null
  readonly subject_oid: string | null
  readonly source: Source
  readonly confidence: Confidence
  readonly agent_oid: string | null
  readonly candidates: readonly string[]
  /** The cloud itself wrote the subject down, or an unbroken chain of ids leads to where it did. */
  readonly proven: boolean
  readonly by_clock: boolean
  readonly events: bigint
  readonly calls: bigint
  readonly tokens: string
  readonly first_ns: bigint
  readonly last_ns: bigint
}

const NOTHING = { exact: 0, derived: 0, probable: 0, asserted: 0, ambiguous: 0, none: 0 }

/**
 * Counts events of AWS and Google Cloud in the period, as they are and as they would be. What rests on an identity's proven subject becomes exact; what rests on
 * time and address becomes probable at best; what nothing proves, or only a name claims, stays as it is.
 */
export async function whatIf(store: Store, filters: WhatIfFilters): Promise<WhatIf> {
  const rows = await readRows(store, filters)
  const directory = await readDirectory(store, filters.tenant)
  const now = { ...NOTHING }
  const then = { ...NOTHING }
  for (const row of rows) {
    now[row.confidence] += Number(row.events)
    then[underOption2(row)] += Number(row.events)
  }
  const gained = rows.filter((row) => underOption2(row) === 'exact' && row.confidence !== 'exact')
  const trusts = await readTrusts(store, filters, [...new Set(gained.map((row) => row.subject_oid!))])
  // A tenant's managed identity may have acted for an agent of another tenant.
  const shown = await oidsInScope(
    store,
    gained.flatMap((row) => [row.agent_oid, ...row.candidates]),
  )
  const items = [...Map.groupBy(gained, (row) => `${row.tenant_id}/${row.subject_oid}`).values()].map((group) => item(group, directory, trusts, shown))
  return {
    period: {
      from: filters.from === undefined ? null : formatTime(filters.from),
      to: filters.to === undefined ? null : formatTime(filters.to),
      firstSeen: edge(
        rows.map((row) => row.first_ns),
        (a, b) => a < b,
      ),
      lastSeen: edge(
        rows.map((row) => row.last_ns),
        (a, b) => a > b,
      ),
    },
    now,
    underOption2: then,
    items: items.toSorted((a, b) => b.derivedEvents + b.ambiguousEvents - a.derivedEvents - a.ambiguousEvents || (a.subjectOid < b.subjectOid ? -1 : 1)),
    unchanged: unchanged(then),
  }
}

function underOption2({ confidence, proven, by_clock: byClock, subject_oid: subject }: Row): Confidence {
  if (confidence !== 'derived' && confidence !== 'ambiguous') return confidence
  if (byClock) return confidence === 'ambiguous' && subject === null ? 'ambiguous' : 'probable'
  return proven ? 'exact' : confidence
}

async function readRows(store: Store, filters: WhatIfFilters): Promise<readonly Row[]> {
  // One pass over the period: months outside of it are not read. `usage_parts` counts a call and its usage log once. A bound caller's events are those that are
  // concluded about, and conclusions alone have their tenants in the row (migrations: policies).
  const [at, from] =
    store.scope === 'everything' ? ['e', 'events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id'] : ['c', 'conclusions c']
  const { rows } = await store.query<Row>(
    `select c.tenant_id, c.subject_oid, ${at}.source, coalesce(c.confidence, 'none') as confidence, c.agent_oid, coalesce(c.candidates, '{}') as candidates,
       coalesce('federated-subject' = any(c.basis), false) as proven, coalesce('proximity' = any(c.basis), false) as by_clock,
       count(*) as events, coalesce(sum(p.calls), 0) as calls,
       coalesce(sum(p.input_tokens + p.output_tokens + p.cache_read_tokens + p.cache_write_tokens), 0)::text as tokens,
       min(${at}.time_ns) as first_ns, max(${at}.time_ns) as last_ns
     from ${from} left join usage_parts p on p.event_id = ${at}.event_id
     where ${at}.source in ('aws', 'gcp') and ($1::bigint is null or ${at}.time_ns >= $1::bigint) and ($2::bigint is null or ${at}.time_ns < $2::bigint)
       and ($3::uuid is null or coalesce(c.tenant_id, ${at}.tenant_id) = $3::uuid) and ${tenantInScope('c.tenant_id', '$4')}
     group by 1, 2, 3, 4, 5, 6, 7, 8`,
    [filters.from?.toString() ?? null, filters.to?.toString() ?? null, filters.tenant ?? null, scopeOf(store)],
  )
  return rows
}

interface TrustRow {
  readonly tenant_id: string | null
  readonly subject_oid: string
  readonly source: Source
  readonly name: string
}

/** What these identities exchanged their tokens at: AWS roles and Google pools. */
async function readTrusts(store: Store, { from, to }: WhatIfFilters, subjects: readonly string[]): Promise<readonly TrustRow[]> {
  if (subjects.length === 0) return []
  // Index: events_findings (kind, outcome, time); for bound callers conclusions say it, so that few events are looked up for their tenants.
  const { rows } = await store.query<TrustRow>(
    `select distinct c.tenant_id, c.subject_oid, e.source, coalesce(case when e.source = 'gcp' then e.pool end, e.resource) as name
     from events e join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     where e.kind = 'token.exchanged' and e.outcome = 'success' and c.kind = 'token.exchanged' and c.outcome = 'success' and c.subject_oid = any($1::uuid[]) and coalesce(e.pool, e.resource) is not null
       and ($2::bigint is null or e.time_ns >= $2::bigint) and ($3::bigint is null or e.time_ns < $3::bigint) and ${tenantInScope('c.tenant_id', '$4')}
     order by 1, 2, 3, 4`,
    [subjects, from?.toString() ?? null, to?.toString() ?? null, scopeOf(store)],
  )
  return rows
}

function item(group: readonly Row[], directory: KnownDirectory, trusts: readonly TrustRow[], shown: ReadonlySet<string>): WhatIf['items'][number] {
  const { tenant_id: tenantId, subject_oid: oid } = group[0]!
  const known = tenantId === null ? undefined : directory.find(tenantId, oid!)
  const events = (confidence: Confidence): number => group.filter((row) => row.confidence === confidence).reduce((sum, row) => sum + Number(row.events), 0)
  const agents = [...new Set(group.flatMap((row) => (row.agent_oid === null ? row.candidates : [row.agent_oid])))].filter((oid) => shown.has(oid)).toSorted()
  return {
    tenantId: shownTenant(tenantId),
    subjectOid: oid!,
    name: known?.names[0] ?? null,
    kind: known?.kind ?? 'unknown',
    clouds: [...new Set(group.map((row) => row.source))].toSorted(),
    derivedEvents: events('derived'),
    ambiguousEvents: events('ambiguous'),
    calls: group.reduce((sum, row) => sum + Number(row.calls), 0),
    tokens: group.reduce((sum, row) => sum + Number(row.tokens), 0),
    candidates: agents.map((agent) => ({ oid: agent, name: (tenantId === null ? undefined : directory.find(tenantId, agent)?.names[0]) ?? null })),
    trusts: trusts.filter((trust) => trust.tenant_id === tenantId && trust.subject_oid === oid).map(({ source, name }) => ({ cloud: source, name })),
  }
}

const WHY: Readonly<Record<Exclude<Confidence, 'exact'>, string>> = {
  derived: 'The subject is not proven by the federation itself.',
  probable: 'Records that do not name who asked, tied by time and address to an exchange: Option 2 does not change what they hold.',
  asserted: 'Only a name that the caller chose says so: the record that issued the credential is not in the store.',
  ambiguous: 'Several identities behind one address at one moment.',
  none: 'Nothing proves an Entra identity: people, services, long-term keys, and credentials whose issuing record is not in the store.',
}

function unchanged(then: Readonly<Record<Confidence, number>>): WhatIf['unchanged'] {
  return CONFIDENCES.flatMap((confidence) =>
    confidence === 'exact' || then[confidence] === 0 ? [] : [{ confidence, events: then[confidence], words: WHY[confidence] }],
  )
}

function edge(times: readonly bigint[], beats: (a: bigint, b: bigint) => boolean): string | null {
  const found = times.reduce<bigint | null>((best, time) => (best === null || beats(time, best) ? time : best), null)
  return found === null ? null : formatTime(found)
}
