import type pg from 'pg'
import type { Kind, Outcome, PrincipalKind, Source } from '#core/event.ts'
import { type EventId, NO_TENANT, type TenantId } from '#core/keys.ts'
import { HOUR } from '#core/time.ts'
import type { Attribution } from '#core/event.ts'
import type { LinkFacts } from '../attribute.ts'
import type { Directory } from '../directory/directory.ts'
import { LANDMARK_KINDS, type Landmark, Landmarks, type Window } from '../link/landmarks.ts'
import { EXCHANGE_TOKEN_NS, MANAGED_IDENTITY_TOKEN_NS, TOKEN_NS } from '../link/parents.ts'
import { GCP_ANCHOR_NS } from '../link/sessions.ts'
import type { EventRef } from './lookups.ts'
import { LINK_COLUMNS, type LinkRow, linkFacts } from './rows.ts'

/** Two windows of one subject that are this close are read as one. */
const READ_TOGETHER_NS = HOUR

/** True for events that others go back to by the clock. (AWS exchanges and mints are found by the keys they issue.) */
export function isLandmark(event: Pick<LinkFacts, 'source' | 'kind'>): boolean {
  return event.source !== 'aws' && (LANDMARK_KINDS as readonly Kind[]).includes(event.kind)
}

/** The landmarks in these windows. Primary key of timeline. */
export async function landmarksIn(client: pg.ClientBase, windows: readonly Window[]): Promise<Landmarks> {
  const merged = mergeWindows(windows)
  if (merged.length === 0) return new Landmarks([])
  const { rows } = await client.query<{
    time_ns: bigint
    event_id: EventId
    source: Source
    kind: Kind
    outcome: Outcome
    subject: string
    resource: string | null
    proof_kind: PrincipalKind | null
  }>(
    `select distinct on (l.tenant_id, l.oid, l.time_ns, l.event_id) l.time_ns, l.event_id, l.source, l.kind, e.outcome, l.tenant_id || '/' || l.oid as subject, e.resource, e.proof_kind
     from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) r(tenant, oid, since, until)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns between r.since and r.until and l.is_subject and l.kind = any($5::kind[]) and l.source <> 'aws'
     join events e on e.time_ns = l.time_ns and e.event_id = l.event_id`,
    [...windowColumns(merged), LANDMARK_KINDS],
  )
  return new Landmarks(
    rows.map((row): Landmark => ({
      id: row.event_id,
      timeNs: row.time_ns,
      source: row.source,
      kind: row.kind,
      outcome: row.outcome,
      subject: row.subject,
      resource: row.kind === 'credential.minted' ? (row.resource?.toLowerCase() ?? null) : row.resource,
      principalKind: row.proof_kind,
    })),
  )
}

function windowColumns(windows: readonly Window[]): readonly unknown[] {
  return [windows.map((one) => one.tenantId), windows.map((one) => one.oid), windows.map((one) => one.from), windows.map((one) => one.to)]
}

function mergeWindows(windows: readonly Window[]): readonly Window[] {
  const sorted = windows.toSorted((a, b) =>
    a.oid < b.oid ? -1 : a.oid > b.oid ? 1 : a.tenantId < b.tenantId ? -1 : a.tenantId > b.tenantId ? 1 : a.from < b.from ? -1 : 1,
  )
  const merged: { tenantId: string; oid: string; from: bigint; to: bigint }[] = []
  for (const window of sorted) {
    const last = merged.at(-1)
    if (last && last.oid === window.oid && last.tenantId === window.tenantId && window.from <= last.to + READ_TOGETHER_NS)
      last.to = window.to > last.to ? window.to : last.to
    else merged.push({ ...window })
  }
  return merged
}

interface ForwardWindow extends Window {
  /** Events of this kind, or (`gcp`) every GCP event. */
  readonly what: Kind | 'gcp'
}

