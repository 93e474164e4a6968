import type { Agent } from './api-types.ts'
import { h } from './dom.ts'

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i

export interface Picker {
  readonly element: HTMLElement
  readonly setAgents: (agents: readonly Agent[]) => void
  readonly setValue: (oid: string | null) => void
  readonly focus: () => void
}

/** An oid that can be chosen. */
export interface Suggestion {
  readonly oid: string
  readonly name: string
  readonly what: string
}

/** Answers for what is neither a known oid nor a known name: suggestions, or why there are none. */
type LookUp = (text: string) => Promise<{ readonly suggestions: readonly Suggestion[]; readonly message: string | null }>

/**
 * The search box: an oid pasted in any surroundings, part of a name, or any other identifier, which the server is asked about. Suggests agents and their managed identities (the ARIA
 * combobox pattern).
 */
export function createPicker(onPick: (oid: string) => void, lookUp: LookUp): Picker {
  const list = h('ul', { class: 'suggestions', id: 'suggestions', role: 'listbox', 'aria-label': 'Suggestions', hidden: true })
  const message = h('p', { class: 'picker-message', role: 'alert', hidden: true })
  const input = h('input', {
    type: 'search',
    class: 'picker-input',
    placeholder: 'Paste an oid, access key, ARN, address, request id …, or type a name',
    'aria-label': 'Object id, agent name or any identifier',
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
    const text = input.value.trim()
    const pasted = GUID.exec(text)?.[0]
    if (chosen) pick(chosen.oid)
    else if (pasted && known.some((entry) => entry.oid === pasted.toLowerCase())) pick(pasted)
    else if (shown.length === 1 && shown[0]) pick(shown[0].oid)
    else if (shown.length > 1) tell('Several match: choose one with the arrow keys.')
    else if (text) void askServer(text, pasted)
  }
  function tell(text: string): void {
    message.textContent = text
    message.hidden = false
  }
  /** A GUID can be many things; one that names nothing else is opened as an oid, whose pane says that it is unknown. */
  async function askServer(text: string, pasted: string | undefined): Promise<void> {
    tell('Looking …')
    try {
      const found = await lookUp(text)
      // Something else was typed meanwhile.
      if (input.value.trim() !== text) return
      message.hidden = true
      const [only] = found.suggestions
      if (only && (found.suggestions.length === 1 || only.oid === pasted?.toLowerCase())) return pick(only.oid)
      shown = [...found.suggestions]
      active = -1
      render()
      if (shown.length > 1) tell('It leads to several: choose one.')
      else if (pasted) pick(pasted)
      else if (found.message !== null) tell(found.message)
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error))
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
