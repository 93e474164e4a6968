import type { AuditCall } from './entry.ts'

const MINTS = new Set(['generateaccesstoken', 'generateidtoken', 'signjwt', 'signblob'])
const MODEL_SERVICES = new Set(['aiplatform.googleapis.com', 'generativelanguage.googleapis.com'])

/** A token exchange (workload or workforce). The console sign-in `WebSignIn` is a person's and no exchange. */
export function isExchange(call: AuditCall): boolean {
  return call.operation.toLowerCase() === 'exchangetoken' && isTokenService(call)
}

/** Any record of the token service that names a federated principal by its raw subject. */
export function isTokenService(call: AuditCall): boolean {
  return ofService(call, ['sts.googleapis.com'], 'google.identity.sts.')
}

/** A credential issued for a service account: documented under short names, seen under long ones. */
export function isMint(call: AuditCall): boolean {
  return MINTS.has(call.operation.toLowerCase()) && ofService(call, ['iamcredentials.googleapis.com', 'iam.googleapis.com'], 'google.iam.')
}

/** `SetIamPolicy` in every spelling (`SetIAMPolicy` for service accounts, `storage.setIamPermissions`). */
export function isPolicyChange(call: AuditCall): boolean {
  return /^setiam(policy|permissions)$/i.test(call.operation)
}

/** A call of Google's IAM service. */
export function isIam(call: AuditCall): boolean {
  return ofService(call, ['iam.googleapis.com'], 'google.iam.')
}

/** A call of a service that serves language models. */
export function isModelService(call: AuditCall): boolean {
  return call.service === null ? (call.method ?? '').startsWith('google.cloud.aiplatform.') : MODEL_SERVICES.has(call.service)
}

/** Records without a service name (Google's own documentation prints some) are placed by their long method name; a short one says enough alone. */
function ofService(call: AuditCall, services: readonly string[], methodPrefix: string): boolean {
  if (call.service !== null) return services.includes(call.service)
  return call.method === call.operation || (call.method ?? '').startsWith(methodPrefix)
}
