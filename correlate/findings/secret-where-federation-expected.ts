import { RULES } from '#core/finding.ts'
import { str } from '../formats/read.ts'
import { readEntry } from '../formats/gcp-audit/entry.ts'
import type { Context } from './engine/context.ts'
import { SECRET_ERRORS } from './engine/digest/codes.ts'
import type { Group } from './engine/digest/read.ts'
import { evidenceOf, totalOf } from './engine/digest/sum.ts'
import { FEDERATED_USES, KEY_USES, STATIC_CALLS, type StaticProfile } from './engine/digest/use-topics.ts'
import { REFUSED_SIGN_INS, type RefusalProfile, SECRET_SIGN_INS, type SecretProfile } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import { counted, during, list, sorted } from './engine/text.ts'

/** A secret or a static key is used where the design has a federation. */
export const finding: FindingRule = {
  ...RULES['secret-where-federation-expected'],
  why: "A client secret of a Blueprint, an IAM user's key, a Bedrock API key or a service-account key can be copied and works from anywhere, and the cloud's log then shows no Entra object id at all: the activity cannot be attributed. Leaked keys of this kind are what LLM-jacking lives on. The article's lower environment (Part 1) uses them, its production does not.",
  remediation:
    'Delete the secret or key and let the workload federate: a managed identity with a federated credential for the Blueprint, AssumeRoleWithWebIdentity for AWS, workload identity federation for Google. Forbid keys by policy (iam.disableServiceAccountKeyCreation, a service control policy on bedrock:CallWithBearerToken).',
  falsePositives: ['People who call models with their own key on purpose.', 'The half minute after a secret is created, in which Entra refuses it (7000215).'],
  async evaluate(context) {
    return [...(await signIns(context)), ...(await awsKeys(context)), ...(await googleKeys(context))]
  },
}

/** Blueprints and agents that sign in with a secret, or try to. */
async function signIns(context: Context): Promise<Draft[]> {
  const { directory, blueprints } = context
  const isOurs = ({ profile: { tenantId, proofOid, proofAppId, proofKind } }: Group<SecretProfile>): boolean => {
    const kind = tenantId === null ? proofKind : (directory.principal(tenantId, proofOid)?.kind ?? proofKind)
    return (
      proofKind !== 'user' &&
      proofKind !== 'managed-identity' &&
      (kind === 'agent' || kind === 'blueprint' || blueprints.hasPrincipal(tenantId, proofOid) || (proofAppId !== null && blueprints.hasAppId(proofAppId)))
    )
  }
  const refused = (await context.groups(REFUSED_SIGN_INS)).flatMap((group) =>
    SECRET_ERRORS.has(group.profile.errorCode) && group.profile.proofOid !== null && isOurs(group as Group<RefusalProfile & SecretProfile>) ? [group] : [],
  )
  const worked = (await context.groups(SECRET_SIGN_INS)).filter(isOurs)
  const firsts = new Map([...(await context.firstsIn(SECRET_SIGN_INS, worked)), ...(await context.firstsIn(REFUSED_SIGN_INS, refused))])
  const hits = [...worked.map((group) => ({ ...group, error: null })), ...refused.map((group) => ({ ...group, error: group.profile.errorCode }))]
  return [...Map.groupBy(hits, ({ profile }) => `${profile.tenantId}/${profile.proofOid}`).values()].map((group): Draft => {
    const { tenantId, proofOid } = group[0]!.profile
    const total = totalOf(group)
    const failed = group.reduce((sum, { error, events }) => (error === null ? sum : sum + events), 0)
    const said = [
      total.events > failed ? `signed in ${counted(total.events - failed, 'time')} with a client secret` : '',
      failed > 0 ? `was refused ${counted(failed, 'time')} over a secret (${list(sorted(group.map(({ error }) => error)))})` : '',
    ]
    return {
      key: ['entra', tenantId, proofOid],
      confidence: 'exact',
      tenantId,
      oids: [proofOid],
      evidence: evidenceOf(group, firsts),
      total,
      explanation: `The ${context.blueprints.hasPrincipal(tenantId, proofOid!) ? 'Blueprint' : 'principal'} ${proofOid} ${said.filter((part) => part !== '').join(' and ')} ${during([total.firstNs, total.lastNs])}.`,
    }
  })
}

