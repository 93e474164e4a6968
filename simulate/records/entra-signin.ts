/** Entra sign-in records as diagnostic settings, Log Analytics and Graph write them. */
import type { WrittenTime } from '../moments.ts'

/** The exchange endpoint's application id, the same in every tenant. */
export const TOKEN_EXCHANGE = 'fb60f99c-7a34-4190-8149-302f77469936'
export const TOKEN_EXCHANGE_NAME = 'AAD Token Exchange Endpoint: Public'

export interface SignIn {
  readonly id: string
  readonly time: WrittenTime
  /** When the diagnostic pipeline stamps it; trails the event by a minute or so. */
  readonly stamped: string
  readonly category: 'ManagedIdentitySignInLogs' | 'ServicePrincipalSignInLogs' | 'NonInteractiveUserSignInLogs'
  readonly tenantId: string
  readonly workspaceId: string
  readonly correlationId: string
  readonly appId: string
  readonly appName: string
  readonly servicePrincipalId: string
  readonly user: { readonly id: string; readonly principalName: string } | null
  readonly resource: {
    readonly id: string
    readonly name: string
    readonly servicePrincipalId: string
  }
  readonly error: { readonly code: number; readonly message: string } | null
  readonly ip: string
  readonly credential: 'managedIdentity' | 'federatedIdentityCredential' | 'clientSecret' | 'none'
  readonly ficId: string | null
  readonly identity: {
    readonly msiType: 'userAssigned' | 'systemAssigned'
    readonly armId: string
  } | null
  readonly agent: { readonly type: string; readonly parentAppId: string | null } | null
  readonly sessionId: string | null
}

/** `uniqueTokenIdentifier` of an issuance: its id, in .NET byte order, base64url. */
export function tokenIdOf(id: string): string {
  const [a = '', b = '', c = '', d = '', e = ''] = id.split('-')
  const turned = (hex: string) => (hex.match(/../g) ?? []).reverse().join('')
  return Buffer.from(turned(a) + turned(b) + turned(c) + d + e, 'hex').toString('base64url')
}

function graphBody(signIn: SignIn, createdDateTime: string): Record<string, unknown> {
  const { agent, identity, error } = signIn
  return {
    id: signIn.id,
    createdDateTime,
    correlationId: signIn.correlationId,
    appId: signIn.appId,
    ...(signIn.user
      ? {
          appDisplayName: signIn.appName,
          userId: signIn.user.id,
          userPrincipalName: signIn.user.principalName,
          userDisplayName: signIn.user.principalName.split('@')[0],
        }
      : {
          servicePrincipalId: signIn.servicePrincipalId,
          servicePrincipalName: signIn.appName,
          userId: null,
        }),
    resourceId: signIn.resource.id,
    resourceDisplayName: signIn.resource.name,
    resourceServicePrincipalId: signIn.resource.servicePrincipalId,
    resourceTenantId: signIn.tenantId,
    status: error ? { errorCode: error.code, failureReason: error.message } : { errorCode: 0 },
    ipAddress: signIn.ip,
    isInteractive: false,
    conditionalAccessStatus: 'notApplied',
    tokenIssuerType: 'AzureAD',
    uniqueTokenIdentifier: tokenIdOf(signIn.id),
    ...(signIn.sessionId ? { sessionId: signIn.sessionId } : {}),
    incomingTokenType: 'none',
    authenticationProtocol: 'none',
    crossTenantAccessType: 'none',
    clientCredentialType: signIn.credential,
    ...(signIn.ficId ? { federatedCredentialId: signIn.ficId } : {}),
    ...(identity
      ? {
          managedServiceIdentity: {
            msiType: identity.msiType,
            associatedResourceId: identity.armId,
          },
        }
      : {}),
    ...(agent ? { agent: agentObject(signIn, agent) } : {}),
  }
}

function agentObject(signIn: SignIn, agent: NonNullable<SignIn['agent']>): Record<string, unknown> {
  return {
    agentType: agent.type,
    parentAppId: agent.parentAppId,
    ...(signIn.user ? { agentSubjectType: 'notAgentic', agentSubjectParentId: null } : {}),
  }
}

