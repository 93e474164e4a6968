import { RULES } from '#core/finding.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { Revoked } from './engine/revocation.ts'
import { cloudName, counted, moment } from './engine/text.ts'

/** What a deleted or disabled agent still did, beyond what its last tokens explain. */
export const finding: FindingRule = {
  ...RULES['activity-after-revocation'],
  why: 'Deleting an Agent Identity ends the issuing of tokens, but recalls none: an issued token and the cloud session made with it run out by themselves (agent tokens up to 9 h, AWS sessions up to 12 h more). A token issued, or a cloud session opened, that the last regular token cannot explain means that the revocation does not hold.',
  remediation:
    "Remove the subject from the AWS trust policy and the Google provider, revoke the role's active sessions (AWSRevokeOlderSessions), disable the service account or the pool, and find out who holds the credential. Check that the deletion was not restored elsewhere.",
  falsePositives: [
    'A restore or re-enabling whose audit record has not arrived.',
    'Clocks of two clouds that differ by more than the time between the events.',
  ],
  async evaluate(context) {
    return (await context.revoked()).filter(({ acts }) => acts.length > 0).map(draft)
  },
}

function draft({ tenantId, oid, spans, acts, sure, last, auditedUntil, proof }: Revoked): Draft {
  const concerned = spans.filter((span) => acts.some((act) => act.timeNs > span.from && (span.to === null || act.timeNs < span.to)))
  const first = concerned[0]!
  const parts = [
    [acts.filter((act) => act.kind === 'token.issued').length, 'new token'],
    [acts.filter((act) => act.kind === 'token.exchanged').length, 'exchange'],
    [acts.filter((act) => act.kind !== 'token.issued' && act.kind !== 'token.exchanged').length, 'act'],
  ] as const
  const said = parts.flatMap(([count, noun]) => (count > 0 ? [noun === 'act' ? `${counted(count, 'act')} in sessions opened so` : counted(count, noun)] : []))
  const lasts = [...last].map(([source, event]) => `${cloudName(source)} ${moment(event.timeNs)}`)
  const unaudited = auditedUntil === null || acts.some((act) => act.timeNs > auditedUntil)
  const doubts = [
    sure ? '' : ", but the sign-in log does not cover a token's life before it, so one may be missing",
    unaudited && first.to === null ? '. No later change of the directory is stored: if it was restored, that record is missing' : '',
  ]
  return {
    key: [tenantId, oid],
    severity: sure ? 'critical' : 'high',
    // A token that was issued is a record; that none was issued follows from a log that is complete.
    confidence: !sure ? 'probable' : acts.some((act) => act.kind === 'token.issued') ? 'exact' : 'derived',
    tenantId,
    oids: [oid],
    evidence: [...concerned.map((span) => span.by), ...acts],
    details: proof,
    explanation: `The agent ${oid} was ${first.change} at ${moment(first.from)}${first.to === null ? ' and not restored' : `, until ${moment(first.to)}`}. After that: ${said.join(', ')}. No token from before the revocation explains this${doubts.join('')}. Last success after it: ${lasts.join(', ')}.${aliveText(proof['aliveUntil'])}`,
  }
}

const aliveText = (until: unknown): string => (typeof until === 'string' ? ` What it holds is good until ${until.slice(0, 19)}Z at the latest.` : '')
