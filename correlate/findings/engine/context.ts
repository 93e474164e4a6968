/** What rules ask of the store: a small layer over one snapshot of facts and conclusions. Answers that several rules need are looked up once. */
import type pg from 'pg'
import { type EventId, NO_TENANT, type Oid, type TenantId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { type Directory, buildDirectory } from '../../directory/directory.ts'
import type { StoredFact } from '../../directory/fact.ts'
import { loadDirectoryFacts } from '../../store/directory-facts.ts'
import { Blueprints } from './blueprints.ts'
import { firstsOf, type Group, groupsOf, type Ref, refsOf } from './digest/read.ts'
import { EXCHANGES, type ExchangeProfile, SIGN_IN_LOGS } from './digest/identity-topics.ts'
import type { Topic } from './digest/topic.ts'
import { type LeftBehind, identitiesOfAgents } from './left-behind.ts'
import { type LogSpan, missingSignIns } from './log-span.ts'
import { type Revoked, revokedAgents } from './revocation.ts'
import { recordsOf } from './records.ts'
import { poolOf, STORED_COLUMNS, type StoredEvent, type StoredRow, storedEvent } from './stored-event.ts'
import { type TrustChange, trustChangesOf } from './trust-change.ts'

/** The log that a principal's sign-ins stand in, named by its action. */
export type SignInLog = 'entra:ManagedIdentitySignIn' | 'entra:ServicePrincipalSignIn'

/** An event with what it has in common with its group. */
interface Place<Profile> extends Ref {
  readonly profile: Profile
}

interface TimelineSpan {
  readonly tenantId: string | null
  readonly oid: string
  readonly fromNs: bigint
  /** Null: without end. */
  readonly toNs: bigint | null
}

export interface Context {
  readonly client: pg.ClientBase
  readonly directory: Directory
  readonly facts: readonly StoredFact[]
  readonly blueprints: Blueprints
  /** Events that meet a condition over `e` (events) and `c` (conclusions), in order of time. The condition's literals should match an index. */
  readonly events: (condition: string, values?: readonly unknown[]) => Promise<readonly StoredEvent[]>
  /** Events that stand in the timelines of these principals between two times (the latter not included), with an extra condition. Primary key of timeline. */
  readonly eventsOf: (spans: readonly TimelineSpan[], condition: string) => Promise<readonly StoredEvent[]>
  /** What the events of a topic have in common, in order of the first event of each group. */
  readonly groups: <Profile>(topic: Topic<Profile>) => Promise<readonly Group<Profile>[]>
  /** The events of some groups, of a topic that lists all of them. In order of time. */
  readonly eventsIn: <Profile>(topic: Topic<Profile>, groups: readonly Group<Profile>[]) => Promise<readonly StoredEvent[]>
  /** Where the events of these groups are, in order of time; of a topic that lists all of them. */
  readonly placesIn: <Profile>(topic: Topic<Profile>, groups: readonly Group<Profile>[]) => Promise<readonly Place<Profile>[]>
  /** The first thousand events of each of these groups, by key. */
  readonly firstsIn: <Profile>(topic: Topic<Profile>, groups: readonly Group<Profile>[]) => Promise<ReadonlyMap<string, readonly Ref[]>>
  /** Successful exchanges of a token from Entra: what DESIGN §5.3 calls an exchange. */
  readonly exchanges: () => Promise<readonly Group<ExchangeProfile>[]>
  /** Successful changes of a cloud's trust, read from their records. */
  readonly trustChanges: () => Promise<readonly TrustChange[]>
  /** Identities that led to agents, with what they exchanged, also when no agent was left. */
  readonly leftBehind: () => Promise<readonly LeftBehind[]>
  /** Agents that were deleted or disabled, with what held after that. */
  readonly revoked: () => Promise<readonly Revoked[]>
  readonly records: (events: readonly { readonly id: EventId }[]) => Promise<ReadonlyMap<EventId, JsonObject>>
  /** The span of a sign-in log in a tenant; null when it was never seen there. */
  readonly signInLog: (tenantId: string, log: SignInLog) => Promise<LogSpan | null>
  /** True when any sign-in or audit record of the tenant is stored. */
  readonly hasEntraRecords: (tenantId: string) => Promise<boolean>
}

/** Opens the layer on a client that holds a snapshot (a repeatable-read transaction). */
export async function openContext(client: pg.ClientBase): Promise<Context> {
  const { facts } = await loadDirectoryFacts(client)
  const directory = buildDirectory(facts)
  const events: Context['events'] = async (condition, values = []) => {
    const { rows } = await client.query<StoredRow>(
      `select ${STORED_COLUMNS} from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id where ${condition} order by e.time_ns, e.event_id`,
      [...values],
    )
    return rows.map(storedEvent)
  }
  const known = new Map<string, Promise<readonly Group<unknown>[]>>()
  const groups: Context['groups'] = <Profile>(topic: Topic<Profile>) => {
    const asked = (known.get(topic.name) as Promise<readonly Group<Profile>[]> | undefined) ?? groupsOf(client, topic)
    known.set(topic.name, asked)
    return asked
  }
  const eventsAt = async (refs: readonly Ref[]): Promise<readonly StoredEvent[]> => {
    if (refs.length === 0) return []
    const { rows } = await client.query<StoredRow>(
      `select ${STORED_COLUMNS} from unnest($1::bigint[], $2::uuid[]) r(t, i) join events e on e.time_ns = r.t and e.event_id = r.i
       left join conclusions c on c.time_ns = r.t and c.event_id = r.i order by e.time_ns, e.event_id`,
      [refs.map((ref) => ref.timeNs), refs.map((ref) => ref.id)],
    )
    return rows.map(storedEvent)
  }
  const trustChanges = once(async () => {
    const changes = await events(`e.kind = 'trust.changed' and e.outcome = 'success' and e.source <> 'entra'`)
    return trustChangesOf(
      changes,
      await recordsOf(
        client,
        changes.map((change) => change.id),
      ),
    )
  })
  const signInLogs = once(async () => {
    const [logs, missing] = [await groups(SIGN_IN_LOGS), await missingSignIns(client)]
    return new Map(
      logs.map(({ profile: { tenantId, log }, firstNs, lastNs }): [string, LogSpan] => [
        `${tenantId}/${log}`,
        { firstNs, lastNs, missing: missing.filter((gap) => gap.tenantId === null || gap.tenantId === tenantId) },
      ]),
    )
  })
  const entraTenants = once(async () => {
    const tenants = new Set([...(await signInLogs()).keys()].map((key) => key.slice(0, 36)))
    // A tenant whose sign-ins are not collected shows itself by its audit records.
    for (const { tenantId, fact } of facts)
      if (fact.type === 'lifecycle' || fact.type === 'fics' || fact.type === 'fic-declared' || fact.type === 'application') tenants.add(tenantId)
    return tenants
  })
  const context: Context = {
    client,
    directory,
    facts,
    blueprints: new Blueprints(facts),
    events,
    eventsOf: async (spans, condition) => {
      if (spans.length === 0) return []
      const { rows } = await client.query<StoredRow>(
        `select ${STORED_COLUMNS} from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) r(tenant, oid, since, until)
         join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns >= r.since and (r.until is null or l.time_ns < r.until)
         join events e on e.time_ns = l.time_ns and e.event_id = l.event_id join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
         where ${condition} order by e.time_ns, e.event_id`,
        [spans.map((one) => one.tenantId ?? NO_TENANT), spans.map((one) => one.oid), spans.map((one) => one.fromNs), spans.map((one) => one.toNs)],
      )
      return [...new Map(rows.map((row) => [row.id, storedEvent(row)])).values()]
    },
    groups,
    eventsIn: async (topic, wanted) => eventsAt(await refsOf(client, topic, wanted)),
    placesIn: async (topic, wanted) => {
      const profiles = new Map(wanted.map(({ key, profile }) => [key, profile]))
      const places = (await refsOf(client, topic, wanted)).map(({ id, timeNs, key }) => ({ id, timeNs, profile: profiles.get(key)! }))
      return places.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1))
    },
    firstsIn: (topic, wanted) => firstsOf(client, topic, wanted),
    exchanges: once(async () => (await groups(EXCHANGES)).filter(({ profile }) => profile.outcome === 'success' && isEntra(profile, directory))),
    trustChanges,
    records: (wanted) =>
      recordsOf(
        client,
        wanted.map((event) => event.id),
      ),
    signInLog: async (tenantId, log) => (await signInLogs()).get(`${tenantId}/${log}`) ?? null,
    hasEntraRecords: async (tenantId) => (await entraTenants()).has(tenantId),
    leftBehind: once(() => identitiesOfAgents(context)),
    revoked: once(() => revokedAgents(context)),
  }
  return context
}

function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let asked: Promise<Result> | undefined
  return () => (asked ??= ask())
}

/**
 * True for an exchange of an Entra token. AWS names the issuer. Google does not: there the pool's provider says it, or else that the subject
 * is a principal of a known tenant.
 */
function isEntra(exchange: ExchangeProfile, directory: Directory): boolean {
  if (exchange.proofEntra !== null) return exchange.proofEntra
  const pool = poolOf(exchange.pool)
  const issuer = pool ? directory.pools.issuerOf(pool) : null
  if (issuer === 'foreign') return false
  return issuer !== null || exchange.tenantId !== null || exchange.proofSubject?.startsWith('/eid1/') === true
}

/** The log that the sign-ins of this principal stand in. */
export function signInLogOf(directory: Directory, tenantId: TenantId, oid: Oid): SignInLog {
  const principal = directory.principal(tenantId, oid)
  // Named by a federated credential and otherwise unknown: credentials of Blueprints name managed identities.
  const managed = principal?.kind === 'managed-identity' || (principal === null && directory.trusting(tenantId, oid).length > 0)
  return managed ? 'entra:ManagedIdentitySignIn' : 'entra:ServicePrincipalSignIn'
}
