import type { SignInWay } from '../api-types.ts'

/** What a sign-in gave. Kept in memory only: they are gone with the page. */
export interface Tokens {
  readonly way: SignInWay
  readonly access: string
  readonly refresh: string | null
  /** What was granted, which may be less than what was asked for; null when the issuer does not say (then it is all). */
  readonly scope: string | null
  /** From when it was issued; null when the issuer does not say. */
  readonly lifetimeSeconds: number | null
  /** As whom; null when the issuer does not say. */
  readonly name: string | null
}
