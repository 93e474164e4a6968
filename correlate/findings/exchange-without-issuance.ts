import { RULES } from '#core/finding.ts'
import { HOUR } from '#core/time.ts'
import { MANAGED_IDENTITY_TOKEN_NS, TOKEN_NS } from '../link/parents.ts'
import { signInLogOf } from './engine/context.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { cloudName, counted, during, moment } from './engine/text.ts'

/** A known identity exchanged a token that Entra's log does not show being issued. */
export const finding: FindingRule = {
  ...RULES['exchange-without-issuance'],
  why: 'Behind every exchange stands a token of Entra. Where the sign-in log is complete and shows none within the longest life of a token (25 h for managed identities, 9 h for others), the token is older than it should be, forged, or was issued where nobody looks.',
  remediation:
    "Compare the exchange's address and time with the workload. Look for gaps in the collection of that sign-in log. If neither explains it, take the subject out of the cloud trust and rotate the workload's identity.",
  falsePositives: [
    'A gap inside the sign-in log.',
    'A token policy that allows longer lives than the defaults.',
    'Sign-ins that are delivered later than the exchange (then the finding is "probable" and goes away by itself).',
  ],
  async evaluate(context) {
    const { directory } = context
    const hits: { readonly event: StoredEvent; readonly life: bigint; readonly passed: boolean }[] = []
    for (const event of await context.entraExchanges()) {
      const { tenantId, subjectOid } = event
      if (event.parentId !== null || tenantId === null || subjectOid === null) continue
      const principal = directory.principal(tenantId, subjectOid)
      if (principal?.kind === 'user' || (principal === null && directory.trusting(tenantId, subjectOid).length === 0)) continue
      const logName = signInLogOf(directory, tenantId, subjectOid)
      const life = logName === 'entra:ManagedIdentitySignIn' ? MANAGED_IDENTITY_TOKEN_NS : TOKEN_NS
      const log = await context.signInLog(tenantId, logName)
      if (log && log.firstNs <= event.timeNs - life) hits.push({ event, life, passed: log.lastNs >= event.timeNs })
    }
    return [...Map.groupBy(hits, ({ event }) => [event.tenantId, event.subjectOid, event.source].join('\n')).values()].map((group): Draft => {
      const { event, life } = group[0]!
      const sure = group.some((hit) => hit.passed)
      return {
        key: [event.tenantId, event.subjectOid, event.source],
        confidence: sure ? 'derived' : 'probable',
        tenantId: event.tenantId,
        oids: [event.subjectOid],
        evidence: group.map((hit) => hit.event),
        explanation: `${event.subjectOid} made ${counted(group.length, 'exchange')} with ${cloudName(event.source)} ${during(group.map((hit) => hit.event.timeNs))}. Its sign-in log reaches back further than a token lives (${life / HOUR} h), and shows no token in that time.${sure ? '' : ` The log ends before ${moment(event.timeNs)}: a late record may still explain it.`}`,
      }
    })
  },
}
