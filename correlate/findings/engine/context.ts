/** What rules ask of the store: a small layer over one snapshot of facts and conclusions. Answers that several rules need are looked up once. */
import type pg from 'pg'
import { type EventId, NO_TENANT, type Oid, type TenantId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { type Directory, buildDirectory } from '../../directory/directory.ts'
import type { StoredFact } from '../../directory/fact.ts'
import { loadDirectoryFacts } from '../../store/directory-facts.ts'
import { Blueprints } from './blueprints.ts'
import { type Revoked, revokedAgents } from './revocation.ts'
import { recordsOf } from './records.ts'
import { STORED_COLUMNS, type StoredEvent, type StoredRow, storedEvent } from './stored-event.ts'
import { type TrustChange, trustChangesOf } from './trust-change.ts'

/** From when to when sign-ins of one log were seen in one tenant. */
export interface LogSpan {
  readonly firstNs: bigint
  readonly lastNs: bigint
}

/** The log that a principal's sign-ins stand in, named by its action. */
export type SignInLog = 'entra:ManagedIdentitySignIn' | 'entra:ServicePrincipalSignIn'

export interface Context {
  readonly client: pg.ClientBase
  readonly directory: Directory
  readonly facts: readonly StoredFact[]
  readonly blueprints: Blueprints
  /** Events that meet a condition over `e` (events) and `c` (conclusions), in order of time. The condition's literals should match an index. */
  readonly events: (condition: string, values?: readonly unknown[]) => Promise<readonly StoredEvent[]>
  /** Events that stand as the subject's own in the timelines of these principals, with an extra condition. Primary key of timeline. */
  readonly eventsOf: (principals: readonly { readonly tenantId: string | null; readonly oid: string }[], condition: string) => Promise<readonly StoredEvent[]>
  /** Every token exchange, also refused ones and those of other issuers. */
  readonly exchanges: () => Promise<readonly StoredEvent[]>
  /** Successful exchanges of a token from Entra: what DESIGN §5.3 calls an exchange. */
  readonly entraExchanges: () => Promise<readonly StoredEvent[]>
  /** Successful changes of a cloud's trust, read from their records. */
  readonly trustChanges: () => Promise<readonly TrustChange[]>
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
  const exchanges = once(() => events(`e.kind = 'token.exchanged'`))
  const entraExchanges = once(async () => (await exchanges()).filter((event) => event.outcome === 'success' && isEntra(event, directory)))
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
    // Index events_issued.
    const { rows } = await client.query<{ tenant: string; log: string; first: bigint; last: bigint }>(
      `select tenant_id as tenant, action as log, min(time_ns) as first, max(time_ns) as last from events where kind = 'token.issued' and tenant_id is not null group by tenant_id, action`,
    )
    return new Map(rows.map((row) => [`${row.tenant}/${row.log}`, { firstNs: row.first, lastNs: row.last }]))
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
    eventsOf: async (principals, condition) => {
      const keys = [...new Map(principals.map((one) => [`${one.tenantId}/${one.oid}`, one])).values()]
      if (keys.length === 0) return []
      const { rows } = await client.query<StoredRow>(
        `select ${STORED_COLUMNS} from unnest($1::uuid[], $2::uuid[]) r(tenant, oid) join timeline l on l.tenant_id = r.tenant and l.oid = r.oid
         join events e on e.time_ns = l.time_ns and e.event_id = l.event_id join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
         where ${condition} order by e.time_ns, e.event_id`,
        [keys.map((one) => one.tenantId ?? NO_TENANT), keys.map((one) => one.oid)],
      )
      return rows.map(storedEvent)
    },
    exchanges,
    entraExchanges,
    trustChanges,
    records: (wanted) =>
      recordsOf(
        client,
        wanted.map((event) => event.id),
      ),
    signInLog: async (tenantId, log) => (await signInLogs()).get(`${tenantId}/${log}`) ?? null,
    hasEntraRecords: async (tenantId) => (await entraTenants()).has(tenantId),
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
function isEntra(exchange: StoredEvent, directory: Directory): boolean {
  if (exchange.proofEntra !== null) return exchange.proofEntra
  const issuer = exchange.pool ? directory.pools.issuerOf(exchange.pool) : null
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
