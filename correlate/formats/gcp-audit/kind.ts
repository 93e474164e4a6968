import type { Kind } from '#core/event.ts'
import type { AuditCall } from './entry.ts'
import { isExchange, isIam, isMint, isModelService, isPolicyChange } from './method.ts'
import { isTokenCounter } from './model.ts'
import { changesFederatedAccess } from './trust.ts'

/**
 * Model calls by the method's last dot segment, lower case: spellings differ in everything before it (`google.cloud.aiplatform.v1.`,
 * `v1beta1`, REST-style `endpoints.predict`). From the PredictionService and LlmBidiService protos. An agent engine's `QueryReasoningEngine` is no call of
 * a model: it runs somebody's program, and each model call that this makes has a record of its own.
 */
const MODEL_CALLS = new Set([
  'generatecontent',
  'streamgeneratecontent',
  'predict',
  'rawpredict',
  'streamrawpredict',
  'serverstreamingpredict',
  'streamingpredict',
  'streamingrawpredict',
  'directpredict',
  'directrawpredict',
  'streamdirectpredict',
  'streamdirectrawpredict',
  'predictlongrunning',
  'embedcontent',
  'batchembedcontents',
  'chatcompletions',
  // Live API: a conversation of many turns is one call.
  'bidigeneratecontent',
  'bidigeneratecontentconstrained',
  'bidigeneratemusic',
])
const SERVICE_ACCOUNT_CHANGE = /^(create|delete|undelete|update|patch|disable|enable|upload)serviceaccount(key)?$/
const POOL_CHANGE = /^(create|update|delete|undelete)(workload|workforce)(identity)?pool|^(add|remove|set)attestationrules?$/

/** What a call did, from its service, method and (for policy changes) its body. */
export function kindOf(call: AuditCall): Kind {
  const operation = call.operation.toLowerCase()
  if (isExchange(call)) return 'token.exchanged'
  if (isMint(call)) return 'credential.minted'
  if (MODEL_CALLS.has(operation) && isModelService(call) && !isTokenCounter(call.resourceName)) return 'llm.invoked'
  if (isIam(call) && SERVICE_ACCOUNT_CHANGE.test(operation)) return 'identity.changed'
  if (isIam(call) && POOL_CHANGE.test(operation)) return 'trust.changed'
  if (isPolicyChange(call) && changesFederatedAccess(call)) return 'trust.changed'
  return 'other'
}

/** True for a call that starts a batch job, whatever becomes of it. `BATCH_ACTION` (migrations/schema/events.ts) names the same calls by their actions. */
export function isBatchJob(call: AuditCall): boolean {
  return (
    /(?:createbatchpredictionjob|batchpredictionjobs\.create|batchgeneratecontent|asyncbatchembedcontent)$/i.test(call.method ?? '') && isModelService(call)
  )
}
