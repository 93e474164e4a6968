import { RULES } from '#core/finding.ts'
import { HOUR } from '#core/time.ts'
import { OWN_FAULTS } from './engine/digest/codes.ts'
import { REFUSED_SIGN_INS } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { counted, during, list, sorted } from './engine/text.ts'

const WINDOW = 6n * HOUR
const SEVERAL = 2

/** Entra was out of order, and with it an agent's way to the clouds. */
export const finding: FindingRule = {
  ...RULES['entra-outage-coupling'],
  why: 'With Option 2 every new cloud credential needs a fresh agent token from Entra: "an Entra outage breaks the cloud LLM too. The two issuers are serial, not parallel" (article on managed identity and Entra objects). Good to know when a gap in an agent\'s work is explained.',
  remediation: 'None needed. If the agent must run through such failures: longer cloud sessions, or Option 1 for that cloud.',
  falsePositives: ['A client that retries once and succeeds.'],
  async evaluate(context) {
    const optionTwo = new Set(
      (await context.exchanges()).flatMap(({ profile: { tenantId, subjectOid, agentOid } }) =>
        tenantId !== null && subjectOid !== null && subjectOid === agentOid ? [`${tenantId}/${subjectOid}`] : [],
      ),
    )
    const refusals = (await context.groups(REFUSED_SIGN_INS)).filter(
      ({ profile: { tenantId, subjectOid, errorCode } }) => OWN_FAULTS.has(errorCode) && optionTwo.has(`${tenantId}/${subjectOid}`),
    )
    const byAgent = Map.groupBy(await context.eventsIn(REFUSED_SIGN_INS, refusals), (event) => `${event.tenantId}/${event.subjectOid}`)
    return [...byAgent.values()].flatMap((events): Draft[] => {
      const close = events.filter((event, index) => [index - SEVERAL + 1, index + SEVERAL - 1].some((other) => isWithin(event, events[other])))
      const [first] = close
      if (!first) return []
      return [
        {
          key: [first.tenantId, first.subjectOid],
          confidence: 'exact',
          tenantId: first.tenantId,
          oids: [first.subjectOid],
          evidence: close,
          explanation: `${counted(close.length, 'sign-in')} of ${first.subjectOid} failed ${during(close.map((event) => event.timeNs))} for a fault of Entra itself (${list(sorted(close.map((event) => event.errorCode)))}). The agent federates itself, so it could get no new cloud credential meanwhile.`,
        },
      ]
    })
  },
}

function isWithin(event: StoredEvent, other: StoredEvent | undefined): boolean {
  if (!other) return false
  const apart = event.timeNs - other.timeNs
  return (apart < 0n ? -apart : apart) <= WINDOW
}
