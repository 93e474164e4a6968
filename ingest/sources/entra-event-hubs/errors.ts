import { SourceError } from '../../engine/source-error.ts'
import type { SourceErrorCode } from '../../engine/source-error.ts'
import { azureError } from '../entra/errors.ts'

/** What of kafkajs' errors is read. Matched by shape: kafkajs is imported in one place. */
interface KafkaLike extends Error {
  readonly type?: string
  readonly cause?: unknown
}

const CODES: Readonly<Record<string, SourceErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'SOURCE_DENIED',
  TOPIC_AUTHORIZATION_FAILED: 'SOURCE_DENIED',
  GROUP_AUTHORIZATION_FAILED: 'SOURCE_DENIED',
  CLUSTER_AUTHORIZATION_FAILED: 'SOURCE_DENIED',
  UNKNOWN_TOPIC_OR_PARTITION: 'SOURCE_MISCONFIGURED',
  INVALID_TOPIC_EXCEPTION: 'SOURCE_MISCONFIGURED',
  KafkaJSRequestTimeoutError: 'SOURCE_TIMEOUT',
}

/** What an error of the consumer means. `doing` stands before the message: what was read. */
export function hubError(error: unknown, doing: string): SourceError {
  if (error instanceof SourceError) return error
  // kafkajs wraps what finally failed, sometimes more than once.
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = (at as KafkaLike).cause, depth++) {
    const { name, type, message } = at as KafkaLike
    const code = CODES[name] ?? CODES[type ?? ''] ?? (/does not host this topic/.test(message) ? 'SOURCE_MISCONFIGURED' : undefined)
    if (code !== undefined) return new SourceError(code, `${doing}: ${message}`, { cause: error })
    if (/^(CredentialUnavailable|Authentication|AggregateAuthentication)/.test(name)) return azureError(at, doing)
  }
  return azureError(error, doing)
}
