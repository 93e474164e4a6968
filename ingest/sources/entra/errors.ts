import { SourceError } from '../../engine/source-error.ts'
import type { SourceErrorCode } from '../../engine/source-error.ts'

/** What of an error of the Azure SDKs is read. Matched by shape: the SDKs bring several copies of the class. */
interface AzureError extends Error {
  readonly code?: string
  readonly statusCode?: number
  readonly response?: { readonly headers?: { get(name: string): string | undefined }; readonly bodyAsText?: string | null }
}

const CREDENTIAL_ERRORS: ReadonlySet<string> = new Set([
  'CredentialUnavailableError',
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError',
])

/** What an error of the Azure SDKs means. `doing` stands before the message: what was asked, of whom. */
export function azureError(error: unknown, doing: string): SourceError {
  if (error instanceof SourceError) return error
  if (!(error instanceof Error)) return new SourceError('SOURCE_UNAVAILABLE', `${doing}: ${String(error)}`, { cause: error })
  const { name, code, statusCode, response } = error as AzureError
  const seconds = Number(response?.headers?.get('retry-after'))
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null
  const words = error.message === '' ? `HTTP status ${statusCode ?? 'unknown'}` : error.message
  const kind = CREDENTIAL_ERRORS.has(name) ? 'SOURCE_DENIED' : byStatus(statusCode)
  return new SourceError(kind, `${doing}: ${code === undefined || words.includes(code) ? '' : `${code}: `}${words}`, { cause: error, retryAfterMs })
}

/** The answer's own text, when the error has one: it names what the message leaves out. */
export function answerOf(error: unknown): { readonly status: number | null; readonly body: string } {
  const { statusCode, response } = (error instanceof Error ? error : {}) as Partial<AzureError>
  return { status: statusCode ?? null, body: response?.bodyAsText ?? '' }
}

function byStatus(status: number | undefined): SourceErrorCode {
  if (status === 429) return 'SOURCE_THROTTLED'
  if (status === 401 || status === 403) return 'SOURCE_DENIED'
  if (status === 408 || status === 504) return 'SOURCE_TIMEOUT'
  if (status !== undefined && status >= 400 && status < 500) return 'SOURCE_MISCONFIGURED'
  return 'SOURCE_UNAVAILABLE'
}
