import type { SignInWay } from '../api-types.ts'

/** Where people sign in; none where the server takes only pasted tokens (this machine's own, API tokens), or does not answer. */
export async function fetchWays(): Promise<readonly SignInWay[]> {
  try {
    const response = await fetch('/sign-in', { headers: { accept: 'application/json' }, cache: 'no-store' })
    return response.ok ? ((await response.json()) as { ways: readonly SignInWay[] }).ways : []
  } catch {
    return []
  }
}
