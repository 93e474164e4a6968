/**
 * Signatures of webhooks as the Standard Webhooks specification 1.0 has them (https://www.standardwebhooks.com), so that receivers can check them with
 * the libraries that exist for it. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** A secret to sign with. */
export type WebhookKey = Buffer

const PREFIX = 'whsec_'
/** Key sizes that the specification allows, in bytes. */
const [LEAST, MOST] = [24, 64]

/**
 * The key in a secret's text: `whsec_` and the base64 of 24 to 64 random bytes.
 * @throws Error that says how to make one; the text itself is not repeated
 */
export function webhookKey(text: string): WebhookKey {
  const base64 = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : null
  const key = base64 !== null && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : null
  if (key === null || key.length < LEAST || key.length > MOST)
    throw new Error(
      `the webhook's secret is not ${PREFIX} and the base64 of ${LEAST} to ${MOST} random bytes: make one by \`echo ${PREFIX}$(openssl rand -base64 32)\``,
    )
  return key
}

/**
 * The three headers of a message.
 * @param id the same for every attempt to deliver one message: receivers know repetitions by it
 * @param seconds Unix time of this attempt
 * @throws Error if the id has characters other than letters, digits, `_` and `-` (a dot would make two messages sign alike)
 */
export function signatureHeaders(key: WebhookKey, id: string, seconds: number, body: string | Uint8Array): Readonly<Record<string, string>> {
  if (!/^[\w-]{1,200}$/.test(id)) throw new Error('a webhook id has letters, digits, _ and - only')
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature(key, id, String(seconds), body).toString('base64')}` }
}

/** True if the headers of a received message sign its body with this key. The caller decides how old a timestamp may be. */
export function isSigned(key: WebhookKey, headers: Readonly<Record<string, string | readonly string[] | undefined>>, body: string | Uint8Array): boolean {
  const [id, seconds, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headers[name])
  if (typeof id !== 'string' || typeof seconds !== 'string' || typeof given !== 'string') return false
  const right = signature(key, id, seconds, body)
  // Several signatures, divided by spaces, stand there while a secret is being changed.
  return given.split(' ').some((one) => {
    const bytes = one.startsWith('v1,') ? Buffer.from(one.slice(3), 'base64') : null
    return bytes !== null && bytes.length === right.length && timingSafeEqual(bytes, right)
  })
}

const signature = (key: WebhookKey, id: string, seconds: string, body: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest()
