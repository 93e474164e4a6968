/** What is this identifier, and where does it occur? Everything it could be is looked up, inside the caller's tenants. */
import type { Confidence } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import type { Occurrence, Resolution } from '../resolve/contract.ts'
import { identify } from '../resolve/identify.ts'
import type { Field, Lookup } from '../resolve/identify.ts'
import { oidsInScope } from './bounds.ts'
import { readDirectory } from './directory.ts'
import { findingById } from './findings.ts'
import { ITEM_COLUMNS, ITEM_JOINS, itemRows, toItem } from './item.ts'
import type { ItemRow } from './item.ts'
import { oidBriefs } from './oid-info.ts'
import { SCANNED, scanRecords } from './record-scan.ts'
import { eventInScope, scopeOf, shownTenant, tenantInScope } from './store.ts'
import type { Store } from './store.ts'

/** Events counted of one occurrence; more are "at least so many". */
const MAX_COUNTED = 10_000
const SAMPLE = 5
const MAX_PRINCIPALS = 20

/**
 * The condition of a lookup on `e` (events), each served by an index: `heads` for ids, events_native_id, events_request_id, events_token_id, events_uses and events_issues,
 * events_principal, events_resource and events_source_ip (whose conditions are repeated; identifiers are no longer than that).
 */
const CONDITIONS: Readonly<Record<Field, (value: string) => readonly string[]>> = {
  id: (value) => [`(e.time_ns, e.event_id) in (select time_ns, event_id from heads where event_id = any(${value}::uuid[]))`],
  nativeId: (value) => [`e.native_id = any(${value}::text[])`],
  requestId: (value) => [`e.request_id = any(${value}::text[])`],
  tokenId: (value) => [`e.token_id = any(${value}::text[])`],
  // Two indexes: asked for one after the other.
  credential: (value) => [`e.uses = any(${value}::text[])`, `e.issues = any(${value}::text[])`],
  principal: (value) => [`e.principal = any(${value}::text[]) and length(e.principal) <= 512`],
  resource: (value) => [
    `e.resource = any(${value}::text[]) and length(e.resource) <= 512 and e.kind in ('token.exchanged', 'credential.minted', 'identity.changed', 'trust.changed')`,
  ],
  sourceIp: (value) => [`e.source_ip = any(${value}::text[]) and length(e.source_ip) <= 512`],
  // Events that were found by looking into their records.
  record: (value) => CONDITIONS.id(value),
}

export interface ResolveOptions {
  /** Whether to look into records: `auto` where indexes do not hold such an identifier, or found nothing. */
  readonly records?: 'auto' | 'true' | 'false'
  /** Events whose records are looked through; null for all. */
  readonly most?: number | null
  readonly signal?: AbortSignal
}

/** Everything that the text names. It is trimmed and not empty. */
export async function resolve(store: Store, text: string, { records = 'auto', most = SCANNED, signal }: ResolveOptions = {}): Promise<Resolution> {
  const identified = identify(text)
  const occurrences: Occurrence[] = []
  for (const lookup of identified.lookups) {
    const occurrence = await occurrenceOf(store, lookup)
    if (occurrence) occurrences.push(occurrence)
  }
  const named = [...(await namedByGuid(store, identified.guids)), ...(await namedOtherwise(store, identified.armId, identified.name))]
  const answer: Resolution = {
    query: text,
    looksLike: [...identified.looksLike],
    refused: identified.refused,
    principals: named.slice(0, MAX_PRINCIPALS),
    morePrincipals: Math.max(0, named.length - MAX_PRINCIPALS),
    others: identified.guids.length === 1 && identified.guids[0] === text.toLowerCase() ? await othersOf(store, identified.guids[0]) : [],
    occurrences,
    notSearched: [],
  }
  if (identified.refused !== null) return answer
  const nothing = named.length === 0 && answer.others.length === 0 && occurrences.length === 0
  const inside = records === 'true' || (records === 'auto' && (identified.inRecords !== null || nothing))
  if (!inside)
    return {
      ...answer,
      notSearched: ['The inside of records: what stands only there (a parameter, another resource) is not counted.', ...(await otherTexts(store))],
    }
  const scan = await scanRecords(store, identified.inRecords ?? text, most, signal)
  const within = await occurrenceOf(store, { field: 'record', values: scan.eventIds }, scan.backToNs !== null)
  return {
    ...answer,
    occurrences: within ? [...occurrences, within] : occurrences,
    notSearched: [
      ...(scan.backToNs === null
        ? []
        : [
            `The inside of the records of events before ${formatTime(scan.backToNs)}: only the latest ${scan.events.toLocaleString('en')} were looked through.`,
          ]),
      ...(await otherTexts(store)),
    ],
  }
}

