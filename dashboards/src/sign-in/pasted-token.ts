/**
 * The access token: `trailjoin up` prints an address ending in `#token=…`. A fragment never reaches a server or a log; it is
 * taken out of the address bar at once and kept for this tab only.
 */
const KEY = 'trailjoin.token'

/** Moves a token from the address into the session. Call before anything else reads the address. */
export function takeTokenFromAddress(): void {
  const match = /[#&]token=([^&]+)/.exec(location.hash)
  if (!match?.[1]) return
  sessionStorage.setItem(KEY, decode(match[1]))
  history.replaceState(history.state, '', location.pathname + location.search)
}

export const readToken = (): string | null => sessionStorage.getItem(KEY)
export const keepToken = (token: string): void => sessionStorage.setItem(KEY, token.trim())
export const dropToken = (): void => sessionStorage.removeItem(KEY)

/** Accepts a bare token, the whole printed address or a header's value, because people paste any of them. */
export function tokenIn(pasted: string): string {
  return decode(/token=([^&\s]+)/.exec(pasted)?.[1] ?? pasted.trim().replace(/^Bearer\s+/i, ''))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
