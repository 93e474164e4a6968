/**
 * A small world for the rules' tests: records in the clouds' own formats, with as little as each needs. Identities are named by a letter and get
 * a GUID each; times are `HH:MM[:SS]` on one day, `-1 HH:MM` the day before.
 */
import { eventId, type JsonObject, type RawRecord } from '#core/record.ts'

export const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
export const ACCOUNT = '914927984977'
export const PROJECT = { id: 'agents-prod', number: '100000000001' }
export const POOL = 'entra-pool'
export const TOKEN_EXCHANGE = 'fb60f99c-7a34-4190-8149-302f77469936'
export const GRAPH = '00000003-0000-0000-c000-000000000000'

/** The GUID of a name. */
export const guid = (name: string): string => eventId('test', name).replace(/^(.{14})8/, '$14')

const iso = (time: string): string => {
  const [, day = '0', clock] = /^(?:(-?\d+) )?(.+)$/.exec(time)!
  const date = new Date(Date.UTC(2026, 8, 10 + Number(day))).toISOString().slice(0, 10)
  return `${date}T${clock!.length === 5 ? `${clock}:00` : clock}Z`
}

/** The records of one world. Each has a label, and the label's GUID as its native id. */
export class World {
  readonly records: RawRecord[] = []
  /** Labels by the native id of their record. */
  readonly labels = new Map<string, string>()

