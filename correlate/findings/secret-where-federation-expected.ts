import type { EventId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { at, getAnyCase, bool, str } from '../formats/read.ts'
import { readEntry } from '../formats/gcp-audit/entry.ts'
import type { Context } from './engine/context.ts'
import { clientCredentialOf } from './engine/sign-in.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { counted, during, list, sorted } from './engine/text.ts'

/** Wrong secret, no credential, expired secret (facts/entra.md d): each of them only where a secret is in use. */
const SECRET_ERRORS = ['7000215', '7000218', '7000222']

/** A secret or a static key is used where the design has a federation. */
export const finding: FindingRule = {
  id: 'secret-where-federation-expected',
  title: 'A secret or static key is used where a federation is expected',
  severity: 'high',
  attack: 'T1552.001',
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
  // Index events_issued. A look at the text first: parsing every sign-in would cost more than reading them.
  const bySecret = await context.eventsByText(
    `${of} and e.outcome = 'success'`,
    (text) => /clientSecret/i.test(text) && clientCredentialOf(JSON.parse(text)) === 'clientsecret',
  )
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

/** Model calls on AWS with an IAM user's key or a Bedrock API key. */
async function awsKeys(context: Context): Promise<Draft[]> {
  // Index events_findings.
  const hits = await context.eventsByText(
    `e.kind = 'llm.invoked' and e.source = 'aws'`,
    (text) => /"IAMUser"|"Root"|callWithBearerToken|BedrockAPIKey-/i.test(text) && keyKind(JSON.parse(text)) !== null,
  )
  const how = new Map([...(await context.records(hits))].map(([id, record]) => [id, keyKind(record)]))
  return [...Map.groupBy(hits, (event) => [event.account, event.principal, how.get(event.id)].join('\n')).values()].map((group): Draft => {
    const { account, principal, id } = group[0]!
    return {
      key: ['aws', account, principal, how.get(id) ?? null],
      confidence: 'exact',
      tenantId: group.find((event) => event.tenantId !== null)?.tenantId ?? null,
      oids: group.flatMap((event) => [event.subjectOid, event.agentOid]),
      evidence: group,
      explanation: `${principal ?? 'Somebody'} called ${list(sorted(group.map((event) => event.modelName ?? event.modelId)))} ${counted(group.length, 'time')} in account ${account ?? '?'} with ${how.get(id)} ${during(group.map((event) => event.timeNs))}. Such a call shows no Entra identity.`,
    }
  })
}

function keyKind(record: JsonObject): "an IAM user's key" | 'a Bedrock API key' | null {
  const identity = getAnyCase(record, 'userIdentity')
  const bearer = [at(record, 'additionalEventData.callWithBearerToken'), at(record, 'requestParameters.callWithBearerToken')].some(
    (value) => bool(value) === true,
  )
  if (bearer || str(getAnyCase(identity, 'userName'))?.startsWith('BedrockAPIKey-')) return 'a Bedrock API key'
  return /^(?:IAMUser|Root)$/.test(str(getAnyCase(identity, 'type')) ?? '') && str(getAnyCase(identity, 'invokedBy')) === null ? "an IAM user's key" : null
}

/** Model calls on Google with a service-account key, and federated service accounts that are used by key. */
async function googleKeys(context: Context): Promise<Draft[]> {
  const federated = await federatedAccounts(context)
  // Indexes events_findings and events_gcp_unproven.
  const calls = await context.events(`e.source = 'gcp' and e.proof = 'nothing' and (e.kind = 'llm.invoked' or e.principal = any($1::text[]))`, [
    [...federated.keys()],
  ])
  const byKey = new Set<EventId>()
  await context.eachText(calls, (id, text) => {
    if (/serviceAccountKeyName/i.test(text) && readEntry(JSON.parse(text)).call?.byKey) byKey.add(id)
  })
  const hits = calls.filter((event) => byKey.has(event.id))
  return [...Map.groupBy(hits, (event) => event.principal).values()].map((group): Draft => {
    const { principal } = group[0]!
    const users = principal === null ? [] : (usersOf(federated, principal) ?? [])
    const models = group.filter((event) => event.kind === 'llm.invoked').length
    const did = models > 0 ? `, ${counted(models, 'of them a model call', 'of them model calls')},` : ''
    return {
      key: ['gcp', principal],
      confidence: 'exact',
      tenantId: users[0]?.tenantId ?? null,
      oids: users.map((event) => event.subjectOid),
      evidence: group,
      explanation: `A downloaded key of ${principal ?? 'a service account'} was used for ${counted(group.length, 'call')}${did} ${during(group.map((event) => event.timeNs))}.${users.length > 0 ? ` The account is otherwise reached by federation, from ${list(sorted(users.map((event) => event.subjectOid)))}.` : ''}`,
    }
  })
}

type Accounts = Map<string, StoredEvent[]>

/** Service accounts that a federated subject has a token minted for, or is allowed to. */
async function federatedAccounts(context: Context): Promise<Accounts> {
  const accounts: Accounts = new Map()
  const mints = await context.events(`e.kind = 'credential.minted' and e.source = 'gcp' and e.outcome = 'success' and c.subject_oid is not null`)
  for (const mint of mints) if (mint.resource?.includes('@')) add(accounts, mint.resource.toLowerCase(), mint)
  const calls = await context.events(`e.source = 'gcp' and e.proof = 'federation' and e.kind = 'llm.invoked' and e.principal like '%@%'`)
  for (const call of calls) add(accounts, call.principal!.toLowerCase(), call)
  const records = await context.records(
    (await context.trustChanges()).filter((change) => change.cloud === 'gcp' && change.members.length > 0).map((change) => change.event),
  )
  for (const change of await context.trustChanges()) {
    const record = change.cloud === 'gcp' && change.members.some(({ member }) => /^principal(?:Set)?:/.test(member)) ? records.get(change.event.id) : undefined
    const account = record === undefined ? null : str(readEntry(record).call?.resourceLabels['email_id'])
    if (account !== null && account !== undefined && !accounts.has(account.toLowerCase())) accounts.set(account.toLowerCase(), [])
  }
  return accounts
}

function add(accounts: Accounts, account: string, event: StoredEvent): void {
  const users = accounts.get(account)
  if (users) users.push(event)
  else accounts.set(account, [event])
}

const usersOf = (accounts: Accounts, account: string): readonly StoredEvent[] | undefined => accounts.get(account.toLowerCase())