/** What no question reaches: texts that were rejected, and what the caller may not see. */
async function otherTexts(store: Store): Promise<string[]> {
  if (store.scope !== 'everything') return ['Records that you may not see.']
  const { rows } = await store.query<{ any: boolean }>('select exists (select from rejected) as "any"')
  return rows[0]?.any === true ? ['Texts that were rejected, because they are no known record (trailjoin rejected).'] : []
}

async function namedByGuid(store: Store, guids: readonly string[]): Promise<Resolution['principals']> {
  if (guids.length === 0) return []
  const meant = await oidBriefs(store, [...new Set(guids)])
  return meant.flatMap(({ id, resolvedFrom, items }) =>
    items.map((item) => ({
      // An application is shown under its appId where no record names its principal; an agent's appId is its oid (facts: Entra Agent ID).
      as: resolvedFrom ?? (item.kind !== 'agent' && item.appId === id && item.oid === id ? 'appId' : 'oid'),
      ...item,
    })),
  )
}

async function namedOtherwise(store: Store, armId: string | null, name: string | null): Promise<Resolution['principals']> {
  if (armId === null && name === null) return []
  const directory = await readDirectory(store)
  const matches = directory.principals.filter((principal) =>
    armId === null ? principal.names.some((one) => one.toLowerCase() === name) : principal.armId?.toLowerCase() === armId,
  )
  return matches.map((principal) => ({
    as: armId === null ? 'name' : 'armId',
    tenantId: shownTenant(principal.tenantId),
    oid: principal.oid,
    kind: principal.kind ?? 'unknown',
    name: principal.names[0] ?? null,
    appId: principal.appId,
    firstSeen: null,
    lastSeen: null,
  }))
}

async function othersOf(store: Store, id: string): Promise<Resolution['others']> {
  const scope = scopeOf(store)
  const { rows } = await store.query<{ as: 'tenant' | 'trace' | 'session' }>(
    `select 'tenant' as "as" where exists (select from timeline t where t.tenant_id = $1 and ${tenantInScope('t.tenant_id', '$2')})
       or exists (select from directory_facts f where f.tenant_id = $1 and ${tenantInScope('f.tenant_id', '$2')})
     union all select 'trace' where exists (
       select from trace_ids i join heads h on h.event_id = i.first_event join conclusions c on c.time_ns = h.time_ns and c.event_id = h.event_id
       where i.id = $1 and ${eventInScope('c', '$2')})
     union all select 'session' where exists (select from session_spans s where s.session_id = $1 and ${tenantInScope('s.tenant_id', '$2')})`,
    [id, scope],
  )
  const finding = await findingById(store, id)
  return [...rows.map(({ as }) => ({ as, id })), ...(finding ? [{ as: 'finding' as const, id }] : [])]
}

/** The first text after all that begin with this one, by code points. The last character must not be the last of all. */
const successor = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)

interface PrincipalRow {
  readonly tenant_id: string | null
  readonly subject_oid: string | null
  readonly agent_oid: string | null
  readonly confidence: Confidence
  readonly events: bigint
}

interface TotalRow {
  readonly total: bigint
  readonly first: bigint | null
  readonly last: bigint | null
  readonly latest: string[] | null
  readonly principals: bigint
}

