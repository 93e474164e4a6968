/** What an agent does on Google Cloud: exchange, mint in either shape, model calls as the impersonated service account. */
import type { Draft, Meaning } from '../draft.ts'
import { entryDraft, newInsertId } from '../draft.ts'
import { gcpTime } from '../moments.ts'
import { LETTERS } from '../random.ts'
import { auditedResource, poolName, principalUri } from '../records/gcp.ts'
import type { AuditEntry } from '../records/gcp.ts'
import type { Claim } from '../truth.ts'
import type { Process } from './agent-tokens.ts'
import { cloudResource, ensureAgentToken, ensureIdentity, pass } from './agent-tokens.ts'

const HOUR = 3_600_000
const USER_AGENT = 'google-auth/2.40.0 python-requests/2.32.0'

export interface GcpSession {
  readonly subject: string
  readonly claim: Claim
  readonly until: number
}

/** An impersonated service account for a while; null when Google or Entra refuses. */
export function* ensureGcpSession(process: Process, current: GcpSession | null): Generator<Draft, GcpSession | null> {
  const { agent, random } = process
  const { gcp, tenant } = agent
  if (!gcp) return null
  if (current && current.until > process.now + 300_000) return current
  const federation = yield* federate(process)
  if (!federation) return null
  const { subject, claim } = federation
  const { projectId, projectNumber, pool } = tenant.gcp
  const at = pass(process, 1_000, 2_500)
  const stale = agent.staleTrust && agent.staleTrust[0] <= at && at < agent.staleTrust[1]
  const provider = `${poolName(projectNumber, pool)}/providers/${gcp.provider}`
  const method = 'google.identity.sts.v1.SecurityTokenService.ExchangeToken'
  const nearKey = `${agent.ip} ${USER_AGENT}`
  const exchange = entry(process, at, {
    resource: auditedResource(projectId, 'sts.googleapis.com', method),
    service: 'sts.googleapis.com',
    method,
    resourceName: provider,
    authentication: { principalSubject: subject },
    // `granted` is false on successful exchanges too: a pseudo-permission.
    authorization: {
      permission: 'sts.identityProviders.checkLogging',
      permissionType: 'ADMIN_READ',
      granted: false,
    },
    request: {
      '@type': 'type.googleapis.com/google.identity.sts.v1.ExchangeTokenRequest',
      audience: `//iam.googleapis.com/${provider}`,
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    },
    ...(stale
      ? {}
      : {
          metadata: {
            '@type': 'type.googleapis.com/google.identity.sts.v1.AuditData',
            mapped_principal: principalUri(projectNumber, pool, subject),
          },
        }),
    userAgent: USER_AGENT,
    status: stale ? { code: 16, message: 'The given credential is rejected by the attribute condition.' } : null,
  })
  yield entryDraft(at, exchange, {
    tenant,
    claim,
    kinds: ['token.exchanged'],
    actor: agent,
    session: stale ? null : { latestExchangeOf: subject },
    exchange: stale ? null : { subject, nearKey, claim },
    skip: stale ? ['parent', 'session'] : ['parent'],
  })
  if (stale) return null

  const mintedAt = pass(process, 77, 113)
  const recent = gcp.mintShape === '2026'
  const mint = entry(process, mintedAt, {
    resource: {
      type: 'service_account',
      labels: { email_id: gcp.serviceAccount, unique_id: gcp.uniqueId, project_id: projectId },
    },
    service: 'iamcredentials.googleapis.com',
    method: 'GenerateAccessToken',
    resourceName: `projects/-/serviceAccounts/${gcp.uniqueId}`,
    authentication: recent
      ? {
          principalEmail: gcp.serviceAccount,
          loggableShortLivedCredential: {
            '@type': 'type.googleapis.com/identity_cloudgaia.AuditLoggableShortLivedCredential',
            oauthToken: { tokenPrefix: `ya29.c.${random.text(LETTERS, 40)}` },
          },
        }
      : {
          principalSubject: principalUri(projectNumber, pool, subject),
          serviceAccountDelegationInfo: [{}],
        },
    authorization: {
      permission: 'iam.serviceAccounts.getAccessToken',
      permissionType: recent ? 'DATA_READ' : 'ADMIN_READ',
      granted: true,
      resource: `projects/-/serviceAccounts/${gcp.uniqueId}`,
    },
    request: {
      '@type': 'type.googleapis.com/google.iam.credentials.v1.GenerateAccessTokenRequest',
      name: `projects/-/serviceAccounts/${gcp.serviceAccount}`,
      scope: ['https://www.googleapis.com/auth/cloud-platform'],
      lifetime: '3600s',
    },
    userAgent: `${USER_AGENT},gzip(gfe)`,
    status: null,
  })
  yield entryDraft(mintedAt, mint, {
    tenant,
    claim: recent ? { by: 'near', key: nearKey } : claim,
    kinds: ['credential.minted'],
    actor: agent,
    session: { latestExchangeOf: subject },
    skip: ['parent'],
  })
  return { subject, claim, until: mintedAt + HOUR }
}