  #add(label: string, value: object): this {
    if (this.labels.has(guid(label))) throw new Error(`Two records of one world are called ${label}.`)
    this.labels.set(guid(label), label)
    const text = JSON.stringify(value)
    this.records.push({
      text,
      value: JSON.parse(text) as JsonObject,
      masked: [],
      origin: { file: 'world', line: null, index: this.records.length },
      context: {},
    })
    return this
  }

  signIn(label: string, time: string, who: SignIn): this {
    return this.#add(label, {
      time: iso(time),
      category: who.kind === 'managed-identity' ? 'ManagedIdentitySignInLogs' : 'ServicePrincipalSignInLogs',
      operationName: 'Sign-in activity',
      tenantId: TENANT,
      resultType: who.error ?? '0',
      ...(who.message ? { resultDescription: who.message } : {}),
      properties: {
        id: guid(label),
        createdDateTime: iso(time),
        appId: who.appId ?? who.oid,
        servicePrincipalId: who.oid,
        servicePrincipalName: who.name ?? 'principal',
        resourceId: who.resource ?? TOKEN_EXCHANGE,
        ipAddress: who.ip ?? '',
        uniqueTokenIdentifier: `token-${label}`,
        clientCredentialType: who.credential ?? (who.kind === 'managed-identity' ? 'managedIdentity' : 'federatedIdentityCredential'),
        ...(who.msiType ? { managedServiceIdentity: { msiType: who.msiType, associatedResourceId: '/subscriptions/x' } } : {}),
        ...(who.kind === 'agent' ? { agent: { agentType: 'agenticAppInstance', parentAppId: who.blueprint ?? guid('blueprint-app') } } : {}),
        ...(who.kind === 'blueprint' ? { agent: { agentType: 'agentIdentityBlueprintPrincipal', parentAppId: null } } : {}),
      },
    })
  }

  audit(label: string, time: string, activity: string, target: object, details: Readonly<Record<string, string>> = {}): this {
    return this.#add(label, {
      time: iso(time),
      category: 'AuditLogs',
      operationName: activity,
      tenantId: TENANT,
      properties: {
        id: guid(label),
        activityDisplayName: activity,
        activityDateTime: iso(time),
        result: 'success',
        initiatedBy: { user: { id: guid('admin'), userPrincipalName: 'admin@kelp.example' } },
        targetResources: [target],
        additionalDetails: Object.entries(details).map(([key, value]) => ({ key, value })),
      },
    })
  }

  /** Makes the federated credentials of the Blueprint name these subjects. */
  fics(label: string, time: string, before: readonly string[], after: readonly string[], app = 'blueprint'): this {
    const texts = (subjects: readonly string[]): string =>
      JSON.stringify(
        subjects.map((Subject) => ({
          Name: 'fic',
          Issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
          Subject,
          Id: guid(`fic ${Subject}`),
          Audiences: ['api://AzureADTokenExchange'],
        })),
      )
    return this.audit(
      label,
      time,
      'Update application',
      {
        id: guid(`${app}-object`),
        type: 'Application',
        displayName: app,
        ...(app === 'blueprint' ? { agentType: 'agenticApp' } : {}),
        modifiedProperties: [{ displayName: 'FederatedIdentityCredentials', oldValue: texts(before), newValue: texts(after) }],
      },
      { AppId: guid(`${app}-app`) },
    )
  }

  principal(
    label: string,
    time: string,
    activity: string,
    oid: string,
    what: { readonly name?: string; readonly type?: 'ManagedIdentity'; readonly agent?: boolean; readonly enabled?: boolean; readonly blueprint?: string },
  ): this {
    const modified = [
      ...(what.type ? [{ displayName: 'ServicePrincipalType', oldValue: '[]', newValue: `["${what.type}"]` }] : []),
      ...(what.enabled === undefined ? [] : [{ displayName: 'AccountEnabled', oldValue: `[${!what.enabled}]`, newValue: `[${what.enabled}]` }]),
    ]
    return this.audit(
      label,
      time,
      activity,
      {
        id: oid,
        type: 'ServicePrincipal',
        displayName: what.name ?? 'principal',
        ...(what.agent ? { agentType: 'agenticAppInstance' } : {}),
        modifiedProperties: modified,
      },
      what.agent ? { AppId: oid, AgentIdentityBlueprintId: what.blueprint ?? guid('blueprint-app') } : {},
    )
  }

  aws(label: string, time: string, call: AwsCall): this {
    return this.#add(label, {
      eventVersion: '1.11',
      userIdentity: call.identity,
      eventTime: iso(time),
      eventSource: `${call.service}.amazonaws.com`,
      eventName: call.name,
      awsRegion: call.region ?? 'us-east-1',
      sourceIPAddress: call.ip ?? '203.0.113.10',
      userAgent: 'test',
      ...(call.error ? { errorCode: call.error, errorMessage: 'refused' } : {}),
      requestParameters: call.request ?? null,
      responseElements: call.response ?? null,
      ...(call.additional ? { additionalEventData: call.additional } : {}),
      requestID: guid(`request ${label}`),
      eventID: guid(label),
      eventType: 'AwsApiCall',
      recipientAccountId: ACCOUNT,
    })
  }

  /** AssumeRoleWithWebIdentity by a subject; `key` is the access key that it issues. */
  awsExchange(
    label: string,
    time: string,
    exchange: {
      readonly subject: string
      readonly key?: string
      readonly audience?: string
      readonly ip?: string
      readonly role?: string
      readonly session?: string
      readonly issuer?: string
      readonly refused?: boolean
    },
  ): this {
    const provider = `arn:aws:iam::${ACCOUNT}:oidc-provider/${exchange.issuer ?? `sts.windows.net/${TENANT}/`}`
    const audience = exchange.audience ?? 'api://agent-cloud-federation'
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/${exchange.role ?? 'agent'}`
    return this.aws(label, time, {
      service: 'sts',
      name: 'AssumeRoleWithWebIdentity',
      identity: { type: 'WebIdentityUser', principalId: `${provider}:${audience}:${exchange.subject}`, userName: exchange.subject, identityProvider: provider },
      ...(exchange.ip ? { ip: exchange.ip } : {}),
      request: { roleArn, roleSessionName: exchange.session ?? 'session', durationSeconds: 3600 },
      ...(exchange.refused
        ? { error: 'AccessDenied' }
        : {
            response: {
              credentials: { accessKeyId: exchange.key ?? keyOf(label), expiration: 'Jun 2, 2026, 10:29:06 AM' },
              subjectFromWebIdentityToken: exchange.subject,
              provider,
              audience,
              assumedRoleUser: { assumedRoleId: 'AROAABCDEFGHIJKLMNOPQ:session', arn: roleArn },
            },
          }),
    })
  }

  converse(
    label: string,
    time: string,
    call: {
      readonly key: string
      readonly model?: string
      readonly region?: string
      readonly error?: string
      readonly ip?: string
      readonly session?: string
      readonly invokedBy?: string
      readonly bearer?: boolean
    },
  ): this {
    return this.aws(label, time, {
      service: 'bedrock',
      name: 'Converse',
      identity: { ...sessionIdentity(call.key, call.session), ...(call.invokedBy ? { invokedBy: call.invokedBy } : {}) },
      request: { modelId: call.model ?? 'anthropic.claude-3-haiku-20240307-v1:0' },
      ...(call.region ? { region: call.region } : {}),
      ...(call.error ? { error: call.error } : {}),
      ...(call.ip ? { ip: call.ip } : {}),
      ...(call.bearer ? { additional: { callWithBearerToken: true } } : {}),
    })
  }

  /** The invocation log's line of the model call that is labelled `of`. */
  metered(label: string, time: string, log: { readonly of: string; readonly outputTokens: number }): this {
    const requestId = guid(`request ${log.of}`)
    this.#add(label, {
      schemaType: 'ModelInvocationLog',
      schemaVersion: '1.0',
      timestamp: iso(time),
      accountId: ACCOUNT,
      region: 'us-east-1',
      requestId,
      operation: 'Converse',
      modelId: 'anthropic.claude-3-haiku-20240307-v1:0',
      input: { inputTokenCount: 10 },
      output: { outputTokenCount: log.outputTokens },
    })
    this.labels.set(requestId, label)
    return this
  }

  gcp(label: string, time: string, call: GcpCall): this {
    return this.#add(label, {
      insertId: guid(label),
      logName: `projects/${PROJECT.id}/logs/cloudaudit.googleapis.com%2Fdata_access`,
      timestamp: iso(time),
      severity: 'INFO',
      resource: { type: 'audited_resource', labels: { project_id: PROJECT.id, ...call.labels } },
      protoPayload: {
        '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
        serviceName: call.service,
        methodName: call.method,
        resourceName: call.resource ?? `projects/${PROJECT.id}`,
        authenticationInfo: call.authentication ?? { principalEmail: 'admin@kelp.example' },
        ...(call.request ? { request: call.request } : {}),
        ...(call.metadata ? { metadata: call.metadata } : {}),
        ...(call.serviceData ? { serviceData: call.serviceData } : {}),
        requestMetadata: { callerIp: call.ip ?? '203.0.113.10', callerSuppliedUserAgent: 'test' },
        status: call.code ? { code: call.code, message: 'refused' } : {},
      },
    })
  }

  gcpProvider(
    label: string,
    time: string,
    change: {
      readonly name?: string
      readonly issuer?: string
      readonly condition?: string
      readonly audiences?: readonly string[]
      readonly mapping?: object
      readonly mask?: string
    },
  ): this {
    const update = change.mask !== undefined
    const pool = `projects/${PROJECT.id}/locations/global/workloadIdentityPools/${POOL}`
    const name = change.name ?? 'entra'
    return this.gcp(label, time, {
      service: 'iam.googleapis.com',
      method: `google.iam.v1.WorkloadIdentityPools.${update ? 'Update' : 'Create'}WorkloadIdentityPoolProvider`,
      resource: update ? `${pool}/providers/${name}` : pool,
      request: {
        ...(update ? { updateMask: change.mask } : { workloadIdentityPoolProviderId: name }),
        workloadIdentityPoolProvider: {
          ...(change.condition === undefined ? {} : { attributeCondition: change.condition }),
          ...(update && !change.mapping ? {} : { attributeMapping: change.mapping ?? { 'google.subject': 'assertion.sub' } }),
          ...(update && !change.audiences
            ? {}
            : {
                oidc: {
                  issuerUri: change.issuer ?? `https://login.microsoftonline.com/${TENANT}/v2.0`,
                  allowedAudiences: change.audiences ?? ['api://agent-cloud-federation'],
                },
              }),
        },
      },
    })
  }

  gcpPolicy(label: string, time: string, delta: object): this {
    return this.gcp(label, time, { service: 'cloudresourcemanager.googleapis.com', method: 'SetIamPolicy', serviceData: { policyDelta: delta } })
  }

  gcpExchange(label: string, time: string, subject: string, options: { readonly ip?: string; readonly code?: number; readonly provider?: string } = {}): this {
    const place = `projects/${PROJECT.number}/locations/global/workloadIdentityPools/${POOL}`
    return this.gcp(label, time, {
      service: 'sts.googleapis.com',
      method: 'google.identity.sts.v1.SecurityTokenService.ExchangeToken',
      resource: `${place}/providers/${options.provider ?? 'entra'}`,
      authentication: { principalSubject: subject },
      ...(options.code ? { code: options.code } : { metadata: { mapped_principal: `principal://iam.googleapis.com/${place}/subject/${subject}` } }),
      ...(options.ip ? { ip: options.ip } : {}),
    })
  }

  generate(
    label: string,
    time: string,
    call: {
      readonly subject?: string
      readonly account?: string
      readonly model?: string
      readonly location?: string
      readonly code?: number
      readonly ip?: string
      readonly byKey?: boolean
      readonly labels?: object
    },
  ): this {
    const account = call.account ?? 'agent@agents-prod.iam.gserviceaccount.com'
    const principal = `principal://iam.googleapis.com/projects/${PROJECT.number}/locations/global/workloadIdentityPools/${POOL}/subject/${call.subject ?? ''}`
    return this.gcp(label, time, {
      service: 'aiplatform.googleapis.com',
      method: 'google.cloud.aiplatform.v1.PredictionService.GenerateContent',
      resource: `projects/${PROJECT.id}/locations/${call.location ?? 'us-central1'}/publishers/google/models/${call.model ?? 'gemini-2.5-flash'}`,
      authentication: {
        principalEmail: account,
        ...(call.subject ? { serviceAccountDelegationInfo: [{ principalSubject: principal }] } : {}),
        ...(call.byKey ? { serviceAccountKeyName: `//iam.googleapis.com/projects/x/serviceAccounts/${account}/keys/abc` } : {}),
      },
      ...(call.labels ? { request: { labels: call.labels } } : {}),
      ...(call.code ? { code: call.code } : {}),
      ...(call.ip ? { ip: call.ip } : {}),
    })
  }

  /** A line of the operator's own API. */
  api(label: string, time: string, caller: { readonly oid: string; readonly appId?: string; readonly audience?: string; readonly ip?: string }): this {
    return this.#add(label, {
      time: iso(time),
      api: 'weather',
      requestId: guid(label),
      method: 'GET',
      path: '/weather',
      status: 200,
      tid: TENANT,
      oid: caller.oid,
      appid: caller.appId ?? caller.oid,
      aud: caller.audience ?? guid('weather'),
      idtyp: 'app',
      sourceIp: caller.ip ?? '203.0.113.10',
    })
  }
}