/** Model calls on AWS with a long-lived key: an IAM user's, the root user's (which is no IAM user) or a Bedrock API key. */
async function awsKeys(context: Context): Promise<Draft[]> {
  const calls = await context.groups(STATIC_CALLS)
  const firsts = await context.firstsIn(STATIC_CALLS, calls)
  return [...Map.groupBy(calls, ({ profile }) => [profile.account, profile.principal, howOf(profile)].join('\n')).values()].map((group): Draft => {
    const { account, principal } = group[0]!.profile
    const how = howOf(group[0]!.profile)
    const total = totalOf(group)
    return {
      key: ['aws', account, principal, how],
      confidence: 'exact',
      tenantId: group.find(({ profile }) => profile.tenantId !== null)?.profile.tenantId ?? null,
      oids: group.flatMap(({ profile }) => [profile.subjectOid, profile.agentOid]),
      evidence: evidenceOf(group, firsts),
      total,
      explanation: `${principal ?? 'Somebody'} called ${list(sorted(group.map(({ profile }) => profile.model)))} ${counted(total.events, 'time')} in account ${account ?? '?'} with ${how} ${during([total.firstNs, total.lastNs])}. Such a call shows no Entra identity.`,
    }
  })
}

/** CloudTrail's `Root` and `IAMUser` are two types of identity (facts/aws.md c): the root user is no IAM user. */
const howOf = ({ credentialType }: StaticProfile): string =>
  credentialType === 'bedrock-api-key' ? 'a Bedrock API key' : credentialType === 'root' ? "the root user's key" : "an IAM user's key"

/** Model calls on Google with a service-account key, and federated service accounts that are used by key. */
async function googleKeys(context: Context): Promise<Draft[]> {
  const uses = await context.groups(KEY_USES)
  if (uses.length === 0) return []
  const federated = await federatedAccounts(context, sorted(uses.map(({ profile }) => profile.principal?.toLowerCase() ?? null)))
  const hits = uses.filter(({ profile: { isModelCall, principal } }) => isModelCall || (principal !== null && federated.has(principal.toLowerCase())))
  const firsts = await context.firstsIn(KEY_USES, hits)
  return [...Map.groupBy(hits, ({ profile }) => profile.principal).values()].map((group): Draft => {
    const { principal } = group[0]!.profile
    const users = federated.get(principal?.toLowerCase() ?? '') ?? []
    const known = sorted(users.map((user) => user.subjectOid))
    const models = group.reduce((sum, { profile, events }) => sum + (profile.isModelCall ? events : 0), 0)
    const did = models > 0 ? `, ${counted(models, 'of them a model call', 'of them model calls')},` : ''
    const total = totalOf(group)
    return {
      key: ['gcp', principal],
      confidence: 'exact',
      tenantId: users.find((user) => user.tenantId !== null)?.tenantId ?? null,
      oids: known,
      evidence: evidenceOf(group, firsts),
      total,
      explanation: `A downloaded key of ${principal ?? 'a service account'} was used for ${counted(total.events, 'call')}${did} ${during([total.firstNs, total.lastNs])}.${known.length > 0 ? ` The account is otherwise reached by federation, from ${list(known)}.` : ''}`,
    }
  })
}

interface User {
  readonly tenantId: string | null
  /** Null: somebody whom another issuer than Entra vouches for. */
  readonly subjectOid: string | null
}

/** Of these service accounts (lower case) those that a federated subject has a token minted for, calls as, or is allowed to; with who they are. */
async function federatedAccounts(context: Context, accounts: readonly string[]): Promise<ReadonlyMap<string, readonly User[]>> {
  const found = new Map<string, User[]>()
  for (const { profile } of (await context.groups(FEDERATED_USES)).toSorted((a, b) => (orderOf(a.profile) < orderOf(b.profile) ? -1 : 1))) {
    if (!accounts.includes(profile.account)) continue
    const users = found.get(profile.account)
    if (users) users.push(profile)
    else found.set(profile.account, [profile])
  }
  const openings = (await context.trustChanges()).filter(
    (change) => change.cloud === 'gcp' && change.members.some(({ member }) => /^principal(?:Set)?:/.test(member)),
  )
  for (const record of (await context.records(openings.map((change) => change.event))).values()) {
    const account = str(readEntry(record).call?.resourceLabels['email_id'])?.toLowerCase()
    if (account !== undefined && accounts.includes(account) && !found.has(account)) found.set(account, [])
  }
  return found
}

/** By tenant and subject, absent ones last. */
const orderOf = ({ tenantId, subjectOid }: User): string => `${tenantId ?? '~'}/${subjectOid ?? '~'}`
