import { RULES } from '#core/finding.ts'
import { str } from '../formats/read.ts'
import { readEntry } from '../formats/gcp-audit/entry.ts'
import type { Context } from './engine/context.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { counted, during, list, sorted } from './engine/text.ts'

/** Wrong secret, no credential, expired secret (facts/entra.md d): each of them only where a secret is in use. */
const SECRET_ERRORS = ['7000215', '7000218', '7000222']

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
  const of = `e.kind = 'token.issued' and e.proof_oid is not null and e.proof_kind is distinct from 'user' and e.proof_kind is distinct from 'managed-identity'`
  // Indexes events_static and events_issued.
  const bySecret = await context.events(`${of} and e.outcome = 'success' and e.credential_type = 'clientsecret'`)
  const refusedSecret = await context.events(`${of} and e.outcome = 'failure' and e.error_code in (${SECRET_ERRORS.map((code) => `'${code}'`).join(', ')})`)
  const hits = [...bySecret, ...refusedSecret].filter((event) => {
    const oid = event.proofOid!
    const kind = event.tenantId === null ? event.proofKind : (directory.principal(event.tenantId, oid)?.kind ?? event.proofKind)
    return (
      kind === 'agent' ||
      kind === 'blueprint' ||
      blueprints.hasPrincipal(event.tenantId, oid) ||
      (event.proofAppId !== null && blueprints.hasAppId(event.proofAppId))
    )
  })
  return [...Map.groupBy(hits, (event) => `${event.tenantId}/${event.proofOid}`).values()].map((group): Draft => {
    const { tenantId, proofOid } = group[0]!
    const worked = group.filter((event) => event.outcome === 'success')
    const refused = group.length - worked.length
    const said = [
      worked.length > 0 ? `signed in ${counted(worked.length, 'time')} with a client secret` : '',
      refused > 0 ? `was refused ${counted(refused, 'time')} over a secret (${list(sorted(group.map((event) => event.errorCode)))})` : '',
    ]
    return {
      key: ['entra', tenantId, proofOid],
      confidence: 'exact',
      tenantId,
      oids: [proofOid],
      evidence: group,
      explanation: `The ${context.blueprints.hasPrincipal(tenantId, proofOid!) ? 'Blueprint' : 'principal'} ${proofOid} ${said.filter((part) => part !== '').join(' and ')} ${during(group.map((event) => event.timeNs))}.`,
    }
  })
}

/** Model calls on AWS with a long-lived key: an IAM user's, the root user's (which is no IAM user) or a Bedrock API key. */
async function awsKeys(context: Context): Promise<Draft[]> {
  // Index events_static.
  const hits = await context.events(`e.kind = 'llm.invoked' and e.source = 'aws' and e.credential_type in ('iam-user', 'root', 'bedrock-api-key')`)
  return [...Map.groupBy(hits, (event) => [event.account, event.principal, howOf(event)].join('\n')).values()].map((group): Draft => {
    const { account, principal } = group[0]!
    const how = howOf(group[0]!)
    return {
      key: ['aws', account, principal, how],
      confidence: 'exact',
      tenantId: group.find((event) => event.tenantId !== null)?.tenantId ?? null,
      oids: group.flatMap((event) => [event.subjectOid, event.agentOid]),
      evidence: group,
      explanation: `${principal ?? 'Somebody'} called ${list(sorted(group.map((event) => event.modelName ?? event.modelId)))} ${counted(group.length, 'time')} in account ${account ?? '?'} with ${how} ${during(group.map((event) => event.timeNs))}. Such a call shows no Entra identity.`,
    }
  })
}

/** CloudTrail's `Root` and `IAMUser` are two types of identity (facts/aws.md c): the root user is no IAM user. */
const howOf = ({ credentialType }: StoredEvent): string =>
  credentialType === 'bedrock-api-key' ? 'a Bedrock API key' : credentialType === 'root' ? "the root user's key" : "an IAM user's key"

/** Model calls on Google with a service-account key, and federated service accounts that are used by key. */
async function googleKeys(context: Context): Promise<Draft[]> {
  // Index events_static.
  const uses = await context.events(`e.credential_type = 'service-account-key' and e.source = 'gcp' and e.proof = 'nothing'`)
  if (uses.length === 0) return []
  const federated = await federatedAccounts(context, sorted(uses.map((event) => event.principal?.toLowerCase() ?? null)))
  const hits = uses.filter((event) => event.kind === 'llm.invoked' || (event.principal !== null && federated.has(event.principal.toLowerCase())))
  return [...Map.groupBy(hits, (event) => event.principal).values()].map((group): Draft => {
    const { principal } = group[0]!
    const users = federated.get(principal?.toLowerCase() ?? '') ?? []
    const known = sorted(users.map((user) => user.subjectOid))
    const models = group.filter((event) => event.kind === 'llm.invoked').length
    const did = models > 0 ? `, ${counted(models, 'of them a model call', 'of them model calls')},` : ''
    return {
      key: ['gcp', principal],
      confidence: 'exact',
      tenantId: users.find((user) => user.tenantId !== null)?.tenantId ?? null,
      oids: known,
      evidence: group,
      explanation: `A downloaded key of ${principal ?? 'a service account'} was used for ${counted(group.length, 'call')}${did} ${during(group.map((event) => event.timeNs))}.${known.length > 0 ? ` The account is otherwise reached by federation, from ${list(known)}.` : ''}`,
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
  const { rows } = await context.client.query<User & { account: string }>(
    `select distinct account, c.tenant_id as "tenantId", c.subject_oid as "subjectOid" from (
       select lower(resource) as account, time_ns, event_id, false as federated from events where kind = 'credential.minted' and source = 'gcp' and outcome = 'success' and lower(resource) = any($1::text[])
       union all select lower(principal), time_ns, event_id, true from events where source = 'gcp' and proof = 'federation' and kind = 'llm.invoked' and lower(principal) = any($1::text[])
     ) e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id where e.federated or c.subject_oid is not null order by 1, 2, 3`,
    [accounts],
  )
  const found = new Map<string, readonly User[]>(Map.groupBy(rows, (row) => row.account))
  const openings = (await context.trustChanges()).filter(
    (change) => change.cloud === 'gcp' && change.members.some(({ member }) => /^principal(?:Set)?:/.test(member)),
  )
  for (const record of (await context.records(openings.map((change) => change.event))).values()) {
    const account = str(readEntry(record).call?.resourceLabels['email_id'])?.toLowerCase()
    if (account !== undefined && accounts.includes(account) && !found.has(account)) found.set(account, [])
  }
  return found
}
