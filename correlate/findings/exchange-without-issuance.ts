import { RULES } from '#core/finding.ts'
import { HOUR } from '#core/time.ts'
import { MANAGED_IDENTITY_TOKEN_NS, TOKEN_NS } from '../link/parents.ts'
import { type Context, signInLogOf } from './engine/context.ts'
import { type LogSpan, reachesBack } from './engine/log-span.ts'
import type { Group } from './engine/digest/read.ts'
import { EXCHANGES, type ExchangeProfile } from './engine/digest/identity-topics.ts'
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
    'A gap inside the sign-in log that nobody knows of. Times of which records are known to be missing are left out.',
    'A token policy that allows longer lives than the defaults.',
    'Sign-ins that are delivered later than the exchange (then the finding is "probable" and goes away by itself).',
  ],
  async evaluate(context) {
    const suspects: Group<ExchangeProfile>[] = []
    for (const group of await context.exchanges()) {
      const terms = group.profile.orphan ? await termsOf(context, group.profile) : null
      if (terms !== null && terms.log.firstNs <= group.lastNs - terms.life) suspects.push(group)
    }
    const hits: { readonly event: StoredEvent; readonly life: bigint; readonly passed: boolean }[] = []
    for (const event of await context.eventsIn(EXCHANGES, suspects)) {
      const { log, life } = (await termsOf(context, event))!
      if (reachesBack(log, event.timeNs - life, event.timeNs)) hits.push({ event, life, passed: log.lastNs >= event.timeNs })
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

/** How long a token of this subject lives, and the log that would show it; null where nothing can be said. */
async function termsOf(
  { directory, signInLog }: Context,
  { tenantId, subjectOid }: Pick<StoredEvent, 'tenantId' | 'subjectOid'>,
): Promise<{ readonly log: LogSpan; readonly life: bigint } | null> {
  if (tenantId === null || subjectOid === null) return null
  const principal = directory.principal(tenantId, subjectOid)
  if (principal?.kind === 'user' || (principal === null && directory.trusting(tenantId, subjectOid).length === 0)) return null
  const name = signInLogOf(directory, tenantId, subjectOid)
  const log = await signInLog(tenantId, name)
  return log && { log, life: name === 'entra:ManagedIdentitySignIn' ? MANAGED_IDENTITY_TOKEN_NS : TOKEN_NS }
}
