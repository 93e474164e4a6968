/** What an agent does on AWS: federation, role chains over accounts, model calls with their usage logs. */
import type { Agent, ManagedIdentity } from '../cast.ts'
import type { Draft, Meaning } from '../draft.ts'
import { invocationDraft, trailDraft } from '../draft.ts'
import { awsTime } from '../moments.ts'
import type { Random } from '../random.ts'
import { BASE32, LETTERS } from '../random.ts'
import type { AssumedRole, TrailCall } from '../records/aws.ts'
import { assumedRoleIdentity, assumedRoleUser, issuedCredentials, roleArn } from '../records/aws.ts'
import { TOKEN_EXCHANGE } from '../records/entra-signin.ts'
import type { Process } from './agent-tokens.ts'
import { cloudResource, ensureAgentToken, ensureBridge, ensureIdentity, pass } from './agent-tokens.ts'

const HOUR = 3_600_000
const CITIES = ['Oslo', 'Quito', 'Paris', 'Lagos', 'Perth', 'Busan'] as const
const MODELS = ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon.nova-lite-v1:0', 'us.anthropic.claude-3-haiku-20240307-v1:0'] as const

/** Credentials of one AssumeRoleWithWebIdentity and what was minted from them. */
export interface AwsSession {
  readonly rootId: string
  /** When it began, as its record says it, ms. */
  readonly since: number
  readonly claim: Meaning['claim']
  readonly until: number
  readonly region: string
  /** Key that model calls are made with: the federated one, or the last of the chain. */
  readonly worker: AssumedRole
  /** Native id of the event that issued the worker's key; null where two copies of it exist. */
  readonly workerIssuer: string | null
}

/** A session that lasts a while yet; null when AWS or Entra refuses. */
export function* ensureAwsSession(process: Process, current: AwsSession | null): Generator<Draft, AwsSession | null> {
  const { agent, random } = process
  const { aws, tenant } = agent
  if (!aws) return null
  if (current && current.until > process.now + 300_000) return current
  const federation = yield* federate(process)
  if (!federation) return null
  const at = pass(process, 1_500, 4_000)
  const { subject, provider, audience, claim } = federation
  const [account] = tenant.accounts
  const region = tenant.regions[random.chance(0.85) ? 0 : 1]
  const stale = agent.staleTrust && agent.staleTrust[0] <= at && at < agent.staleTrust[1]
  const session = aws.sessionName ?? `botocore-session-${Math.floor(at / 1000)}`
  const role: AssumedRole = {
    account,
    role: aws.role,
    rolePath: '/',
    roleId: aws.roleId,
    session,
    accessKey: `ASIA${random.text(BASE32, 16)}`,
    createdAt: at,
    provider,
  }
  const call = agentCall(process, at, region, 'sts', 'AssumeRoleWithWebIdentity', account)
  yield trailDraft(
    {
      ...call,
      userIdentity: {
        type: 'WebIdentityUser',
        principalId: `${provider}:${audience}:${subject}`,
        userName: subject,
        identityProvider: provider,
      },
      request: {
        roleArn: roleArn(account, aws.role),
        roleSessionName: session,
        ...(stale ? {} : { durationSeconds: 3600 }),
      },
      response: stale
        ? null
        : {
            credentials: issuedCredentials(role.accessKey, at + HOUR, random),
            assumedRoleUser: assumedRoleUser(role),
            subjectFromWebIdentityToken: subject,
            provider,
            audience,
          },
      ...(stale
        ? { error: { code: 'AccessDenied', message: 'An unknown error occurred' } }
        : {
            additional: {
              RequestDetails: { endpointType: 'regional', awsServingRegion: region },
              identityProviderConnectionVerificationMethod: 'IAMTrustStore',
            },
          }),
      resources: [{ accountId: account, type: 'AWS::IAM::Role', ARN: roleArn(account, aws.role) }],
    },
    {
      tenant,
      claim,
      kinds: ['token.exchanged'],
      actor: agent,
      session: stale ? null : call.eventId,
      skip: ['parent'],
    },
  )
  if (stale) return null
  const base: AwsSession = {
    rootId: call.eventId,
    since: awsTime(at).at,
    claim,
    until: at + HOUR,
    region,
    worker: role,
    workerIssuer: call.eventId,
  }
  return aws.chain ? yield* followChain(process, base) : base
}

interface Federation {
  readonly subject: string
  readonly provider: string
  readonly audience: string
  readonly claim: Meaning['claim']
}

function* federate(process: Process): Generator<Draft, Federation | null> {
  const { agent } = process
  const { tenant, bridge } = agent
  const arn = (issuer: string) => `arn:aws:iam::${tenant.accounts[0]}:oidc-provider/${issuer}`
  const v1 = arn(`sts.windows.net/${tenant.id}/`)
  if (bridge) {
    yield* ensureBridge(process)
    const identity: ManagedIdentity = yield* ensureIdentity(process)
    return {
      subject: bridge.servicePrincipalOid,
      provider: v1,
      audience: `api://${bridge.appId}`,
      claim: { by: 'bridge', bridgeOid: bridge.servicePrincipalOid, identity },
    }
  }
  if (agent.topology === 'option-1') {
    const identity = yield* ensureIdentity(process)
    return {
      subject: identity.oid,
      provider: v1,
      audience: TOKEN_EXCHANGE,
      claim: { by: 'managed-identity', identity },
    }
  }
  if (!(yield* ensureAgentToken(process, cloudResource(agent)))) return null
  return {
    subject: agent.oid,
    provider: arn(`login.microsoftonline.com/${tenant.id}/v2.0`),
    audience: agent.blueprint.appId,
    claim: { by: 'agent', agent },
  }
}

