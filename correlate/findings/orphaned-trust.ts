import { RULES } from '#core/finding.ts'
import type { Oid, TenantId } from '#core/keys.ts'
import type { Context } from './engine/context.ts'
import { NO_MATCHING_CREDENTIAL } from './engine/digest/codes.ts'
import { EXCHANGES, REFUSED_SIGN_INS } from './engine/digest/identity-topics.ts'
import type { Draft, Evidence, FindingRule } from './engine/rule.ts'
import { counted, during, moment } from './engine/text.ts'

/** A managed identity was made anew under its old name, and a trust still waits for the old object id. */
export const finding: FindingRule = {
  ...RULES['orphaned-trust'],
  why: 'Deleting and creating a user-assigned managed identity gives it a new object id under the same name. Federated credentials and cloud trusts name the old one, so "the federation works once but stops on redeploy" (article on managed identity and Entra objects). Until they are re-pointed nothing works; until they are cleaned up they trust an id that nobody watches.',
  remediation:
    'Point the federated credential of the Blueprint, the AWS trust policy (":sub") and the Google provider condition and members to the new object id, and remove the old one. Refer to the identity by its ARM id, never by its name, in deployment scripts.',
  falsePositives: ['Two different identities that happen to have the same name in different resource groups, one deleted and one created.'],
  async evaluate(context) {
    const pairs = recreated(context)
    if (pairs.length === 0) return []
    const signIns = (await context.groups(REFUSED_SIGN_INS)).filter(
      ({ profile }) => NO_MATCHING_CREDENTIAL.has(profile.errorCode) && pairs.some((pair) => pair.tenantId === profile.tenantId),
    )
    const exchanges = (await context.groups(EXCHANGES)).filter(
      ({ profile }) => profile.outcome === 'failure' && pairs.some((pair) => pair.now === profile.proofOid),
    )
    const refusals = [...(await context.eventsIn(REFUSED_SIGN_INS, signIns)), ...(await context.eventsIn(EXCHANGES, exchanges))]
    return pairs.flatMap((pair): Draft[] => {
      const refused = refusals.filter((event) => {
        if (event.timeNs < pair.createdNs || (event.tenantId !== null && event.tenantId !== pair.tenantId)) return false
        if (event.kind === 'token.exchanged') return event.proofOid === pair.now
        const message = event.errorMessage?.toLowerCase() ?? ''
        // Entra prints the subject that found no match; where it does not, the application is one whose credential names the old identity.
        return message.includes(pair.now) || (!message.includes(pair.old) && trustsOld(context, pair, event.proofAppId))
      })
      const waiting = context.directory
        .trusting(pair.tenantId, pair.old)
        .filter((fic) => fic.identity.valid.at(-1)?.to === null && fic.application.alive.at(-1)?.to === null)
      if (refused.length === 0 && waiting.length === 0) return []
      const since = `The managed identity ${pair.name} (${pair.old}) was deleted at ${moment(pair.deletedNs)}; one of the same name, ${pair.now}, appeared at ${moment(pair.createdNs)}.`
      const said = refused.length > 0 ? ` It was refused ${counted(refused.length, 'time')} ${during(refused.map((event) => event.timeNs))}.` : ''
      const still =
        waiting.length > 0 ? ` ${counted(waiting.length, 'federated credential')} still ${waiting.length === 1 ? 'names' : 'name'} the old one.` : ''
      return [
        {
          key: [pair.tenantId, pair.old, pair.now],
          confidence: 'exact',
          tenantId: pair.tenantId,
          oids: [pair.old, pair.now],
          evidence: [...pair.evidence, ...refused, ...waiting.flatMap((fic) => factEvidence(context, new Set(fic.identity.evidence)))],
          explanation: since + said + still,
        },
      ]
    })
  },
}

interface Recreated {
  readonly tenantId: TenantId
  readonly name: string
  readonly old: Oid
  readonly now: Oid
  readonly deletedNs: bigint
  readonly createdNs: bigint
  readonly evidence: readonly Evidence[]
}

interface Identity {
  readonly tenantId: TenantId
  readonly oid: Oid
  readonly names: Set<string>
  first: Evidence
  created: Evidence | null
  deleted: Evidence | null
}

/** Managed identities that are gone, each with those of the same name that came after. */
function recreated({ facts }: Context): Recreated[] {
  const identities = new Map<string, Identity>()
  for (const { tenantId, fact, time, eventId } of facts) {
    if (fact.type !== 'seen' || fact.kind !== 'managed-identity') continue
    const at = { id: eventId, timeNs: time }
    const key = `${tenantId}/${fact.oid}`
    const known = identities.get(key)
    const identity = known ?? { tenantId, oid: fact.oid, names: new Set<string>(), first: at, created: null, deleted: null }
    if (!known) identities.set(key, identity)
    if (fact.name) identity.names.add(fact.name.toLowerCase())
    if (before(at, identity.first)) identity.first = at
  }
  for (const { tenantId, fact, time, eventId } of facts) {
    if (fact.type !== 'lifecycle') continue
    const identity = identities.get(`${tenantId}/${fact.id}`)
    const at = { id: eventId, timeNs: time }
    if (!identity) continue
    if (fact.change === 'created' && (identity.created === null || before(at, identity.created))) identity.created = at
    if (fact.change === 'deleted' && (identity.deleted === null || before(identity.deleted, at))) identity.deleted = at
  }
  const all = [...identities.values()]
  const restored = new Set(
    facts.flatMap(({ tenantId, fact, time }) =>
      fact.type === 'lifecycle' && fact.change === 'restored' && isLater(time, identities.get(`${tenantId}/${fact.id}`)) ? [`${tenantId}/${fact.id}`] : [],
    ),
  )
  return all.flatMap((old) => {
    const gone = old.deleted
    if (gone === null || restored.has(`${old.tenantId}/${old.oid}`)) return []
    return all.flatMap((now): Recreated[] => {
      const name = [...old.names].filter((one) => now.names.has(one)).toSorted()[0]
      const start = now.created ?? now.first
      if (now === old || now.tenantId !== old.tenantId || name === undefined || start.timeNs < gone.timeNs) return []
      return [{ tenantId: old.tenantId, name, old: old.oid, now: now.oid, deletedNs: gone.timeNs, createdNs: start.timeNs, evidence: [gone, start] }]
    })
  })
}

const before = (a: Evidence, b: Evidence): boolean => a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.id < b.id)
const isLater = (time: bigint, identity: Identity | undefined): boolean => identity?.deleted != null && time > identity.deleted.timeNs

function trustsOld({ directory }: Context, pair: { readonly tenantId: TenantId; readonly old: Oid }, appId: string | null): boolean {
  return (
    appId !== null &&
    directory
      .trusting(pair.tenantId, pair.old)
      .some(
        ({ application }) =>
          application.key === `${application.tenantId}/app:${appId}` || application.principals.some((principal) => principal.appIds.includes(appId as never)),
      )
  )
}

/** Evidence of the directory knows ids only; the facts know their times. */
function factEvidence({ facts }: Context, ids: ReadonlySet<string>): Evidence[] {
  return facts.flatMap(({ eventId, time }) => (ids.has(eventId) ? [{ id: eventId, timeNs: time }] : []))
}