function* federate(process: Process): Generator<Draft, { readonly subject: string; readonly claim: Claim } | null> {
  const { agent } = process
  if (agent.topology === 'option-1') {
    const identity = yield* ensureIdentity(process)
    return { subject: identity.oid, claim: { by: 'managed-identity', identity } }
  }
  const token = yield* ensureAgentToken(process, cloudResource(agent))
  return token && { subject: agent.oid, claim: { by: 'agent', agent } }
}

/** One call of a Gemini model. */
export function* generateContent(process: Process, session: GcpSession): Generator<Draft, void> {
  const { agent, random } = process
  const { gcp, tenant } = agent
  if (!gcp) return
  const at = pass(process, 4_000, 12_000)
  const method = `google.cloud.aiplatform.v1.PredictionService.${random.chance(0.75) ? 'GenerateContent' : 'StreamGenerateContent'}`
  const model = `projects/${tenant.gcp.projectId}/locations/us-central1/publishers/google/models/${random.chance(0.8) ? 'gemini-2.5-flash-lite' : 'gemini-2.5-flash'}`
  const failure = random.chance(0.03)
    ? random.pick([
        { code: 8, message: 'Resource exhausted. Please try again later.' },
        { code: 7, message: "Permission 'aiplatform.endpoints.predict' denied on resource." },
      ])
    : null
  const call = entry(process, at, {
    resource: auditedResource(tenant.gcp.projectId, 'aiplatform.googleapis.com', method),
    service: 'aiplatform.googleapis.com',
    method,
    resourceName: model,
    authentication: {
      principalEmail: gcp.serviceAccount,
      principalSubject: `serviceAccount:${gcp.serviceAccount}`,
      serviceAccountDelegationInfo: [
        {
          principalSubject: principalUri(tenant.gcp.projectNumber, tenant.gcp.pool, session.subject),
        },
      ],
    },
    authorization: {
      permission: 'aiplatform.endpoints.predict',
      permissionType: 'DATA_READ',
      granted: failure?.code !== 7,
      resource: model,
    },
    userAgent: 'google-genai-sdk/1.30.0 gl-python/3.12,gzip(gfe)',
    status: failure,
  })
  yield entryDraft(at, call, {
    tenant,
    claim: session.claim,
    kinds: ['llm.invoked'],
    actor: agent,
    session: { latestExchangeOf: session.subject },
    skip: ['parent'],
  } satisfies Meaning)
}

function entry({ agent, random }: Process, at: number, given: Omit<AuditEntry, 'insertId' | 'time' | 'received' | 'log' | 'project' | 'ip'>): AuditEntry {
  return {
    insertId: newInsertId(random),
    time: gcpTime(at, random),
    received: gcpTime(at + random.int(100, 2_000), random).text,
    log: 'data_access',
    project: agent.tenant.gcp.projectId,
    ip: agent.ip,
    ...given,
  }
}
