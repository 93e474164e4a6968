/**
 * What must outlive the way to the issuer and back, kept for this tab only: how its answer is recognised, and where the reader was. Nothing of it is a token; it is
 * gone as soon as the page is loaded again.
 */
import type { SignInWay } from '../api-types.ts'

const KEY = 'trailjoin.sign-in'

export interface Attempt {
  readonly way: SignInWay
  readonly state: string
  readonly nonce: string
  /** Of PKCE: without it the code is worth nothing. */
  readonly verifier: string
  readonly redirectUri: string
  /** Path and query that the reader was at. */
  readonly address: string
  /** Asked without a word to the reader: then a refusal says only that they have to sign in themselves. */
  readonly silent: boolean
}

/** How the page came to be loaded. */
export interface Arrival {
  /** On which way to an issuer this tab was. */
  readonly attempt: Attempt | null
  /** What the issuer sent the browser back with; null when the page was loaded otherwise. */
  readonly answer: URLSearchParams | null
}

export const keepAttempt = (attempt: Attempt): void => sessionStorage.setItem(KEY, JSON.stringify(attempt))

/** Where the issuer sends the browser back to: the page itself. It has to be registered with the issuer exactly so. */
export const redirectUri = (): string => location.origin + location.pathname

/** Takes an issuer's answer out of the address, and puts the reader back where they were. Call before anything else reads the address. */
export function takeArrival(): Arrival {
  const attempt = takeAttempt()
  const answer = [location.hash.slice(1), location.search.slice(1)]
    .map((text) => new URLSearchParams(text))
    .find((parameters) => parameters.has('state') && (parameters.has('code') || parameters.has('error')))
  if (answer) history.replaceState(null, '', attempt?.address ?? location.pathname)
  return { attempt, answer: answer ?? null }
}

function takeAttempt(): Attempt | null {
  const text = sessionStorage.getItem(KEY)
  sessionStorage.removeItem(KEY)
  return text === null ? null : (JSON.parse(text) as Attempt)
}
