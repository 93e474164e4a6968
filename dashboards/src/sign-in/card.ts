import type { SignInWay } from '../api-types.ts'
import { h } from '../dom.ts'
import { keepToken, tokenIn } from './pasted-token.ts'

export interface CardHandlers {
  /** A token was pasted, and is kept. */
  readonly onToken: () => void
  /** Goes to the issuer; what it gives is why that failed. */
  readonly onSignIn: (way: SignInWay) => Promise<string>
}

/**
 * Asks who the reader is: by their account, where there are ways to sign in, or by a token.
 * @param why what they must know before, such as why the token at hand is not good any more
 */
export function signInCard(ways: readonly SignInWay[], why: string | null, handlers: CardHandlers): HTMLElement {
  const alert = h('p', { class: 'error', role: 'alert', hidden: why === null }, why)
  if (ways.length === 0) return h('div', { class: 'card sign-in' }, h('h1', {}, 'Access token'), ...tokenForm(alert, handlers.onToken))
  const buttons = ways.map((way) => {
    const words = ways.length === 1 ? 'Sign in with your account' : `Sign in at ${placeOf(way, ways)}`
    const button = h('button', { type: 'button', class: 'primary', title: way.issuer }, words)
    button.addEventListener('click', () => {
      alert.hidden = true
      button.disabled = true
      void handlers.onSignIn(way).then((failed) => {
        button.disabled = false
        alert.textContent = failed
        alert.hidden = false
      })
    })
    return button
  })
  return h(
    'div',
    { class: 'card sign-in' },
    h('h1', {}, 'Sign in'),
    h(
      'p',
      {},
      ways.length === 1
        ? `With the account that your organisation gave you, at ${new URL(ways[0]!.issuer).host}.`
        : 'With the account that your organisation gave you.',
    ),
    alert,
    ...buttons,
    h('details', {}, h('summary', {}, 'Use an access token instead'), ...tokenForm(null, handlers.onToken)),
  )
}

/** The host, and where several tenants of one provider share it, the whole issuer. */
function placeOf(way: SignInWay, ways: readonly SignInWay[]): string {
  const { host, pathname } = new URL(way.issuer)
  return ways.filter((other) => new URL(other.issuer).host === host).length > 1 ? host + pathname : host
}

function tokenForm(alert: HTMLElement | null, onToken: () => void): HTMLElement[] {
  const input = h('input', { type: 'password', autocomplete: 'off', 'aria-label': 'Access token', placeholder: 'access token', required: true })
  const form = h('form', { class: 'sign-in-row' }, input, h('button', { type: 'submit', class: alert ? 'primary' : 'quiet' }, 'Open'))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const token = tokenIn(input.value)
    if (!token) return
    keepToken(token)
    onToken()
  })
  const help = h(
    'p',
    {},
    'On your own machine trailjoin prints the address of this page with a token when it starts (',
    h('code', {}, 'npx trailjoin up'),
    '): open that address, or paste it or the token here. On a server of your team, paste an API token (',
    h('code', {}, 'tj_…'),
    ') or an access token of your directory.',
  )
  return [help, ...(alert ? [alert] : []), form, h('p', { class: 'muted small' }, 'It is kept for this tab only and is never part of the address.')]
}
