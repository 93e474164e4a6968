/** People, pipelines of another federation and services at work on AWS and Google Cloud. */
import type { Draft } from '../draft.ts'
import { entryDraft, newInsertId, trailDraft } from '../draft.ts'
import { gcpTime } from '../moments.ts'
import { BASE32 } from '../random.ts'
import type { AssumedRole, TrailCall } from '../records/aws.ts'
import { assumedRoleIdentity, assumedRoleUser, issuedCredentials, roleArn } from '../records/aws.ts'
import { auditedResource, poolName, principalUri } from '../records/gcp.ts'
import type { Scene } from './scene.ts'
import { later, nobody } from './scene.ts'

const HOUR = 3_600_000
const GITHUB = 'token.actions.githubusercontent.com'

function call(scene: Scene, service: string, name: string, ip: string, userAgent: string): Omit<TrailCall, 'userIdentity' | 'request' | 'response'> {
  const { random, tenant } = scene
  return {
    eventId: random.guid(),
    requestId: random.guid(),
    at: scene.now,
    account: tenant.accounts[0],
    region: tenant.regions[random.chance(0.8) ? 0 : 1],
    service,
    name,
    ip,
    userAgent,
    readOnly: true,
  }
}

export function* personOnAws(scene: Scene): Generator<Draft, void> {
  const { random, tenant } = scene
  const person = random.pick(tenant.people)
  const account = tenant.accounts[0]
  for (let count = random.int(1, 4); count > 0; count--) {
    const [service, name] = random.pick([
      ['s3', 'ListBuckets'],
      ['ec2', 'DescribeInstances'],
      ['bedrock', 'ListFoundationModels'],
      ['sts', 'GetCallerIdentity'],
    ] as const)
    const denied = random.chance(0.05)
    yield trailDraft(
      {
        ...call(scene, service, name, person.ip, 'aws-cli/2.27.1 md/awscrt#0.26.1'),
        userIdentity: {
          type: 'IAMUser',
          principalId: person.principalId,
          arn: `arn:aws:iam::${account}:user/${person.name}`,
          accountId: account,
          accessKeyId: person.accessKey,
          userName: person.name,
        },
        request: null,
        response: null,
        ...(denied
          ? {
              error: {
                code: 'AccessDenied',
                message: `User: arn:aws:iam::${account}:user/${person.name} is not authorized to perform: ${service}:${name}`,
              },
            }
          : {}),
      },
      nobody(tenant, ['other'], `key:${person.accessKey}`),
    )
    later(scene, 2_000, 40_000)
  }
}

/** GitHub Actions federates to the same account with its own issuer. */
export function* pipelineOnAws(scene: Scene): Generator<Draft, void> {
  const { random, tenant } = scene
  const account = tenant.accounts[0]
  const provider = `arn:aws:iam::${account}:oidc-provider/${GITHUB}`
  const subject = `repo:${tenant.domain.split('.')[0]}/${random.pick(['site', 'agents', 'infra'])}:ref:refs/heads/main`
  const role: AssumedRole = {
    account,
    role: 'GitHubDeploy',
    rolePath: '/',
    roleId: scene.pipelineRoleId,
    session: 'GitHubActions',
    accessKey: `ASIA${random.text(BASE32, 16)}`,
    createdAt: scene.now,
    provider,
  }
  const exchange = call(scene, 'sts', 'AssumeRoleWithWebIdentity', '203.0.113.200', 'aws-sdk-js/3.1136.0 configure-aws-credentials')
  yield trailDraft(
    {
      ...exchange,
      userIdentity: {
        type: 'WebIdentityUser',
        principalId: `${provider}:sts.amazonaws.com:${subject}`,
        userName: subject,
        identityProvider: provider,
      },
      request: {
        roleArn: roleArn(account, role.role),
        roleSessionName: role.session,
        durationSeconds: 3600,
      },
      response: {
        credentials: issuedCredentials(role.accessKey, scene.now + HOUR, random),
        assumedRoleUser: assumedRoleUser(role),
        subjectFromWebIdentityToken: subject,
        provider,
        audience: 'sts.amazonaws.com',
      },
    },
    nobody(tenant, ['token.exchanged'], exchange.eventId, ['subject']),
  )
  for (let count = random.int(1, 3); count > 0; count--) {
    later(scene, 2_000, 9_000)
    yield trailDraft(
      {
        ...call(scene, 'cloudformation', 'DescribeStacks', '203.0.113.200', 'aws-cli/2.27.1'),
        region: exchange.region,
        userIdentity: assumedRoleIdentity(role),
        request: null,
        response: null,
      },
      nobody(tenant, ['other'], exchange.eventId, ['subject']),
    )
  }
}

