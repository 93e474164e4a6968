/**
 * As whom the page asks: with a token that was pasted (kept for the tab), or as somebody who signed in at their issuer (kept in memory, renewed before it ends). One at a time.
 */
import type { SignInWay } from '../api-types.ts'
import { takeArrival, type Arrival } from './attempt.ts'
import { dropToken, readToken } from './pasted-token.ts'
import type { Tokens } from './tokens.ts'
import { fetchWays } from './ways.ts'

/** The issuer whose token the server took last in this browser, so that the next page can go there by itself: no secret, and no name. */
const SIGNED_IN = 'trailjoin.signed-in-at'
/** A token is renewed that long before its end, or in the last fifth of a short life. */
const MARGIN_SECONDS = 60
/** After an issuer that did not answer, or could not just then. */
const PAUSE_MS = 10_000

let arrival: Arrival = { attempt: null, answer: null }
let tokens: Tokens | null = null
/** Whether the server took a token of this sign-in. */
let taken = false
let renewAt = Infinity
let renewing: Promise<void> | null = null

/** The protocol is loaded only where somebody signs in: `trailjoin up` on one's own machine needs none of it. */
const provider = () => import('./provider.ts')

/** Takes an issuer's answer out of the address. Call before anything else reads the address. */
export function takeAnswerFromAddress(): void {
  arrival = takeArrival()
}

/** As whom somebody is signed in at an issuer; null with a pasted token, or none. */
export const account = (): { readonly name: string | null } | null => tokens

export const isKnown = (): boolean => tokens !== null || readToken() !== null

/** The token for the next request, renewed if it is about to end; null when nobody is known. */
export async function currentToken(): Promise<string | null> {
  if (tokens && Date.now() >= renewAt) await renewOnce()
  return tokens?.access ?? readToken()
}

/** The server refused that token. @returns whether there is another one now, with which to ask once more */
export async function isReplaced(refused: string): Promise<boolean> {
  if (tokens?.access === refused) await renewOnce()
  return tokens !== null && tokens.access !== refused
}

/** The server knew that token: its issuer is a good one to go to when the page is opened again. */
export function accepted(token: string): void {
  if (taken || tokens?.access !== token) return
  taken = true
  localStorage.setItem(SIGNED_IN, tokens.way.issuer)
}

/**
 * Makes the reader known where they need not be asked for it: finishes a sign-in that comes back, or goes to the issuer where they signed in before.
 * @returns why it failed, where there is something to say; null otherwise. Does not end when the browser goes to the issuer
 */
export async function arrive(): Promise<string | null> {
  const { attempt, answer } = arrival
  arrival = { attempt: null, answer: null }
  try {
    if (answer) take(await (await provider()).redeem(attempt, answer))
    // Who was sent there and came back without an answer met an error there: they are not sent again by themselves.
    else if (!attempt?.silent) return await goWhereTheySignedIn()
    return null
  } catch (error) {
    return words(error)
  } finally {
    if (answer && !tokens) localStorage.removeItem(SIGNED_IN)
  }
}

async function goWhereTheySignedIn(): Promise<string | null> {
  const issuer = localStorage.getItem(SIGNED_IN)
  if (issuer === null) return null
  const way = (await fetchWays()).find((candidate) => candidate.issuer === issuer)
  return way ? await signIn(way, 'none') : null
}

/**
 * The server does not take the token at hand any more, and there is no other: forgets it, and goes to the issuer for a new one, without a word to the reader if they are still
 * signed in there. Not with a token that the server never took: that would send the browser round and round.
 * @returns why the reader has to do something. Does not end when the browser goes to the issuer
 */
export async function replaceRefused(why: string): Promise<string> {
  const [before, wasTaken] = [tokens, taken]
  forget()
  if (!before) return `The server refused the token at hand. ${why}`
  if (wasTaken) return await signIn(before.way, 'none')
  localStorage.removeItem(SIGNED_IN)
  return `You signed in, but the server does not take what your issuer gave. ${why}`
}

/** Goes to the issuer. @returns why that failed */
export async function signIn(way: SignInWay, prompt: 'none' | 'login' | null = null): Promise<string> {
  try {
    return await (await provider()).leaveToSignIn(way, prompt)
  } catch (error) {
    return words(error)
  }
}

/** Goes to the issuer so that the reader can be somebody else. @returns why that failed; null when they did not sign in at one */
export async function signInAsAnother(): Promise<string | null> {
  return tokens ? await signIn(tokens.way, 'login') : null
}

/** Forgets the token at hand. */
export function forget(): void {
  tokens = null
  taken = false
  renewAt = Infinity
  dropToken()
}

/** Forgets, and signs out at the issuer, too. @returns what is left to say when the browser stays here */
export async function signOut(): Promise<string | null> {
  // It may bring another refresh token, and that one has to be withdrawn.
  await renewing
  const before = tokens
  forget()
  localStorage.removeItem(SIGNED_IN)
  if (!before) return null
  const left = await provider()
    .then(({ leaveToSignOut }) => leaveToSignOut(before.way, before.refresh))
    .catch(() => false)
  return left ? null : `You are signed out here, but not at ${new URL(before.way.issuer).host}.`
}

function take(fresh: Tokens | null): void {
  if (!fresh) return
  dropToken()
  tokens = fresh
  const { refresh, lifetimeSeconds } = fresh
  const margin = Math.min(MARGIN_SECONDS, (lifetimeSeconds ?? 0) / 5)
  renewAt = refresh === null || lifetimeSeconds === null ? Infinity : Date.now() + (lifetimeSeconds - margin) * 1000
}

/** Many requests may need a new token at once; the issuer is asked once, because it may take a refresh token but once. */
function renewOnce(): Promise<void> {
  renewing ??= renew().finally(() => {
    renewing = null
  })
  return renewing
}

async function renew(): Promise<void> {
  const before = tokens
  if (!before || before.refresh === null) return
  try {
    const fresh = await (await provider()).renew(before)
    // Signed out meanwhile.
    if (tokens !== before) return
    if (fresh) return take(fresh)
    // What is at hand stays good to its end; then the server says so.
    tokens = { ...before, refresh: null }
    renewAt = Infinity
  } catch {
    renewAt = Date.now() + PAUSE_MS
  }
}

const words = (error: unknown): string => (error instanceof Error ? error.message : 'Signing in failed.')
