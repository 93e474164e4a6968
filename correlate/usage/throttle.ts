/** Refusals that say "too much at once", told apart from every other failure. Pure. */
import type { Source } from '#core/event.ts'

/**
 * AWS: the codes that the AWS SDKs hold for throttling (smithy-typescript, service-error-classification, as of 2026), and HTTP's 429, which Bedrock's
 * invocation log may have in its place. `ServiceQuotaExceededException` is none: it stays until somebody raises the quota.
 */
const AWS_CODES: ReadonlySet<string> = new Set([
  '429',
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
])
/** google.rpc.Code RESOURCE_EXHAUSTED: Vertex AI's answer (HTTP 429) to too many requests. */
const GCP_CODE = '8'

/** True for an error code that says that the caller used too much at once. */
export function isThrottle(source: Source, errorCode: string | null): boolean {
  if (errorCode === null) return false
  return source === 'gcp' ? errorCode === GCP_CODE : source === 'aws' && AWS_CODES.has(errorCode)
}
