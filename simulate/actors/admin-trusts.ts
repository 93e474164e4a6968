/** Trusts in AWS and Google Cloud: who may federate as what, and their repair after an identity was re-created. */
import type { Agent, ManagedIdentity, Tenant } from '../cast.ts'
import { offBeat } from '../cast.ts'
import type { Draft } from '../draft.ts'
import { entryDraft, newInsertId, trailDraft } from '../draft.ts'
import { gcpTime } from '../moments.ts'
import type { Random } from '../random.ts'
import { TOKEN_EXCHANGE } from '../records/entra-signin.ts'
import { auditedResource, poolName, principalUri } from '../records/gcp.ts'

/** Whom a trust lets in. */
interface Trust {
  readonly tenant: Tenant
  readonly at: number
  readonly subject: string
  readonly audience: string
  /** Which of Entra's two issuers the subject's tokens name. */
  readonly issuer: 'v1' | 'v2'
  /** An existing trust is pointed at the new subject. */
  readonly repair: boolean
}

/** The trusts of an agent, if it is the first one of its role and service account. `providers` collects the AWS issuers that the tenant has set up. */
export function trusts(random: Random, agent: Agent, providers: Set<string>): Draft[] {
  const { tenant, aws, gcp, bridge } = agent
  const first = (agent.topology === 'option-1' ? agent.blueprint.agents : [agent])[0]
  if (first?.oid !== agent.oid) return []
  const option1 = agent.topology === 'option-1'
  const subjectOf = (host: ManagedIdentity | undefined) => (option1 ? (host?.oid ?? '') : (bridge?.servicePrincipalOid ?? agent.oid))
  const drafts: Draft[] = []
  const rounds = [{ at: agent.createdAt + 4_000, host: agent.hosts[0], repair: false }]
  if (agent.staleTrust) rounds.push({ at: agent.staleTrust[1] + 9_000, host: agent.hosts.at(-1), repair: true })
  for (const { at, host, repair } of rounds) {
    const subject = subjectOf(host)
    const audience = bridge ? `api://${bridge.appId}` : option1 ? TOKEN_EXCHANGE : agent.blueprint.appId
    const trust: Trust = { tenant, at, subject, audience, issuer: option1 || bridge ? 'v1' : 'v2', repair }
    if (aws) drafts.push(...awsTrust(random, trust, aws.role, providers))
    if (gcp) drafts.push(...gcpTrust(random, { ...trust, at: at + 10_000 }, gcp))
  }
  return drafts
}

function awsTrust(random: Random, { tenant, at, subject, audience, issuer: version, repair }: Trust, role: string, providers: Set<string>): Draft[] {
  const [account] = tenant.accounts
  const issuer = version === 'v1' ? `sts.windows.net/${tenant.id}/` : `login.microsoftonline.com/${tenant.id}/v2.0`
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${issuer}:sub`]: subject, [`${issuer}:aud`]: audience } },
      },
    ],
  })
  const call = (offset: number, name: string, request: object, targets: readonly string[]) =>
    trailDraft(
      {
        eventId: random.guid(),
        requestId: random.guid(),
        at: offBeat(at + offset),
        account,
        region: 'us-east-1',
        service: 'iam',
        name,
        userIdentity: {
          type: 'IAMUser',
          principalId: tenant.admin.principalId,
          arn: `arn:aws:iam::${account}:user/${tenant.admin.name}`,
          accountId: account,
          accessKeyId: tenant.admin.accessKey,
          userName: tenant.admin.name,
        },
        ip: tenant.admin.ip,
        userAgent: 'aws-cli/2.27.1 md/awscrt#0.26.1',
        readOnly: false,
        request,
        response: null,
      },
      {
        tenant,
        claim: { by: 'nothing' },
        kinds: ['trust.changed', 'identity.changed', 'other'],
        targets,
        session: `key:${tenant.admin.accessKey}`,
        skip: ['tenant', 'parent'],
      },
    )
  if (repair) return [call(0, 'UpdateAssumeRolePolicy', { roleName: role, policyDocument: policy }, [subject])]
  // One provider an issuer and account; further audiences are added to it.
  const known = providers.has(issuer)
  providers.add(issuer)
  return [
    known
      ? call(0, 'AddClientIDToOpenIDConnectProvider', { openIDConnectProviderArn: `arn:aws:iam::${account}:oidc-provider/${issuer}`, clientID: audience }, [])
      : call(0, 'CreateOpenIDConnectProvider', { url: `https://${issuer}`, clientIDList: [audience] }, []),
    call(2_300, 'CreateRole', { roleName: role, path: '/', assumeRolePolicyDocument: policy, maxSessionDuration: 3600 }, [subject]),
  ]
}