/** The windows in which events may go back to this landmark. */
function forwardWindows(event: LinkFacts, conclusion: Attribution, directory: Directory): readonly ForwardWindow[] {
  const { tenantId, subjectOid } = conclusion
  if (!subjectOid) return []
  const ahead = (oid: string, by: bigint, what: Kind | 'gcp', tenant: string | null = tenantId): ForwardWindow => ({
    tenantId: tenant ?? NO_TENANT,
    oid,
    from: event.timeNs,
    to: event.timeNs + by,
    what,
  })
  if (event.source === 'gcp') return [ahead(subjectOid, GCP_ANCHOR_NS, 'gcp')]
  const windows = [ahead(subjectOid, MANAGED_IDENTITY_TOKEN_NS, 'token.exchanged'), ahead(subjectOid, TOKEN_NS, 'api.called')]
  if (!tenantId) return windows
  for (const trusted of directory.trusting(tenantId, subjectOid)) {
    for (const principal of trusted.application.principals) windows.push(ahead(principal.oid, MANAGED_IDENTITY_TOKEN_NS, 'token.issued', principal.tenantId))
  }
  const principal = directory.principal(tenantId, subjectOid)
  for (const application of directory.applicationsOf(principal)) {
    for (const agent of application.agents) windows.push(ahead(agent.oid, EXCHANGE_TOKEN_NS, 'token.issued', agent.tenantId))
  }
  return windows
}

/** Every event that may go back to one of these landmarks, as their subjects were and as they are. */
export async function followersOf(
  client: pg.ClientBase,
  landmarks: readonly { event: LinkFacts; conclusions: readonly Attribution[] }[],
  directory: Directory,
): Promise<EventRef[]> {
  const windows = landmarks.flatMap(({ event, conclusions }) => conclusions.flatMap((conclusion) => forwardWindows(event, conclusion, directory)))
  const found: EventRef[] = []
  for (const what of new Set(windows.map((window) => window.what))) {
    const { rows } = await client.query<{ time_ns: bigint; event_id: EventId }>(
      `select distinct l.time_ns, l.event_id from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) r(tenant, oid, since, until)
       join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns between r.since and r.until and l.is_subject and ${what === 'gcp' ? `l.source = 'gcp' and $5 = 'gcp'` : 'l.kind = $5::kind'}`,
      [...windowColumns(mergeWindows(windows.filter((window) => window.what === what))), what],
    )
    found.push(...rows.map((row) => ({ timeNs: row.time_ns, id: row.event_id })))
  }
  const tokenIds = landmarks.flatMap(({ event }) => (event.source === 'entra' && event.tokenId ? [event.tokenId] : []))
  if (tokenIds.length > 0) {
    const { rows } = await client.query<{ time_ns: bigint; event_id: EventId }>(
      `select e.time_ns, e.event_id from events e where e.token_id = any($1::text[]) and e.kind = 'api.called'`,
      [tokenIds],
    )
    found.push(...rows.map((row) => ({ timeNs: row.time_ns, id: row.event_id })))
  }
  return found
}

/** Successful issuances with the token ids that these API calls name. Index events_token_id. */
export async function issuancesOf(client: pg.ClientBase, events: readonly LinkFacts[]): Promise<(tenantId: TenantId, tokenId: string) => readonly LinkFacts[]> {
  const tokenIds = [...new Set(events.flatMap((event) => (event.kind === 'api.called' && event.tokenId ? [event.tokenId] : [])))]
  if (tokenIds.length === 0) return () => []
  const { rows } = await client.query<LinkRow & { concluded_tenant: TenantId | null }>(
    `select ${LINK_COLUMNS}, c.tenant_id as concluded_tenant from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     where e.token_id = any($1::text[]) and e.kind = 'token.issued' and e.outcome = 'success' order by e.time_ns, e.event_id`,
    [tokenIds],
  )
  const groups = Map.groupBy(rows, (row) => `${row.tenant_id ?? row.concluded_tenant}/${row.token_id}`)
  return (tenantId, tokenId) => (groups.get(`${tenantId}/${tokenId}`) ?? []).map(linkFacts)
}