/** What of these the caller may learn: an event of theirs can be attributed to a principal of another tenant. */
async function shownPrincipals(store: Store, rows: readonly PrincipalRow[]): Promise<Occurrence['principals']> {
  const { scope } = store
  const oids = await oidsInScope(
    store,
    rows.flatMap((row) => [row.subject_oid, row.agent_oid]),
  )
  return rows.map((row) => {
    const own = scope === 'everything' || (row.tenant_id !== null && scope.includes(row.tenant_id))
    const shown = (oid: string | null): string | null => (own && oid !== null && oids.has(oid) ? oid : null)
    return {
      tenantId: own ? shownTenant(row.tenant_id) : null,
      subjectOid: shown(row.subject_oid),
      agentOid: shown(row.agent_oid),
      confidence: row.confidence,
      events: Number(row.events),
    }
  })
}

/** @param more there are or may be others that were not looked at */
async function occurrenceOf(store: Store, { field, values, prefix = false }: Lookup, more = false): Promise<Occurrence | null> {
  if (values.length === 0) return null
  // From the prefix to what follows all texts that begin with it: unlike `like`, these operators may use the index before row-level security has chosen (they are leakproof).
  const given: unknown = prefix ? [values[0]!, successor(values[0]!)] : values
  const conditions = prefix ? ['e.principal ~>=~ ($1::text[])[1] and e.principal ~<~ ($1::text[])[2] and length(e.principal) <= 512'] : CONDITIONS[field]('$1')
  // Row-level security has chosen before the latest are taken; the condition is asked of those that are left, whose conclusions are read anyway.
  const latest = conditions
    .map((condition) => `(select e.time_ns, e.event_id from events e where ${condition} order by e.time_ns desc limit ${MAX_COUNTED + 1})`)
    .join(' union ')
  // One row for each of the principals, each with the totals.
  const { rows } = await store.query<TotalRow & (PrincipalRow | { readonly events: null })>(
    `with latest as materialized (${latest}), hits as materialized (
       select l.time_ns, l.event_id, c.tenant_id, c.subject_oid, c.agent_oid, coalesce(c.confidence, 'none') as confidence
       from latest l left join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id where ${eventInScope('c', '$2')}
     )
     select s.total, s.first, s.last, s.latest, s.principals, p.* from (
       select count(*) as total, min(time_ns) as first, max(time_ns) as last,
         (select array_agg(event_id) from (select event_id from hits order by time_ns desc, event_id limit ${SAMPLE}) l) as latest,
         (select count(distinct (tenant_id, subject_oid, agent_oid, confidence)) from hits) as principals
       from hits
     ) s left join (
       select tenant_id, subject_oid, agent_oid, confidence, count(*) as events from hits group by 1, 2, 3, 4 order by 5 desc, 3, 2, 1, 4 limit ${MAX_PRINCIPALS}
     ) p on true order by p.events desc, p.agent_oid, p.subject_oid, p.tenant_id, p.confidence`,
    [given, scopeOf(store)],
  )
  const [row] = rows
  if (!row || row.last === null) return null
  const counted = Number(row.total)
  const principals = rows.filter((one) => one.events !== null)
  const sample = await itemRows<ItemRow>(
    store,
    `select ${ITEM_COLUMNS} from heads at join events e on e.time_ns = at.time_ns and e.event_id = at.event_id ${ITEM_JOINS}
     where at.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')} order by e.time_ns desc, e.event_id`,
    [row.latest ?? [], scopeOf(store)],
  )
  const atLeast = more || counted > MAX_COUNTED
  return {
    field,
    match: prefix ? 'prefix' : field === 'record' ? 'within' : 'exact',
    events: Math.min(counted, MAX_COUNTED),
    atLeast,
    firstSeen: atLeast || row.first === null ? null : formatTime(row.first),
    lastSeen: formatTime(row.last),
    principals: await shownPrincipals(store, principals),
    morePrincipals: Number(row.principals) - principals.length,
    sample: sample.map((one) => {
      const { id, time, source, kind, action, outcome, tenantId, subjectOid, agentOid } = toItem(one, null)
      return { id, time, source, kind, action, outcome, tenantId, subjectOid, agentOid }
    }),
  }
}
