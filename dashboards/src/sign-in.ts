import { h } from './dom.ts'
import { keepToken, tokenIn } from './token.ts'

/** Asks for the access token; `again` when the one at hand was refused. */
export function signIn(again: boolean, onToken: () => void): HTMLElement {
  const input = h('input', { type: 'password', autocomplete: 'off', 'aria-label': 'Access token', placeholder: 'access token', required: true })
  const form = h(
    'form',
    { class: 'card sign-in' },
    h('h1', {}, 'Access token'),
    h(
      'p',
      {},
      'trailjoin prints the address of this page with a token when it starts (',
      h('code', {}, 'npx trailjoin up'),
      '). Open that address, or paste it or the token here.',
    ),
    again ? h('p', { class: 'error', role: 'alert' }, 'The server refused the token at hand. A restart with another data folder has another token.') : null,
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
