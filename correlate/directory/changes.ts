import type { AppId, Oid, TenantId } from '#core/keys.ts'
import { candidatesOf, turningPoints } from '../candidates.ts'
import type { Directory } from './directory.ts'
import type { StoredFact } from './fact.ts'
import type { Span } from './intervals.ts'
import { Pools } from './pools.ts'

/** An oid whose events between two instants may have to be concluded anew. `tenantId` null: also those of no proven tenant. */
export interface ChangedSpan {
  readonly tenantId: TenantId | null
  readonly oid: Oid
  readonly from: bigint | null
  readonly to: bigint | null
}

/**
 * Where two directories answer differently: the only events that new directory facts can touch. The work follows the number of
 * principals, not the number of events.
 */
export function changedSpans(before: Directory, after: Directory): readonly ChangedSpan[] {
  const changed: ChangedSpan[] = []
  const subjects = new Map<string, { tenantId: TenantId; oid: Oid }>()
  for (const directory of [before, after]) for (const subject of directory.subjects()) subjects.set(`${subject.tenantId}/${subject.oid}`, subject)
  const oids = new Set<Oid>()
  for (const subject of subjects.values()) {
    oids.add(subject.oid)
    const times = [...new Set([...turningPoints(before, subject), ...turningPoints(after, subject)])].toSorted((a, b) => (a < b ? -1 : 1))
    const edges: (bigint | null)[] = [null, ...times]
    edges.forEach((from, index) => {
      const at = from ?? (times[0] ?? 0n) - 1n
      if (same(candidatesOf(before, subject, at), candidatesOf(after, subject, at))) return
      const to = edges[index + 1] ?? null
      const last = changed.at(-1)
      // One span for as long as it goes on: what is looked for beyond its end is looked for once.
      if (last && from !== null && last.oid === subject.oid && last.tenantId === subject.tenantId && last.to === from)
        changed[changed.length - 1] = { ...last, to }
      else changed.push({ ...subject, from, to })
    })
    if (relationsOf(before, subject) !== relationsOf(after, subject)) changed.push({ ...subject, from: null, to: null })
    for (const appId of appIdsOf(before, after, subject)) changed.push({ tenantId: subject.tenantId, oid: appId as string as Oid, from: null, to: null })
  }
  for (const oid of oids) {
    const [old, now] = [before.onlyTenantOf(oid), after.onlyTenantOf(oid)]
    if (old === now) continue
    changed.push({ tenantId: null, oid, from: null, to: null })
    if (old) changed.push({ tenantId: old, oid, from: null, to: null })
  }
  return changed
}

/** What sign-ins of this principal go back to: it decides about parents also where no candidate changes. */
function relationsOf(directory: Directory, subject: { tenantId: TenantId; oid: Oid }): string {
  const principal = directory.principal(subject.tenantId, subject.oid)
  const validity = directory
    .applicationsOf(principal)
    .flatMap((application) => [spansText(application.alive), ...application.trusts.map((one) => [one.issuerTenant, one.subject, spansText(one.valid)].join())])
  const blueprints = principal?.blueprints.flatMap((blueprint) => [blueprint.key, ...blueprint.principals.map((one) => one.oid)])
  return JSON.stringify([principal?.kind === 'agent', blueprints?.toSorted() ?? [], validity.toSorted()])
}

const spansText = (spans: readonly Span[]): string => spans.map((span) => `${span.from}-${span.to}`).join()

/** The appIds under which an agent came to be known or changed: delegated sign-ins may stand under them. */
function appIdsOf(before: Directory, after: Directory, subject: { tenantId: TenantId; oid: Oid }): readonly AppId[] {
  const [old, now] = [before.principal(subject.tenantId, subject.oid), after.principal(subject.tenantId, subject.oid)]
  if (old?.kind === now?.kind && String(old?.appIds) === String(now?.appIds)) return []
  return [old, now].flatMap((principal) => (principal?.kind === 'agent' ? principal.appIds : []))
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The agents' ids (oid and appId) that became known or changed: events may be waiting for them. */
export function newAgentIds(before: Directory, after: Directory): readonly string[] {
  const ids = new Set<string>()
  for (const { tenantId, oid } of after.subjects()) {
    const now = after.principal(tenantId, oid)
    const old = before.principal(tenantId, oid)
    if (now?.kind !== 'agent' || (old?.kind === 'agent' && String(old.appIds) === String(now.appIds))) continue
    for (const id of [oid, ...now.appIds]) ids.add(id)
  }
  return [...ids]
}

/** LIKE patterns of the pools (`events.pool`) whose issuer the fresh facts may have changed. */
export function changedPools(all: readonly StoredFact[], fresh: ReadonlySet<StoredFact>): readonly string[] {
  const pools = new Pools(all)
  const renamed = new Set([...fresh].flatMap(({ fact }) => (fact.type === 'gcp-project' ? [fact.id, fact.number] : [])))
  const patterns = new Set<string>()
  for (const stored of all) {
    const { fact } = stored
    if (fact.type !== 'gcp-provider' || (!fresh.has(stored) && !renamed.has(fact.project))) continue
    for (const project of pools.namesOf(fact.project)) patterns.add(`${project}/${fact.pool}/`.replaceAll(/[\\%_]/g, '\\$&') + '%')
  }
  return [...patterns]
}
