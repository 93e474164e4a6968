/**
 * What decides how long to wait (`back-off.ts` has the table):
 * throttled (429 and the like) · unavailable (5xx, network, anything unknown) · timeout · partial (an answer that says itself that it is incomplete) ·
 * denied (401, 403: a person must act; tried again, slowly) · misconfigured (400, 404: the same).
 */
export type SourceErrorCode = 'SOURCE_THROTTLED' | 'SOURCE_UNAVAILABLE' | 'SOURCE_TIMEOUT' | 'SOURCE_PARTIAL' | 'SOURCE_DENIED' | 'SOURCE_MISCONFIGURED'

/** A source could not be read. The message is for a person and holds no secret. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code: SourceErrorCode
  /** The cloud's own wish (retry-after), in milliseconds. */
  readonly retryAfterMs: number | null

  constructor(code: SourceErrorCode, message: string, options: { readonly cause?: unknown; readonly retryAfterMs?: number | null } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    this.code = code
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}