/** Lambda assumes its role by itself and works with the key. */
export function* serviceOnAws(scene: Scene): Generator<Draft, void> {
  const { random, tenant } = scene
  const account = tenant.accounts[0]
  const role: AssumedRole = {
    account,
    role: 'nightly-job',
    rolePath: '/service-role/',
    roleId: 'AROAQ2NIGHTLYJOB7KXW',
    session: 'nightly-job',
    accessKey: `ASIA${random.text(BASE32, 16)}`,
    createdAt: scene.now,
    provider: null,
  }
  yield trailDraft(
    {
      ...call(scene, 'sts', 'AssumeRole', 'lambda.amazonaws.com', 'lambda.amazonaws.com'),
      userIdentity: { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' },
      request: {
        roleArn: roleArn(account, role.role, role.rolePath),
        roleSessionName: role.session,
      },
      response: {
        credentials: issuedCredentials(role.accessKey, scene.now + HOUR, random),
        assumedRoleUser: assumedRoleUser(role),
      },
    },
    nobody(tenant, ['credential.minted'], null, ['session']),
  )
  later(scene, 500, 2_000)
  yield trailDraft(
    {
      ...call(scene, 's3', 'GetBucketLocation', '203.0.113.201', 'Boto3/1.40.1'),
      userIdentity: assumedRoleIdentity(role),
      request: null,
      response: null,
    },
    nobody(tenant, ['other'], null, ['session']),
  )
}

function gcpEntry(scene: Scene) {
  const { random, tenant } = scene
  return {
    insertId: newInsertId(random),
    time: gcpTime(scene.now, random),
    received: gcpTime(scene.now + random.int(100, 2_000), random).text,
    log: 'data_access' as const,
    project: tenant.gcp.projectId,
    status: null,
  }
}

export function* personOnGcp(scene: Scene): Generator<Draft, void> {
  const { random, tenant } = scene
  const person = random.pick(tenant.people)
  const method = 'google.cloud.aiplatform.v1.PredictionService.GenerateContent'
  const project = tenant.gcp.projectId
  const model = random.chance(0.4)
  const resourceName = model ? `projects/${project}/locations/us-central1/publishers/google/models/gemini-2.5-flash` : `projects/_/buckets/${project}-data`
  yield entryDraft(
    scene.now,
    {
      ...gcpEntry(scene),
      resource: model
        ? auditedResource(project, 'aiplatform.googleapis.com', method)
        : {
            type: 'gcs_bucket',
            labels: { bucket_name: `${project}-data`, location: 'us', project_id: project },
          },
      service: model ? 'aiplatform.googleapis.com' : 'storage.googleapis.com',
      method: model ? method : 'storage.buckets.get',
      resourceName,
      authentication: {
        principalEmail: `${person.name}@${tenant.domain}`,
        principalSubject: `user:${person.name}@${tenant.domain}`,
      },
      authorization: {
        permission: model ? 'aiplatform.endpoints.predict' : 'storage.buckets.get',
        permissionType: 'DATA_READ',
        granted: true,
        resource: resourceName,
      },
      ip: person.ip,
      userAgent: 'google-cloud-sdk gcloud/530.0.0,gzip(gfe)',
    },
    nobody(tenant, [model ? 'llm.invoked' : 'other'], null, ['session']),
  )
}

export function* pipelineOnGcp(scene: Scene): Generator<Draft, void> {
  const { tenant } = scene
  const { projectId, projectNumber } = tenant.gcp
  const subject = `repo:${tenant.domain.split('.')[0]}/infra:ref:refs/heads/main`
  const method = 'google.identity.sts.v1.SecurityTokenService.ExchangeToken'
  const provider = `${poolName(projectNumber, 'github-pool')}/providers/github`
  yield entryDraft(
    scene.now,
    {
      ...gcpEntry(scene),
      resource: auditedResource(projectId, 'sts.googleapis.com', method),
      service: 'sts.googleapis.com',
      method,
      resourceName: provider,
      authentication: { principalSubject: subject },
      authorization: {
        permission: 'sts.identityProviders.checkLogging',
        permissionType: 'ADMIN_READ',
        granted: false,
      },
      request: {
        '@type': 'type.googleapis.com/google.identity.sts.v1.ExchangeTokenRequest',
        audience: `//iam.googleapis.com/${provider}`,
        grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      },
      metadata: {
        '@type': 'type.googleapis.com/google.identity.sts.v1.AuditData',
        mapped_principal: principalUri(projectNumber, 'github-pool', subject),
      },
      ip: '203.0.113.202',
      userAgent: 'google-github-actions:auth/3.0.0',
    },
    nobody(tenant, ['token.exchanged'], null, ['session', 'subject']),
  )
}
