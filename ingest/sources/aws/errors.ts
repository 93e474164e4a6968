import { SourceError } from '../../engine/source-error.ts'
import type { SourceErrorCode } from '../../engine/source-error.ts'

/** By name first, as AWS documents them; names of the three services and of the SDK itself. */
const CODES: Readonly<Record<string, SourceErrorCode>> = {
  ThrottlingException: 'SOURCE_THROTTLED',
  Throttling: 'SOURCE_THROTTLED',
  ThrottledException: 'SOURCE_THROTTLED',
  TooManyRequestsException: 'SOURCE_THROTTLED',
  RequestLimitExceeded: 'SOURCE_THROTTLED',
  RequestThrottled: 'SOURCE_THROTTLED',
  SlowDown: 'SOURCE_THROTTLED',
  OverLimit: 'SOURCE_THROTTLED',
  KmsThrottled: 'SOURCE_THROTTLED',
  TimeoutError: 'SOURCE_TIMEOUT',
  RequestTimeout: 'SOURCE_TIMEOUT',
  RequestTimeoutException: 'SOURCE_TIMEOUT',
  // The window is simply asked for again.
  InvalidNextTokenException: 'SOURCE_PARTIAL',
  AccessDenied: 'SOURCE_DENIED',
  AccessDeniedException: 'SOURCE_DENIED',
  AllAccessDisabled: 'SOURCE_DENIED',
  CredentialsProviderError: 'SOURCE_DENIED',
  ExpiredToken: 'SOURCE_DENIED',
  ExpiredTokenException: 'SOURCE_DENIED',
  InvalidAccessKeyId: 'SOURCE_DENIED',
  InvalidClientTokenId: 'SOURCE_DENIED',
  InvalidSignatureException: 'SOURCE_DENIED',
  KmsAccessDenied: 'SOURCE_DENIED',
  MissingAuthenticationToken: 'SOURCE_DENIED',
  OptInRequired: 'SOURCE_DENIED',
  RequestTimeTooSkewed: 'SOURCE_DENIED',
  SignatureDoesNotMatch: 'SOURCE_DENIED',
  TokenRefreshRequired: 'SOURCE_DENIED',
  UnauthorizedOperation: 'SOURCE_DENIED',
  UnrecognizedClientException: 'SOURCE_DENIED',
  NoSuchBucket: 'SOURCE_MISCONFIGURED',
  PermanentRedirect: 'SOURCE_MISCONFIGURED',
  AuthorizationHeaderMalformed: 'SOURCE_MISCONFIGURED',
  QueueDoesNotExist: 'SOURCE_MISCONFIGURED',
  InvalidAddress: 'SOURCE_MISCONFIGURED',
  UnsupportedOperation: 'SOURCE_MISCONFIGURED',
  OperationNotPermittedException: 'SOURCE_MISCONFIGURED',
}

interface AwsError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  readonly Code?: string
}

/**
 * What an error of an AWS SDK means. By name, else by HTTP status: a proxy's HTML answer surfaces as a SyntaxError whose status is the only sign.
 * `doing` stands before the message: what was asked, of whom.
 */
export function awsError(error: unknown, doing: string): SourceError {
  if (error instanceof SourceError) return error
  if (!(error instanceof Error)) return new SourceError('SOURCE_UNAVAILABLE', `${doing}: ${String(error)}`, { cause: error })
  const { $metadata, $response, name, Code } = error as AwsError
  const status = $metadata?.httpStatusCode ?? null
  const code = CODES[name] ?? CODES[Code ?? ''] ?? byStatus(status)
  const seconds = Number($response?.headers?.['retry-after'])
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null
  // The SDK calls what it has no words for "UnknownError" and answers of a proxy a SyntaxError: the status says more.
  const words = name === 'SyntaxError' || error.message === 'UnknownError' || error.message === '' ? `HTTP status ${status ?? 'unknown'}` : error.message
  return new SourceError(code, `${doing}: ${name === 'Error' || name === 'SyntaxError' ? '' : `${name}: `}${words}`, { cause: error, retryAfterMs })
}

function byStatus(status: number | null): SourceErrorCode {
  if (status === 429) return 'SOURCE_THROTTLED'
  if (status === 401 || status === 403) return 'SOURCE_DENIED'
  if (status === 408 || status === 504) return 'SOURCE_TIMEOUT'
  if (status !== null && status >= 400 && status < 500) return 'SOURCE_MISCONFIGURED'
  return 'SOURCE_UNAVAILABLE'
}

/** How messages about a role that could not be assumed begin. */
export const ASSUMING = 'assuming '

/** What to do about it, for `doctor`. */
export function adviceFor(error: SourceError, permission: string): string {
  switch (error.code) {
    case 'SOURCE_DENIED':
      if (error.message.startsWith(ASSUMING))
        return "Check that the role exists, that its trust policy names the caller (and this externalId), and that the caller's own policy allows sts:AssumeRole on it."
      return `Check that the credentials are valid (aws sts get-caller-identity) and allow ${permission}.`
    case 'SOURCE_MISCONFIGURED':
      if (/^the (environment variable|file) /.test(error.message)) return 'Secrets stand in the environment or in files; the configuration only says where.'
      return 'Check the names, the region and the endpoint in the configuration.'
    case 'SOURCE_THROTTLED':
      return 'Somebody else uses up the rate of this account: wait, or poll less often (everySeconds).'
    default:
      return 'Check the network between this machine and AWS, and try again.'
  }
}
