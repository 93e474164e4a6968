import { SourceError } from '../../engine/source-error.ts'
import type { SourceErrorCode } from '../../engine/source-error.ts'

/** What of a GaxiosError is read. Matched by shape: a project may well have several copies of the class. */
interface GaxiosLike extends Error {
  readonly status?: number
  readonly code?: string | number
  readonly response?: { readonly headers?: unknown; readonly data?: unknown }
}

/** What an error of Google's clients means. `doing` stands before the message: what was asked, of whom. */
export function googleError(error: unknown, doing: string): SourceError {
  if (error instanceof SourceError) return error
  if (!(error instanceof Error)) return new SourceError('SOURCE_UNAVAILABLE', `${doing}: ${String(error)}`, { cause: error })
  const { status, name, message, code } = error as GaxiosLike
  if (/default credentials|Could not refresh access token|invalid_grant/i.test(message))
    return new SourceError('SOURCE_DENIED', `${doing}: ${message}`, { cause: error })
  const timeout = [name, code].some((word) => word === 'TimeoutError' || word === 'AbortError' || word === 'ETIMEDOUT')
  const kind = timeout ? 'SOURCE_TIMEOUT' : byStatus(status)
  const words = messageOf(error) ?? (message === '' ? `HTTP status ${status ?? 'unknown'}` : message)
  return new SourceError(kind, `${doing}: ${words}`, { cause: error, retryAfterMs: retryAfterOf(error) })
}

/** The status and words of Google's error body, `{"error":{"code":429,"message":"…","status":"RESOURCE_EXHAUSTED"}}`. The body may be text: that is what was asked for. */
export function messageOf(error: unknown): string | null {
  const data = (error instanceof Error ? (error as GaxiosLike) : undefined)?.response?.data
  try {
    const { error: body } = (typeof data === 'string' ? JSON.parse(data) : data) as {
      readonly error?: { readonly message?: unknown; readonly status?: unknown }
    }
    return typeof body?.message === 'string' ? `${typeof body.status === 'string' ? `${body.status}: ` : ''}${body.message}` : null
  } catch {
    return null
  }
}

/** The HTTP status of the answer, or null when there was none. */
export function statusOf(error: unknown): number | null {
  return (error instanceof Error ? (error as GaxiosLike).status : undefined) ?? null
}

function retryAfterOf(error: Error): number | null {
  const headers = (error as GaxiosLike).response?.headers as { readonly get?: (name: string) => string | null; readonly 'retry-after'?: unknown } | undefined
  // 11.x of the client has a plain object, later ones have Headers, and not always the global class.
  const value = typeof headers?.get === 'function' ? headers.get('retry-after') : headers?.['retry-after']
  const seconds = Number(value ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null
}

function byStatus(status: number | undefined): SourceErrorCode {
  if (status === 429) return 'SOURCE_THROTTLED'
  if (status === 401 || status === 403) return 'SOURCE_DENIED'
  if (status === 408 || status === 504) return 'SOURCE_TIMEOUT'
  if (status !== undefined && status >= 400 && status < 500) return 'SOURCE_MISCONFIGURED'
  return 'SOURCE_UNAVAILABLE'
}