/** Two hops into other accounts; each leaves the caller's and the target's copy. */
function* followChain(process: Process, base: AwsSession): Generator<Draft, AwsSession> {
  const { agent, random } = process
  const { accounts, chainRoleIds } = agent.tenant
  const hops = [
    { account: accounts[1], role: 'SharedData', rolePath: '/', roleId: chainRoleIds[0] },
    { account: accounts[2], role: 'ModelHub', rolePath: '/hub/', roleId: chainRoleIds[1] },
  ]
  let { worker } = base
  let issuer: string | null = base.workerIssuer
  yield trailDraft(
    {
      ...agentCall(process, pass(process, 1_000, 3_000), base.region, 'sts', 'GetCallerIdentity', worker.account),
      userIdentity: assumedRoleIdentity(worker),
      request: null,
      response: null,
    },
    usage(agent, base, ['other'], issuer),
  )
  for (const hop of hops) {
    const at = pass(process, 2_000, 4_000)
    const minted: AssumedRole = {
      ...hop,
      session: worker.session,
      accessKey: `ASIA${random.text(BASE32, 16)}`,
      createdAt: at,
      provider: null,
    }
    const target = roleArn(hop.account, hop.role, hop.rolePath)
    const shared: TrailCall = {
      ...agentCall(process, at, base.region, 'sts', 'AssumeRole', worker.account),
      userIdentity: assumedRoleIdentity(worker),
      request: { roleArn: target, roleSessionName: worker.session, durationSeconds: 3600 },
      response: {
        credentials: issuedCredentials(minted.accessKey, at + HOUR, random),
        assumedRoleUser: assumedRoleUser(minted),
      },
      resources: [{ accountId: hop.account, type: 'AWS::IAM::Role', ARN: target }],
      sharedEventId: random.guid(),
    }
    yield trailDraft(shared, usage(agent, base, ['credential.minted'], issuer))
    const seenByTarget = {
      type: 'AWSAccount',
      principalId: `${worker.roleId}:${worker.session}`,
      accountId: worker.account,
    }
    yield trailDraft(
      { ...shared, eventId: random.guid(), account: hop.account, userIdentity: seenByTarget },
      { ...usage(agent, base, ['credential.minted'], null), skip: ['parent'] },
    )
    worker = minted
    issuer = null
    if (hop.role === 'SharedData') {
      yield trailDraft(
        {
          ...agentCall(process, pass(process, 1_000, 3_000), base.region, 's3', 'ListBuckets', hop.account),
          userIdentity: assumedRoleIdentity(worker),
          request: null,
          response: null,
        },
        usage(agent, base, ['other'], null),
      )
    }
  }
  return { ...base, worker, workerIssuer: issuer }
}

/** One model call, with the usage log that Bedrock writes of it unless it was refused. */
export function* invokeModel(process: Process, session: AwsSession): Generator<Draft, void> {
  const { agent, random } = process
  const at = pass(process, 4_000, 12_000)
  const modelId = MODELS[agent.oid.charCodeAt(0) % MODELS.length] ?? MODELS[0]
  const operation = random.pick(['Converse', 'Converse', 'InvokeModel', 'ConverseStream'])
  const refused = random.chance(0.03)
  const call = agentCall(process, at, session.region, 'bedrock', operation, session.worker.account)
  yield trailDraft(
    {
      ...call,
      userIdentity: assumedRoleIdentity(session.worker),
      request: { modelId },
      response: null,
      ...(refused
        ? {
            error: random.pick([
              {
                code: 'ThrottlingException',
                message: 'Too many requests, please wait before trying again.',
              },
              {
                code: 'AccessDenied',
                message: 'You do not have access to the model with the specified model ID.',
              },
            ]),
          }
        : {}),
    },
    usage(agent, session, ['llm.invoked'], session.workerIssuer),
  )
  if (refused) return
  yield invocationDraft(
    {
      at,
      account: call.account,
      region: call.region,
      arn: assumedRoleUser(session.worker).arn,
      requestId: call.requestId,
      operation,
      modelId,
      input: random.int(120, 4_000),
      output: random.int(30, 900),
      cacheRead: random.chance(0.2) ? random.int(1_000, 9_000) : 0,
      prompt: `Weather in ${random.pick(CITIES)} tomorrow? mk${random.text(LETTERS, 12)}`,
      answer: `Light rain, 17 degrees. mk${random.text(LETTERS, 12)}`,
    },
    {
      tenant: agent.tenant,
      claim: session.claim,
      actor: agent,
      since: session.since,
      exactParent: call.eventId,
      skip: ['session'],
    },
  )
}

function usage(agent: Agent, session: AwsSession, kinds: Meaning['kinds'], issuer: string | null): Meaning {
  return {
    tenant: agent.tenant,
    claim: session.claim,
    kinds,
    actor: agent,
    session: session.rootId,
    since: session.since,
    exactParent: issuer,
    ...(issuer ? {} : { skip: ['parent'] as const }),
  }
}

function agentCall(
  { agent, random }: { readonly agent: Agent; readonly random: Random },
  at: number,
  region: string,
  service: string,
  name: string,
  account: string,
) {
  return {
    eventId: random.guid(),
    requestId: random.guid(),
    at,
    account,
    region,
    service,
    name,
    ip: agent.ip,
    userAgent: `aws-sdk-js/3.1136.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#22.14.0 api/${service}#3.1136.0 m/E`,
    readOnly: true,
  }
}
