import { h } from './dom.ts'
import { keepToken, tokenIn } from './token.ts'

/** Asks for the access token; `refused` is why the one at hand is not good (any more), in the server's words. */
export function signIn(refused: string | null, onToken: () => void): HTMLElement {
  const input = h('input', { type: 'password', autocomplete: 'off', 'aria-label': 'Access token', placeholder: 'access token', required: true })
  const form = h(
    'form',
    { class: 'card sign-in' },
    h('h1', {}, 'Access token'),
    h(
      'p',
      {},
      'On your own machine trailjoin prints the address of this page with a token when it starts (',
      h('code', {}, 'npx trailjoin up'),
      '): open that address, or paste it or the token here. On a server of your team, paste an API token (',
      h('code', {}, 'tj_…'),
      ') or an access token of your directory.',
    ),
    refused === null ? null : h('p', { class: 'error', role: 'alert' }, `The server refused the token at hand. ${refused}`),
    h('div', { class: 'sign-in-row' }, input, h('button', { type: 'submit', class: 'primary' }, 'Open')),
    h('p', { class: 'muted small' }, 'It is kept for this tab only and is never part of the address.'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const token = tokenIn(input.value)
    if (!token) return
    keepToken(token)
    onToken()
  })
  return form
}
