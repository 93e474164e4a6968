import { RULES } from '#core/finding.ts'
import { SHARED } from './engine/digest/use-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

/** Cloud activity that several agents could have done, because they share the managed identity that the cloud sees. */
export const finding: FindingRule = {
  ...RULES['shared-uami-unattributable'],
  why: 'With Option 1 the cloud logs the managed identity. If several agents run on it, no record says which of them called the model: neither an incident nor a bill can be attributed. The article: "one cloud-side principal shared by every agent on the UAMI".',
  remediation:
    'Give each agent a user-assigned managed identity of its own, or let the Agent Identities federate (Option 2), so that the cloud logs the agent.',
  falsePositives: [
    'An agent that still exists but never runs counts as a candidate until it is deleted or disabled, and after that in the sessions that began before: a credential may be in a cache that it shared.',
  ],
  async evaluate({ groups, firstsIn, directory }) {
    const subjects = new Set(
      [...directory.subjects()].flatMap(({ tenantId, oid }) => (directory.principal(tenantId, oid)?.kind === 'agent' ? [] : [`${tenantId}/${oid}`])),
    )
    const hits = (await groups(SHARED)).filter(({ profile }) => subjects.has(`${profile.tenantId}/${profile.subjectOid}`))
    const firsts = await firstsIn(SHARED, hits)
    return [...Map.groupBy(hits, ({ profile }) => `${profile.tenantId}/${profile.subjectOid}`).values()].map((group): Draft => {
      const { tenantId, subjectOid } = group[0]!.profile
      const agents = sorted(group.flatMap(({ profile }) => profile.candidates))
      const times = group.flatMap(({ firstNs, lastNs }) => [firstNs, lastNs]).toSorted((a, b) => (a < b ? -1 : 1))
      const count = (some: typeof group): number => some.reduce((sum, { events }) => sum + events, 0)
      const clouds = [...Map.groupBy(group, ({ profile }) => profile.source)]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([source, some]) => `${counted(count(some), 'event')} on ${cloudName(source)}`)
      return {
        key: [tenantId, subjectOid],
        confidence: 'exact',
        tenantId,
        oids: [subjectOid, ...agents],
        evidence: group.flatMap(({ key }) => firsts.get(key) ?? []),
        total: { events: count(group), firstNs: times[0]!, lastNs: times.at(-1)! },
        explanation: `${clouds.join(' and ')} ${during(times)} prove the identity ${subjectOid} only, which ${counted(agents.length, 'agent')} could use: ${list(agents)}.`,
      }
    })
  },
}