export interface SignIn {
  readonly kind: 'managed-identity' | 'agent' | 'blueprint' | 'service-principal'
  readonly oid: string
  readonly appId?: string
  readonly name?: string
  readonly resource?: string
  readonly ip?: string
  readonly credential?: string
  readonly msiType?: 'userAssigned' | 'systemAssigned'
  readonly blueprint?: string
  readonly error?: string
  readonly message?: string
}

export interface AwsCall {
  readonly service: string
  readonly name: string
  readonly identity: object
  readonly request?: object
  readonly response?: object
  readonly additional?: object
  readonly region?: string
  readonly ip?: string
  readonly error?: string
}

export interface GcpCall {
  readonly service: string
  readonly method: string
  readonly resource?: string
  readonly authentication?: object
  readonly request?: object
  readonly metadata?: object
  readonly serviceData?: object
  readonly labels?: object
  readonly ip?: string
  readonly code?: number
}

/** An access key id that is a function of a label. */
export const keyOf = (label: string): string =>
  `ASIA${Buffer.from(guid(`key ${label}`).replaceAll('-', ''), 'hex')
    .toString('hex')
    .toUpperCase()
    .slice(0, 16)}`

export const sessionIdentity = (key: string, session = 'session'): object => ({
  type: 'AssumedRole',
  principalId: `AROAABCDEFGHIJKLMNOPQ:${session}`,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/agent/${session}`,
  accountId: ACCOUNT,
  accessKeyId: key,
})

export const userIdentity = (name: string, key?: string): object => ({
  type: 'IAMUser',
  principalId: 'AIDAABCDEFGHIJKLMNOPQ',
  arn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
  accountId: ACCOUNT,
  userName: name,
  ...(key ? { accessKeyId: key } : {}),
})

/** A role's trust document in the AWS call that makes the role. */
export const createRole = (label: string, conditions: readonly (object | undefined)[], issuer = `sts.windows.net/${TENANT}/`): AwsCall => ({
  service: 'iam',
  name: 'CreateRole',
  identity: userIdentity('admin'),
  request: {
    roleName: label,
    assumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: conditions.map((Condition) => ({
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${issuer}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        ...(Condition ? { Condition } : {}),
      })),
    }),
  },
  response: { role: { arn: `arn:aws:iam::${ACCOUNT}:role/${label}` } },
})
