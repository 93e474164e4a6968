import type { Agent } from './api-types.ts'
import { h } from './dom.ts'

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i

export interface Picker {
  readonly element: HTMLElement
  readonly setAgents: (agents: readonly Agent[]) => void
  readonly setValue: (oid: string | null) => void
  readonly focus: () => void
}

interface Suggestion {
  readonly oid: string
  readonly name: string
  readonly what: string
}

/** The search box: an oid pasted in any surroundings, or part of a name. Suggests agents and their managed identities (the ARIA combobox pattern). */
export function createPicker(onPick: (oid: string) => void): Picker {
  const list = h('ul', { class: 'suggestions', id: 'suggestions', role: 'listbox', 'aria-label': 'Suggestions', hidden: true })
  const message = h('p', { class: 'picker-message', role: 'alert', hidden: true })
  const input = h('input', {
    type: 'search',
    class: 'picker-input',
    placeholder: 'Paste an oid, or type an agent’s name',
    'aria-label': 'Object id or agent name',
    autocomplete: 'off',
    spellcheck: 'false',
    role: 'combobox',
    'aria-expanded': 'false',
    'aria-controls': 'suggestions',
    'aria-autocomplete': 'list',
  })
  const element = h('div', { class: 'picker', role: 'search' }, input, list, message)
  let known: Suggestion[] = []
  let shown: Suggestion[] = []
  let active = -1

  function suggest(): void {
    const words = input.value.trim().toLowerCase()
    shown = known
      .filter((entry) => !words || entry.oid.includes(words) || entry.name.toLowerCase().includes(words) || entry.what.toLowerCase().includes(words))
      .slice(0, 12)
    active = -1
    message.hidden = true
    render()
  }
  function render(): void {
    const open = shown.length > 0 && document.activeElement === input
    list.hidden = !open
    input.setAttribute('aria-expanded', String(open))
    list.replaceChildren(
      ...shown.map((entry, index) =>
        h(
          'li',
          {
            id: `suggestion-${index}`,
            role: 'option',
            'aria-selected': String(index === active),
            class: index === active ? 'active' : '',
            onmousedown: (event: MouseEvent) => {
              // Before the input loses its focus and the list closes.
              event.preventDefault()
              pick(entry.oid)
            },
          },
          h('b', {}, entry.name),
          h('span', { class: 'muted' }, entry.what),
          h('code', {}, entry.oid),
        ),
      ),
    )
    if (active >= 0) input.setAttribute('aria-activedescendant', `suggestion-${active}`)
    else input.removeAttribute('aria-activedescendant')
  }
  function pick(oid: string): void {
    input.value = oid
    shown = []
    render()
    input.blur()
    onPick(oid.toLowerCase())
  }
  function submit(): void {
    const chosen = shown[active]
    const pasted = GUID.exec(input.value)?.[0]
    if (chosen) pick(chosen.oid)
    else if (pasted) pick(pasted)
    else if (shown.length === 1 && shown[0]) pick(shown[0].oid)
    else if (input.value.trim()) {
      message.textContent =
        shown.length > 1
          ? 'Several match: choose one with the arrow keys.'
          : 'That is neither an oid (8-4-4-4-12 hexadecimal digits) nor the name of a known agent.'
      message.hidden = false
    }
  }
  input.addEventListener('input', suggest)
  input.addEventListener('focus', () => {
    input.select()
    shown = known.slice(0, 12)
    active = -1
    render()
  })
  input.addEventListener('blur', () => render())
  input.addEventListener('paste', () => setTimeout(() => GUID.test(input.value) && submit()))
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') submit()
    else if (event.key === 'Escape') {
      shown = []
      render()
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (shown.length === 0) suggest()
      active = (active + (event.key === 'ArrowDown' ? 1 : -1) + shown.length) % Math.max(1, shown.length)
      render()
    }
  })

  return {
    element,
    setAgents(agents) {
      const uamis = new Map<string, Suggestion>()
      for (const agent of agents)
        for (const uami of agent.uamis) uamis.set(uami.oid, { oid: uami.oid, name: uami.name ?? 'managed identity', what: 'managed identity' })
      known = [...agents.map((agent): Suggestion => ({ oid: agent.oid, name: agent.name ?? 'unnamed agent', what: 'agent' })), ...uamis.values()]
    },
    setValue(oid) {
      if (document.activeElement !== input) input.value = oid ?? ''
    },
    focus: () => input.focus(),
  }
}
