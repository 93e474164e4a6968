/** Why does this event, or this oid, show what it shows? From stored facts and conclusions only. */
import { formatTime } from '#core/time.ts'
import { hasNoActor } from '#core/event.ts'
import type { Confidence, Source } from '#core/event.ts'
import { becauseOf } from '../explain/because.ts'
import type { Explanation, OidExplanation } from '../explain/contract.ts'
import { hopsOf } from '../explain/hops.ts'
import { improvementsOf } from '../explain/improve.ts'
import { missingOf } from '../explain/missing.ts'
import { seenOf } from '../explain/seen.ts'
import { ownDoing } from '../explain/own-service.ts'
import { provesSomebody, readStory } from '../explain/story.ts'
import type { Story } from '../explain/story.ts'
import { counted, listed, moment, naming } from '../explain/words.ts'
import { readDirectory } from './directory.ts'
import type { KnownDirectory } from './directory.ts'
import { scopeOf, shownTenant, tenantInScope } from './store.ts'
import type { Store } from './store.ts'

/** The explanation of one event, or null when there is no such event. */
export async function explainEvent(store: Store, id: string, directory?: KnownDirectory): Promise<Explanation | null> {
  const story = await readStory(store, id, directory)
  if (!story) return null
  return {
    eventId: story.event.item.id,
    summary: summary(story),
    hops: hopsOf(story),
    hopsCut: story.cut,
    seen: seenOf(story),
    confidence: { value: story.event.item.attribution.confidence, because: becauseOf(story) },
    wouldBeExact: improvementsOf(story),
    missing: await missingOf(store, story),
  }
}

function summary(story: Story): string {
  const { event, hops, cut, directory, bounded } = story
  const { item } = event
  const name = naming(directory)
  const { confidence, candidates, basis } = item.attribution
  const what = `${item.action}${item.outcome === 'failure' ? ', refused,' : ''} at ${moment(item.time)}`
  const first = `${hops[0]!.item.action} at ${moment(hops[0]!.item.time)}`
  const back = counted(hops.length - 1, 'hop')
  const way =
    hops.length < 2 ? '' : cut ? ` It goes back over more than ${back}; the first that is shown is ${first}.` : ` It goes back over ${back} to ${first}.`
  if (!event.concluded) return `${what}: nothing has been concluded yet.`
  if (confidence === 'ambiguous') {
    const agents = bounded ? `several agents, of which you may see ${candidates.length}` : counted(candidates.length, 'agent')
    return `${what} was done by one of ${agents}; the records do not say which (ambiguous).${way}`
  }
  if (item.agentOid !== null) return `${what} was done by ${name(item.tenantId, item.agentOid)} (${confidence}).${way}`
  // It rests on something, so there is somebody: in another tenant.
  if (bounded && confidence !== 'none') {
    const as = item.subjectOid === null ? '' : ` as ${name(item.tenantId, item.subjectOid)},`
    return `${what} was done${as} by an agent that you may not see (${confidence}).${way}`
  }
  const was = basis.includes('proximity') ? 'was probably done' : 'was done'
  if (bounded && item.subjectOid === null && provesSomebody(basis)) return `${what} ${was} by somebody that you may not see (none).${way}`
  if (item.subjectOid !== null) return `${what} ${was} as ${name(item.tenantId, item.subjectOid)}; no agent is known for it (none).${way}`
  if (hasNoActor(item)) return `${what}: a record that CloudTrail made about many calls; it has no actor (none).`
  const own = ownDoing(story)
  if (own) return `${what}: ${own.who} ${own.how} (none).${way}`
  return `${what}: the records do not prove who did it (none).${way}`
}

const MAX_GROUPS = 12

interface GroupRow {
  tenant_id: string
  source: Source
  confidence: Confidence
  subject_oid: string | null
  basis: string[]
  events: bigint
  first_ns: bigint
  last_ns: bigint
  example: string
}

/** The explanation of everything that an oid did or may have done, group by group. An oid without such events has no groups. */
export async function explainOid(store: Store, oid: string, tenant?: string): Promise<OidExplanation> {
  // Primary key of timeline, then of conclusions: as much as the counts of an oid take.
  const { rows } = await store.query<GroupRow>(
    // A subject of another tenant is named only where the event stands in that subject's timeline, too (as in an item).
    `select t.tenant_id, t.source, coalesce(c.confidence, 'none') as confidence,
       case when $3::uuid[] is null or exists (
         select from timeline s where s.tenant_id = any($3::uuid[]) and s.oid = c.subject_oid and s.time_ns = t.time_ns and s.event_id = t.event_id
       ) then c.subject_oid end as subject_oid, coalesce(c.basis, '{}') as basis,
       count(*) as events, min(t.time_ns) as first_ns, max(t.time_ns) as last_ns, (array_agg(t.event_id order by t.time_ns desc, t.event_id desc))[1] as example
     from timeline t left join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id
     where t.oid = $1 and t.role <> 'target' and ($2::uuid is null or t.tenant_id = $2::uuid) and ${tenantInScope('t.tenant_id', '$3')}
     group by 1, 2, 3, 4, 5 order by events desc, 2, 3, 4, 5, 1`,
    [oid, tenant ?? null, scopeOf(store)],
  )
  const directory = await readDirectory(store, tenant)
  const groups: OidExplanation['groups'] = []
  for (const row of rows.slice(0, MAX_GROUPS)) {
    const example = await explainEvent(store, row.example, directory)
    if (!example) continue
    groups.push({
      tenantId: shownTenant(row.tenant_id),
      source: row.source,
      confidence: row.confidence,
      subjectOid: row.subject_oid,
      basis: row.basis,
      events: Number(row.events),
      firstSeen: formatTime(row.first_ns),
      lastSeen: formatTime(row.last_ns),
      example,
    })
  }
  return { oid, summary: oidSummary(oid, rows, directory), groups, more: Math.max(0, rows.length - MAX_GROUPS) }
}

function oidSummary(oid: string, rows: readonly GroupRow[], directory: KnownDirectory): string {
  const tenantId = rows.length > 0 ? shownTenant(rows[0]!.tenant_id) : (directory.principals.find((principal) => principal.oid === oid)?.tenantId ?? null)
  const who = naming(directory)(tenantId, oid)
  const total = rows.reduce((sum, row) => sum + Number(row.events), 0)
  if (total === 0) return `No event is attributed to ${who}.`
  const bySureness = Map.groupBy(rows, (row) => row.confidence)
  const parts = [...bySureness].map(([confidence, group]) => `${group.reduce((sum, row) => sum + Number(row.events), 0).toLocaleString('en')} ${confidence}`)
  return `${counted(total, 'event')} of ${who}: ${listed(parts)}.`
}
