/** Findings over groups of events: what the groups amount to, and the events that are listed of them. */
import type { TenantId } from '#core/keys.ts'
import type { Draft, Evidence } from '../rule.ts'
import type { Group, Ref } from './read.ts'

/** How many events there are in these groups (at least one), and from when to when. */
export function totalOf(groups: readonly Group<unknown>[]): NonNullable<Draft['total']> {
  return {
    events: groups.reduce((sum, group) => sum + group.events, 0),
    firstNs: groups.reduce((first, { firstNs }) => (firstNs < first ? firstNs : first), groups[0]!.firstNs),
    lastNs: groups.reduce((last, { lastNs }) => (lastNs > last ? lastNs : last), groups[0]!.lastNs),
  }
}

/** The first events of these groups, each with the tenant of its group. */
export function evidenceOf(groups: readonly Group<{ readonly tenantId: TenantId | null }>[], firsts: ReadonlyMap<string, readonly Ref[]>): readonly Evidence[] {
  return groups.flatMap(({ key, profile: { tenantId } }) => (firsts.get(key) ?? []).map((ref) => ({ ...ref, tenantId })))
}

/** The same for the explanation's `during`. */
export const spanOf = (groups: readonly Group<unknown>[]): readonly [bigint, bigint] => {
  const { firstNs, lastNs } = totalOf(groups)
  return [firstNs, lastNs]
}
