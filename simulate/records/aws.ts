/** CloudTrail records and Bedrock model-invocation logs. */
import type { Random } from '../random.ts'
import { LETTERS } from '../random.ts'
import { seconds, stsExpiry } from '../moments.ts'

export interface TrailCall {
  readonly eventId: string
  readonly requestId: string
  readonly at: number
  readonly account: string
  readonly region: string
  readonly service: string
  readonly name: string
  readonly userIdentity: object
  readonly ip: string
  readonly userAgent: string
  readonly readOnly: boolean
  readonly request: object | null
  readonly response: object | null
  readonly additional?: object
  readonly resources?: readonly object[]
  readonly sharedEventId?: string
  readonly error?: { readonly code: string; readonly message: string }
}

/** One CloudTrail record, management event. */
export function trailRecord(call: TrailCall): string {
  const host = call.service === 'bedrock' ? 'bedrock-runtime' : call.service
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: call.userIdentity,
    eventTime: seconds(call.at),
    eventSource: `${call.service}.amazonaws.com`,
    eventName: call.name,
    awsRegion: call.region,
    sourceIPAddress: call.ip,
    userAgent: call.userAgent,
    ...(call.error ? { errorCode: call.error.code, errorMessage: call.error.message } : {}),
    requestParameters: call.request,
    responseElements: call.response,
    ...(call.additional ? { additionalEventData: call.additional } : {}),
    requestID: call.requestId,
    eventID: call.eventId,
    readOnly: call.readOnly,
    ...(call.resources ? { resources: call.resources } : {}),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: call.account,
    ...(call.sharedEventId ? { sharedEventID: call.sharedEventId } : {}),
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: `${host}.${call.region}.amazonaws.com`,
    },
  })
}

/** What STS logs of issued credentials. The session token is made up, but shaped like a real one so that masking can be tested. */
export function issuedCredentials(accessKey: string, expires: number, random: Random): object {
  return {
    accessKeyId: accessKey,
    sessionToken: `IQoJb3JpZ2luX2Vj${random.text(LETTERS, 120)}`,
    expiration: stsExpiry(expires),
  }
}

export interface AssumedRole {
  readonly account: string
  readonly role: string
  readonly rolePath: string
  readonly roleId: string
  readonly session: string
  readonly accessKey: string
  readonly createdAt: number
  /** Provider ARN, on the first hop of a web-identity session only. */
  readonly provider: string | null
}

export const roleArn = (account: string, role: string, path = '/') => `arn:aws:iam::${account}:role${path}${role}`
export const assumedRoleUser = (role: Pick<AssumedRole, 'account' | 'role' | 'roleId' | 'session'>) => ({
  assumedRoleId: `${role.roleId}:${role.session}`,
  arn: `arn:aws:sts::${role.account}:assumed-role/${role.role}/${role.session}`,
})

/** `userIdentity` of a call made with an assumed role's key. */
export function assumedRoleIdentity(role: AssumedRole): object {
  const user = assumedRoleUser(role)
  return {
    type: 'AssumedRole',
    principalId: user.assumedRoleId,
    arn: user.arn,
    accountId: role.account,
    accessKeyId: role.accessKey,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: role.roleId,
        arn: roleArn(role.account, role.role, role.rolePath),
        accountId: role.account,
        userName: role.role,
      },
      ...(role.provider ? { webIdFederationData: { federatedProvider: role.provider, attributes: {} } } : {}),
      attributes: { creationDate: seconds(role.createdAt), mfaAuthenticated: 'false' },
    },
  }
}

export interface Invocation {
  readonly at: number
  readonly account: string
  readonly region: string
  readonly arn: string
  readonly requestId: string
  readonly operation: string
  readonly modelId: string
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  /** Marker strings inside prompt and answer: none of them may appear in any output of the product. */
  readonly prompt: string
  readonly answer: string
}

/** A Bedrock model-invocation log record. It names neither key nor subject. */
export function invocationRecord(invocation: Invocation): string {
  const usage = {
    inputTokens: invocation.input,
    outputTokens: invocation.output,
    totalTokens: invocation.input + invocation.output,
    cacheReadInputTokens: invocation.cacheRead,
    cacheWriteInputTokens: 0,
  }
  return JSON.stringify({
    schemaType: 'ModelInvocationLog',
    schemaVersion: '1.0',
    timestamp: seconds(invocation.at),
    accountId: invocation.account,
    identity: { arn: invocation.arn },
    region: invocation.region,
    requestId: invocation.requestId,
    operation: invocation.operation,
    modelId: invocation.modelId,
    input: {
      inputContentType: 'application/json',
      inputBodyJson: { messages: [{ role: 'user', content: [{ text: invocation.prompt }] }] },
      inputTokenCount: invocation.input,
      cacheReadInputTokenCount: invocation.cacheRead,
      cacheWriteInputTokenCount: 0,
    },
    output: {
      outputContentType: 'application/json',
      outputBodyJson: {
        output: { message: { role: 'assistant', content: [{ text: invocation.answer }] } },
        stopReason: 'end_turn',
        usage,
      },
      outputTokenCount: invocation.output,
    },
  })
}