function gcpTrust(random: Random, { tenant, at, subject, audience, issuer: version, repair }: Trust, gcp: NonNullable<Agent['gcp']>): Draft[] {
  const { projectId, projectNumber, pool } = tenant.gcp
  const claim = version === 'v1' ? 'assertion.sub' : 'assertion.oid'
  const verb = repair ? 'Update' : 'Create'
  const method = `google.iam.v1.WorkloadIdentityPools.${verb}WorkloadIdentityPoolProvider`
  const poolPath = poolName(projectId, pool)
  const condition = { attributeCondition: `${claim} == '${subject}'` }
  const common = (offset: number) => {
    const when = offBeat(at + offset)
    return {
      when,
      insertId: newInsertId(random),
      time: gcpTime(when, random),
      received: gcpTime(when + 1_100, random).text,
      log: 'activity' as const,
      project: projectId,
      service: 'iam.googleapis.com',
      ip: tenant.admin.ip,
      userAgent: 'google-cloud-sdk gcloud/530.0.0',
      status: null,
      authentication: { principalEmail: `${tenant.admin.name}@${tenant.domain}` },
    }
  }
  const provider = common(0)
  const grant = common(8_000)
  const issuer = version === 'v1' ? `https://sts.windows.net/${tenant.id}/` : `https://login.microsoftonline.com/${tenant.id}/v2.0`
  return [
    entryDraft(
      provider.when,
      {
        ...provider,
        resource: auditedResource(projectId, 'iam.googleapis.com', method),
        method,
        resourceName: repair ? `${poolPath}/providers/${gcp.provider}` : poolPath,
        authorization: {
          permission: `iam.workloadIdentityPoolProviders.${verb.toLowerCase()}`,
          permissionType: 'ADMIN_WRITE',
          granted: true,
        },
        request: repair
          ? {
              '@type': `type.googleapis.com/google.iam.v1.${verb}WorkloadIdentityPoolProviderRequest`,
              updateMask: 'attributeCondition',
              workloadIdentityPoolProvider: {
                name: `${poolPath}/providers/${gcp.provider}`,
                ...condition,
              },
            }
          : {
              '@type': `type.googleapis.com/google.iam.v1.${verb}WorkloadIdentityPoolProviderRequest`,
              parent: poolPath,
              workloadIdentityPoolProviderId: gcp.provider,
              workloadIdentityPoolProvider: {
                displayName: gcp.provider,
                attributeMapping: { 'google.subject': claim },
                ...condition,
                oidc: {
                  issuerUri: issuer,
                  allowedAudiences: version === 'v1' ? [audience] : [audience, `api://${audience}`],
                },
              },
            },
      },
      {
        tenant,
        claim: { by: 'nothing' },
        kinds: ['trust.changed'],
        skip: ['subject', 'tenant', 'session', 'parent', 'targets', 'agent'],
      },
    ),
    entryDraft(
      grant.when,
      {
        ...grant,
        resource: {
          type: 'service_account',
          labels: { email_id: gcp.serviceAccount, unique_id: gcp.uniqueId, project_id: projectId },
        },
        method: 'google.iam.admin.v1.SetIAMPolicy',
        resourceName: `projects/-/serviceAccounts/${gcp.uniqueId}`,
        authorization: {
          permission: 'iam.serviceAccounts.setIamPolicy',
          permissionType: 'ADMIN_WRITE',
          granted: true,
        },
        serviceData: {
          '@type': 'type.googleapis.com/google.iam.v1.logging.AuditData',
          policyDelta: {
            bindingDeltas: [
              {
                action: 'ADD',
                role: 'roles/iam.workloadIdentityUser',
                member: principalUri(projectNumber, pool, subject),
              },
            ],
          },
        },
      },
      {
        tenant,
        claim: { by: 'nothing' },
        kinds: ['trust.changed'],
        targets: [subject],
        skip: ['subject', 'tenant', 'session', 'parent', 'agent'],
      },
    ),
  ]
}
