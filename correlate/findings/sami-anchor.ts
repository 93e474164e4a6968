import { RULES } from '#core/finding.ts'
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
    const exchanges = Map.groupBy(await context.entraExchanges(), (event) => `${event.tenantId}/${event.subjectOid}`)
    const times = new Map(facts.map((fact) => [fact.eventId, fact.time]))
    return [...seen].flatMap(([key, one]): Draft[] => {
      // Records that contradict each other prove neither.
      if (!one.types.has('systemAssigned') || one.types.has('userAssigned')) return []
      const fics = directory.trusting(one.tenantId as never, one.oid as never)
      const used = exchanges.get(key) ?? []
      if (fics.length === 0 && used.length === 0) return []
      const named = fics.length > 0 ? ` ${counted(fics.length, 'federated credential')} ${fics.length === 1 ? 'names' : 'name'} it.` : ''
      const did = used.length > 0 ? ` It made ${counted(used.length, 'exchange')} with a cloud ${during(used.map((event) => event.timeNs))}.` : ''
      return [
        {
          key: [one.tenantId, one.oid],
          confidence: 'exact',
          tenantId: one.tenantId,
          oids: [one.oid],
          evidence: [...one.evidence, ...used, ...fics.flatMap((fic) => fic.identity.evidence.map((id) => ({ id, timeNs: times.get(id)! })))],
          explanation: `${one.oid} signs in as a system-assigned managed identity.${named}${did}`,
        },
      ]
    })
  },
}
