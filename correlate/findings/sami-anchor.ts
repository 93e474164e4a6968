import { RULES } from '#core/finding.ts'
import type { Group } from './engine/digest/read.ts'
import { evidenceOf, spanOf, totalOf } from './engine/digest/sum.ts'
import { EXCHANGES } from './engine/digest/identity-topics.ts'
import type { Draft, Evidence, FindingRule } from './engine/rule.ts'
import { counted, during } from './engine/text.ts'

/** A system-assigned identity stands where a user-assigned one should. */
export const finding: FindingRule = {
  ...RULES['sami-anchor'],
  why: 'A system-assigned identity lives and dies with its resource: every redeployment gives it a new object id, and every federated credential and cloud trust that names the old one breaks or is orphaned. The article calls it a footgun in this architecture: "always use a UAMI".',
  remediation:
    'Create a user-assigned managed identity, assign it to the resource, name its object id in the federated credential and in the cloud trust, and remove the system-assigned identity from both.',
  falsePositives: ['A resource that is never recreated. The trust still breaks on the day it is.'],
  async evaluate(context) {
    const { facts, directory } = context
    const seen = new Map<string, { readonly tenantId: string; readonly oid: string; readonly types: Set<string>; readonly evidence: Evidence[] }>()
    for (const { tenantId, fact, time, eventId } of facts) {
      if (fact.type !== 'seen' || fact.msiType === null) continue
      const key = `${tenantId}/${fact.oid}`
      const one = seen.get(key) ?? { tenantId, oid: fact.oid, types: new Set<string>(), evidence: [] }
      seen.set(key, one)
      one.types.add(fact.msiType)
      if (fact.msiType === 'systemAssigned') one.evidence.push({ id: eventId, timeNs: time })
    }
    const theirs = (await context.exchanges()).filter(({ profile }) => seen.get(`${profile.tenantId}/${profile.subjectOid}`)?.types.has('systemAssigned'))
    const exchanges = Map.groupBy(theirs, ({ profile }) => `${profile.tenantId}/${profile.subjectOid}`)
    const firsts = await context.firstsIn(EXCHANGES, theirs)
    const times = new Map(facts.map((fact) => [fact.eventId, fact.time]))
    return [...seen].flatMap(([key, one]): Draft[] => {
      // Records that contradict each other prove neither.
      if (!one.types.has('systemAssigned') || one.types.has('userAssigned')) return []
      const fics = directory.trusting(one.tenantId as never, one.oid as never)
      const used = exchanges.get(key) ?? []
      if (fics.length === 0 && used.length === 0) return []
      const named = [...one.evidence, ...fics.flatMap((fic) => fic.identity.evidence.map((id) => ({ id, timeNs: times.get(id)! })))]
      const trusted = fics.length > 0 ? ` ${counted(fics.length, 'federated credential')} ${fics.length === 1 ? 'names' : 'name'} it.` : ''
      const did = used.length > 0 ? ` It made ${counted(totalOf(used).events, 'exchange')} with a cloud ${during(spanOf(used))}.` : ''
      return [
        {
          key: [one.tenantId, one.oid],
          confidence: 'exact',
          tenantId: one.tenantId,
          oids: [one.oid],
          evidence: [...named, ...evidenceOf(used, firsts)],
          total: withMore(used, named),
          explanation: `${one.oid} signs in as a system-assigned managed identity.${trusted}${did}`,
        },
      ]
    })
  },
}

/** Exchanges, and the records that name the identity. */
function withMore(used: readonly Group<unknown>[], named: readonly Evidence[]): NonNullable<Draft['total']> {
  const times = [...(used.length > 0 ? spanOf(used) : []), ...named.map((one) => one.timeNs)].toSorted((a, b) => (a < b ? -1 : 1))
  return {
    events: (used.length > 0 ? totalOf(used).events : 0) + new Set(named.map((one) => one.id)).size,
    firstNs: times[0]!,
    lastNs: times.at(-1)!,
  }
}