/** As it stands inside `{"records":[…]}` of an Event Hub message. */
export function diagnosticSignIn(signIn: SignIn): string {
  return JSON.stringify({
    time: signIn.stamped,
    resourceId: `/tenants/${signIn.tenantId}/providers/Microsoft.aadiam`,
    operationName: 'Sign-in activity',
    operationVersion: '1.0',
    category: signIn.category,
    tenantId: signIn.tenantId,
    resultType: String(signIn.error?.code ?? 0),
    resultSignature: 'None',
    ...(signIn.error ? { resultDescription: signIn.error.message } : {}),
    durationMs: 0,
    ...(signIn.ip ? { callerIpAddress: signIn.ip } : {}),
    correlationId: signIn.correlationId,
    Level: 4,
    properties: graphBody(signIn, `${signIn.time.text}+00:00`),
  })
}

/** As Graph pages list it: without the tenant. */
export function graphSignIn(signIn: SignIn): string {
  const type = {
    ManagedIdentitySignInLogs: 'managedIdentity',
    ServicePrincipalSignInLogs: 'servicePrincipal',
    NonInteractiveUserSignInLogs: 'nonInteractiveUser',
  }[signIn.category]
  return JSON.stringify({ ...graphBody(signIn, `${signIn.time.text}Z`), signInEventTypes: [type] })
}

/** As a Log Analytics row: nested columns are strings. */
export function logAnalyticsSignIn(signIn: SignIn): string {
  const table = {
    ManagedIdentitySignInLogs: 'AADManagedIdentitySignInLogs',
    ServicePrincipalSignInLogs: 'AADServicePrincipalSignInLogs',
    NonInteractiveUserSignInLogs: 'AADNonInteractiveUserSignInLogs',
  }[signIn.category]
  const time = `${signIn.time.text}Z`
  return JSON.stringify({
    TenantId: signIn.workspaceId,
    TimeGenerated: time,
    CreatedDateTime: time,
    AADTenantId: signIn.tenantId,
    Type: table,
    Category: signIn.category,
    OperationName: 'Sign-in activity',
    OperationVersion: '1.0',
    Id: signIn.id,
    CorrelationId: signIn.correlationId,
    AppId: signIn.appId,
    ...(signIn.user
      ? {
          AppDisplayName: signIn.appName,
          UserId: signIn.user.id,
          UserPrincipalName: signIn.user.principalName,
          ServicePrincipalId: '',
          SignInEventTypes: '["nonInteractiveUser"]',
          SessionId: signIn.sessionId ?? '',
        }
      : { ServicePrincipalId: signIn.servicePrincipalId, ServicePrincipalName: signIn.appName }),
    ResourceIdentity: signIn.resource.id,
    ResourceDisplayName: signIn.resource.name,
    ResourceServicePrincipalId: signIn.resource.servicePrincipalId,
    ResultType: String(signIn.error?.code ?? 0),
    ResultDescription: signIn.error?.message ?? '',
    ResultSignature: 'None',
    IPAddress: signIn.ip,
    Level: '4',
    DurationMs: 0,
    UniqueTokenIdentifier: tokenIdOf(signIn.id),
    FederatedCredentialId: signIn.ficId ?? '',
    ClientCredentialType: signIn.credential,
    ServicePrincipalCredentialKeyId: '',
    ConditionalAccessStatus: 'notApplied',
    ConditionalAccessPolicies: '[]',
    LocationDetails: '{"city":"","state":"","countryOrRegion":""}',
    Agent: signIn.agent ? JSON.stringify(agentObject(signIn, signIn.agent)) : '',
    ...(signIn.identity
      ? {
          ManagedServiceIdentity: JSON.stringify({
            msiType: signIn.identity.msiType,
            associatedResourceId: signIn.identity.armId,
          }),
        }
      : {}),
    SourceSystem: 'Azure AD',
  })
}
