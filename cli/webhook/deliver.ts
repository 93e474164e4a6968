/** Delivers webhooks: signed (sign.ts), tried again while that may help, never redirected. */
import pRetry, { AbortError } from 'p-retry'
import { signatureHeaders } from './sign.ts'
import type { WebhookKey } from './sign.ts'

export interface WebhookTarget {
  /** Fit by `webhookUrlFault`. */
  readonly url: string
  readonly key: WebhookKey
}

export interface WebhookMessage {
  /** The same whenever the same thing is told again, also after a restart: receivers drop repetitions by it. Letters, digits, `_`, `-`. */
  readonly id: string
  readonly contentType: string
  readonly body: string | Uint8Array
  /** More headers, e.g. what a file is called. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface DeliverOptions {
  readonly signal?: AbortSignal
  /** Of one attempt, until the answer's headers are there. */
  readonly timeoutMs?: number
  /** After the first attempt. */
  readonly retries?: number
  /** Before the second attempt; doubled after each. */
  readonly pauseMs?: number
  /** Unix time in milliseconds; for tests. */
  readonly now?: () => number
}

/** A message that was not taken. The message names the host only: addresses of webhooks often hold secrets. */
class WebhookError extends Error {
  override readonly name = 'WebhookError'
}

const TIMEOUT_MS = 15_000
const RETRIES = 5
const PAUSE_MS = 1_000
/** Answers that another attempt may change; any other refusal is final. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429])
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * The address of a webhook: https, or http on this machine's loopback; no user or password in it.
 * @returns what is wrong with it, or null
 */
export function webhookUrlFault(text: string): string | null {
  const url = URL.parse(text)
  if (url === null) return 'is no address'
  if (url.username !== '' || url.password !== '') return 'has a user or a password in it: webhooks are signed instead'
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return null
  return 'is not https (http is for loopback only)'
}

/**
 * Delivers one message; resolves when the receiver answered with 2xx.
 * @throws WebhookError when it was refused for good, or not taken after the last attempt; the signal's reason when aborted
 */
export async function deliverWebhook(target: WebhookTarget, message: WebhookMessage, options: DeliverOptions = {}): Promise<void> {
  const fault = webhookUrlFault(target.url)
  if (fault !== null) throw new WebhookError(`the webhook's address ${fault}`)
  const { host } = new URL(target.url)
  const { signal, retries = RETRIES, pauseMs = PAUSE_MS } = options
  await pRetry(() => attempt(target, message, host, options), {
    retries,
    minTimeout: pauseMs,
    maxTimeout: 60_000,
    factor: 2,
    randomize: true,
    ...(signal ? { signal } : {}),
  })
}

async function attempt({ url, key }: WebhookTarget, message: WebhookMessage, host: string, options: DeliverOptions): Promise<void> {
  const { signal, timeoutMs = TIMEOUT_MS, now = Date.now } = options
  signal?.throwIfAborted()
  const limit = AbortSignal.timeout(timeoutMs)
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      // A redirect could carry the body to another host than the operator named.
      redirect: 'manual',
      headers: {
        ...message.headers,
        'content-type': message.contentType,
        'user-agent': 'trailjoin',
        ...signatureHeaders(key, message.id, Math.floor(now() / 1000), message.body),
      },
      body: typeof message.body === 'string' ? message.body : new Uint8Array(message.body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw new WebhookError(`${host} ${limit.aborted ? `did not answer within ${timeoutMs / 1000} s` : `cannot be reached: ${reasonOf(error)}`}`)
  }
  // What it says besides is not wanted, and may be endless.
  await response.body?.cancel().catch(() => undefined)
  if (response.ok) return
  const refusal = new WebhookError(
    `${host} answered ${response.status}${response.status >= 300 && response.status < 400 ? ' (redirects are not followed)' : ''}`,
  )
  throw response.status >= 500 || PASSING.has(response.status) ? refusal : new AbortError(refusal)
}

/** fetch hides the reason in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error))
}
