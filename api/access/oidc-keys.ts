/**
 * The public keys of an issuer, from the address that its discovery document names. Fetched on first use, and anew by the first token after ten minutes; a key that is not
 * known yet leads to one fetch, at most every half minute, however many tokens name it. While the issuer does not answer, the keys at hand are good for a
 * day: an outage of its key server locks nobody out, and a withdrawn key does not stay good for ever.
 */
import { createLocalJWKSet, errors } from 'jose'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import { isSecureAddress } from './settings.ts'

/** The issuer does not answer, or answers with something else than its keys. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable'
}

export interface KeyTimes {
  readonly refreshMs: number
  readonly staleMs: number
  /** Shortest time between two fetches. */
  readonly cooldownMs: number
  readonly timeoutMs: number
}

const TIMES: KeyTimes = { refreshMs: 600_000, staleMs: 86_400_000, cooldownMs: 30_000, timeoutMs: 5_000 }
/** After a failed fetch: short, because nobody gets in meanwhile, yet no request waits for a server that just did not answer. */
const RETRY_MS = 5_000
const MOST_BYTES = 1_000_000

/**
 * Finds the key of a token, for `jwtVerify`.
 * @param discovery address of the discovery document; `issuer` must be what it says
 * @throws (when used) IssuerUnavailable, or jose's errors where no key fits
 */
export function issuerKeys(issuer: string, discovery: string, times: KeyTimes = TIMES): JWTVerifyGetKey {
  let keys: ReturnType<typeof createLocalJWKSet> | null = null
  let fetchedAt = 0
  let failedAt = -Infinity
  let running: Promise<void> | null = null

  const load = async (): Promise<void> => {
    try {
      keys = createLocalJWKSet(await fetchKeys(issuer, discovery, times.timeoutMs))
      fetchedAt = performance.now()
    } catch (error) {
      failedAt = performance.now()
      throw error instanceof IssuerUnavailable ? error : new IssuerUnavailable(`The keys of ${issuer} cannot be read.`, { cause: error })
    }
  }
  /** One fetch at a time; whoever asks meanwhile waits for the same one. */
  const refresh = async (): Promise<void> => {
    if (running === null && performance.now() - failedAt < Math.min(RETRY_MS, times.cooldownMs))
      throw new IssuerUnavailable(`${issuer} did not answer a moment ago.`)
    running ??= load().finally(() => {
      running = null
    })
    await running
  }
  const age = (): number => performance.now() - fetchedAt

  return async (header, token) => {
    if (keys === null || age() > times.staleMs) await refresh()
    else if (age() > times.refreshMs) {
      // A key may have been withdrawn meanwhile, so the answer is waited for; not while the issuer is away, where the keys at hand have to do.
      const read = refresh().catch(() => undefined)
      if (failedAt < fetchedAt) await read
    }
    try {
      return await keys!(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || age() < times.cooldownMs) throw error
      await refresh()
      return keys!(header, token)
    }
  }
}

/**
 * The keys that an issuer publishes at this moment.
 * @param discovery address of the discovery document; `issuer` must be what it says
 * @throws IssuerUnavailable with what is wrong, or an error of `fetch`
 */
export async function fetchKeys(issuer: string, discovery: string, timeoutMs: number = TIMES.timeoutMs): Promise<JSONWebKeySet> {
  const document = await fetchJson(discovery, timeoutMs)
  // OpenID Connect Discovery 1.0 §4.3: it must be exactly the issuer that was asked for.
  if (document['issuer'] !== issuer) throw new IssuerUnavailable(`The discovery document at ${discovery} is of another issuer than ${issuer}.`)
  const { jwks_uri: address } = document
  if (typeof address !== 'string' || !isSecureAddress(address))
    throw new IssuerUnavailable(`The discovery document of ${issuer} names no https address of its keys.`)
  const set = await fetchJson(address, timeoutMs)
  if (!Array.isArray(set['keys'])) throw new IssuerUnavailable(`There are no keys at ${address}.`)
  return set as unknown as JSONWebKeySet
}

async function fetchJson(address: string, timeoutMs: number): Promise<Record<string, unknown>> {
  // A redirect could lead anywhere, to plain http for one.
  const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs), headers: { accept: 'application/json' } })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new IssuerUnavailable(`${address} answers ${response.status}.`)
  }
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body) {
    bytes += part.byteLength
    if (bytes > MOST_BYTES) throw new IssuerUnavailable(`${address} answers with more than ${MOST_BYTES} bytes.`)
    parts.push(part)
  }
  const value: unknown = JSON.parse(Buffer.concat(parts).toString())
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new IssuerUnavailable(`${address} answers with no JSON object.`)
  return value as Record<string, unknown>
}
