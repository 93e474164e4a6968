import type { EventId } from '#core/keys.ts'
import { TOKEN_NS } from '../link/parents.ts'
import type { StoredFact } from '../directory/fact.ts'
import type { Draft, Evidence, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { cloudName, counted, moment } from './engine/text.ts'

/** What a deleted or disabled agent still did, beyond what its last tokens explain. */
export const finding: FindingRule = {
  id: 'activity-after-revocation',
  title: 'A deleted or disabled agent is still active',
  severity: 'critical',
  attack: 'T1078.004',
  why: 'Deleting an Agent Identity ends the issuing of tokens, but recalls none: an issued token and the cloud session made with it run out by themselves (agent tokens up to 9 h, AWS sessions up to 12 h more). A token issued, or a cloud session opened, that the last regular token cannot explain means that the revocation does not hold.',
  remediation:
    "Remove the subject from the AWS trust policy and the Google provider, revoke the role's active sessions (AWSRevokeOlderSessions), disable the service account or the pool, and find out who holds the credential. Check that the deletion was not restored elsewhere.",
  falsePositives: [
    'A restore or re-enabling whose audit record has not arrived.',
    'Clocks of two clouds that differ by more than the time between the events.',
  ],
  async evaluate(context) {
    const { directory, facts } = context
    const lifecycle = Map.groupBy(facts.filter(({ fact }) => fact.type === 'lifecycle') as LifecycleFact[], ({ tenantId, fact }) => `${tenantId}/${fact.id}`)
    const revoked = [...lifecycle].flatMap(([key, changes]) => {
      const [tenantId, oid] = [key.slice(0, 36), key.slice(37)]
      if (directory.principal(tenantId as never, oid as never)?.kind !== 'agent') return []
      const spans = revocations(changes)
      return spans.length > 0 ? [{ tenantId, oid, spans }] : []
    })
    const events = Map.groupBy(await context.eventsOf(revoked, `l.is_subject`), (event) => `${event.tenantId}/${event.subjectOid}`)
    const drafts: Draft[] = []
    for (const { tenantId, oid, spans } of revoked) {
      const own = events.get(`${tenantId}/${oid}`) ?? []
      const log = await context.signInLog(tenantId, 'entra:ServicePrincipalSignIn')
      const acts = spans.flatMap((span) => actsIn(span, own))
      if (acts.length === 0) continue
      const proven = (act: StoredEvent): boolean =>
        act.kind === 'token.issued' || act.timeNs - TOKEN_NS > spans[0]!.from || (log !== null && log.firstNs <= act.timeNs - TOKEN_NS)
      drafts.push(draft(tenantId, oid, spans, own, acts, acts.some(proven)))
    }
    return drafts
  },
}

type LifecycleFact = StoredFact & { readonly fact: { readonly type: 'lifecycle' } }

interface Revocation {
  readonly by: Evidence
  readonly change: 'deleted' | 'disabled'
  readonly from: bigint
  /** When it was taken back; null: it holds. */
  readonly to: bigint | null
}

/** When the agent was deleted or disabled, each until it was restored or enabled again. */
function revocations(changes: readonly LifecycleFact[]): Revocation[] {
  const inOrder = changes.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.eventId < b.eventId ? -1 : 1))
  return inOrder.flatMap(({ fact, time, eventId }, index): Revocation[] => {
    if (fact.change !== 'deleted' && fact.change !== 'disabled') return []
    const endings = fact.change === 'deleted' ? ['restored', 'created'] : ['enabled']
    const end = inOrder.slice(index + 1).find((later) => endings.includes(later.fact.change))
    return [{ by: { id: eventId, timeNs: time }, change: fact.change, from: time, to: end?.time ?? null }]
  })
}

/** Successes in the span that no token from before the revocation explains. */
function actsIn(span: Revocation, events: readonly StoredEvent[]): StoredEvent[] {
  const inside = events.filter((event) => event.outcome === 'success' && event.timeNs > span.from && (span.to === null || event.timeNs < span.to))
  const tokens = inside.filter((event) => event.kind === 'token.issued')
  const issuedBefore = events.filter((event) => event.kind === 'token.issued' && event.outcome === 'success' && event.timeNs <= span.from)
  const exchanges = inside.filter((event) => {
    if (event.kind !== 'token.exchanged') return false
    const since = event.timeNs - TOKEN_NS
    // Later than any regular token lives, or within its life, but none was issued.
    return since > span.from || !issuedBefore.some((token) => token.timeNs >= since)
  })
  const sessions = new Set(exchanges.flatMap((event) => event.sessionId ?? []))
  const used = inside.filter((event) => event.kind !== 'token.exchanged' && event.sessionId !== null && sessions.has(event.sessionId))
  return [...tokens, ...exchanges, ...used]
}

function draft(tenantId: string, oid: string, spans: readonly Revocation[], own: readonly StoredEvent[], acts: readonly StoredEvent[], sure: boolean): Draft {
  const concerned = spans.filter((span) => acts.some((act) => act.timeNs > span.from && (span.to === null || act.timeNs < span.to)))
  const first = concerned[0]!
  const parts = [
    [acts.filter((act) => act.kind === 'token.issued').length, 'new token'],
    [acts.filter((act) => act.kind === 'token.exchanged').length, 'exchange'],
    [acts.filter((act) => act.kind !== 'token.issued' && act.kind !== 'token.exchanged').length, 'act'],
  ] as const
  const said = parts.flatMap(([count, noun]) => (count > 0 ? [noun === 'act' ? `${counted(count, 'act')} in sessions opened so` : counted(count, noun)] : []))
  const lastOf = (source: string): string | null => {
    const last = own.findLast((event) => event.source === source && event.outcome === 'success' && event.timeNs > first.from)
    return last ? `${cloudName(source)} ${moment(last.timeNs)}` : null
  }
  const lasts = ['entra', 'aws', 'gcp', 'app'].map(lastOf).filter((text) => text !== null)
  const ids = new Set<EventId>()
  return {
    key: [tenantId, oid],
    severity: sure ? 'critical' : 'high',
    confidence: sure ? 'exact' : 'probable',
    tenantId,
    oids: [oid],
    evidence: [...concerned.map((span) => span.by), ...acts].filter((one) => !ids.has(one.id) && ids.add(one.id)),
    explanation: `The agent ${oid} was ${first.change} at ${moment(first.from)}${first.to === null ? ' and not restored' : `, until ${moment(first.to)}`}. After that: ${said.join(', ')}. No token from before the revocation explains this${sure ? '' : ", but the sign-in log does not reach back a token's life, so one may be missing"}. Last success after it: ${lasts.join(', ')}.`,
  }
}
