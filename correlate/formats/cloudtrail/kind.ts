import type { Kind } from '#core/event.ts'

const MINTS = new Set(['AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoot', 'GetSessionToken', 'GetFederationToken'])

const TRUST_CHANGES = new Set([
  'CreateOpenIDConnectProvider',
  'DeleteOpenIDConnectProvider',
  'AddClientIDToOpenIDConnectProvider',
  'RemoveClientIDFromOpenIDConnectProvider',
  'UpdateOpenIDConnectProviderThumbprint',
  'CreateSAMLProvider',
  'UpdateSAMLProvider',
  'DeleteSAMLProvider',
  'UpdateAssumeRolePolicy',
])

/** Principals and their long-lived credentials. Policies, tags and MFA devices change what a principal may do, not who it is. */
const IDENTITY_CHANGES =
  /^(?:Create|Delete|Update)(?:Role|User|AccessKey|LoginProfile|ServiceLinkedRole|ServiceSpecificCredential)$|^ResetServiceSpecificCredential$/

/** Bedrock's model and agent calls (runtime and agent runtime both log as `bedrock`). ApplyGuardrail and CountTokens run no model for the caller, batch jobs run it later. */
const BEDROCK_CALLS = /^(?:InvokeModel|Converse|StartAsyncInvoke$|InvokeAgent$|InvokeInlineAgent$|InvokeFlow$|RetrieveAndGenerate)/

/** Service name of an event source: `bedrock.amazonaws.com` → `bedrock`; `aws` where the record names none. */
export function serviceOf(eventSource: string | null): string {
  return eventSource?.split('.')[0] ?? 'aws'
}

/** The kind of one call. `federatedTrust`: the record's trust document trusts an identity provider. */
export function kindOf(service: string, eventName: string, federatedTrust: boolean): Kind {
  switch (service) {
    case 'sts':
      return eventName === 'AssumeRoleWithWebIdentity' ? 'token.exchanged' : MINTS.has(eventName) ? 'credential.minted' : 'other'
    case 'iam':
      if (TRUST_CHANGES.has(eventName) || (eventName === 'CreateRole' && federatedTrust)) return 'trust.changed'
      return IDENTITY_CHANGES.test(eventName) ? 'identity.changed' : 'other'
    case 'bedrock':
    case 'bedrock-runtime':
    case 'bedrock-agent-runtime':
      return BEDROCK_CALLS.test(eventName) ? 'llm.invoked' : 'other'
    // bedrock-agentcore is none of them: runtimes, gateways, code interpreters and browsers run programs and tools; the models that these call have records of their own.
    case 'bedrock-mantle':
      return eventName === 'CreateInference' ? 'llm.invoked' : 'other'
    default:
      return 'other'
  }
}

/** True for a call that starts a batch job, whatever becomes of it. `BATCH_ACTION` (migrations/schema/events.ts) names the same calls by their actions. */
export function isBatchJob(service: string, eventName: string): boolean {
  return (service === 'bedrock' && eventName === 'CreateModelInvocationJob') || (service === 'bedrock-mantle' && eventName === 'CreateBatch')
}
