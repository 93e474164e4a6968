import { NO_FILTERS, countFilters, type Filters } from './address.ts'
import { h } from './dom.ts'
import { markIcon } from './mark-icon.ts'
import { CONFIDENCE_WORDS, KIND_WORDS, OUTCOME_WORDS, SOURCE_WORDS, keysOf } from './words.ts'

export interface FilterBar {
  readonly element: HTMLElement
  readonly set: (filters: Filters) => void
}

/** The filters. Confidence chips are the legend at the same time: the same marks as on the lanes. Nothing chosen in a group means everything. */
export function createFilterBar(onChange: (filters: Filters) => void): FilterBar {
  let filters = NO_FILTERS
  const change = (part: Partial<Filters>): void => {
    filters = { ...filters, ...part }
    sync()
    onChange(filters)
  }
  const chips: { readonly button: HTMLButtonElement; readonly isOn: () => boolean }[] = []
  const group = <Word extends string>(
    name: 'source' | 'kind' | 'outcome' | 'confidence',
    label: string,
    words: readonly Word[],
    look: (word: Word) => readonly (Node | string)[],
    help: (word: Word) => string | null,
  ): HTMLElement =>
    h(
      'div',
      { class: `chips by-${name}`, role: 'group', 'aria-label': label },
      h('span', { class: 'chips-label' }, label),
      ...words.map((word) => {
        const button = h('button', { type: 'button', class: 'chip', 'data-word': word, title: help(word) }, ...look(word))
        const list = (): readonly string[] => filters[name]
        button.addEventListener('click', () => change({ [name]: list().includes(word) ? list().filter((other) => other !== word) : [...list(), word] }))
        chips.push({ button, isOn: () => list().includes(word) })
        return button
      }),
    )
  const text = h('input', { type: 'search', placeholder: 'text in action, principal, model, error…', 'aria-label': 'Text', maxlength: 500 })
  const from = h('input', { type: 'datetime-local', step: 1, 'aria-label': 'From (UTC)' })
  const to = h('input', { type: 'datetime-local', step: 1, 'aria-label': 'To (UTC), not included' })
  let typing: ReturnType<typeof setTimeout> | undefined
  text.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(() => change({ text: text.value.trim() }), 350)
  })
  from.addEventListener('change', () => change({ from: fromField(from.value) }))
  to.addEventListener('change', () => change({ to: fromField(to.value) }))
  const reset = h('button', { type: 'button', class: 'quiet', onclick: () => change(NO_FILTERS) }, 'Clear filters')
  const same = (): null => null
  const more = h(
    'div',
    { class: 'filter-more', id: 'filter-more', hidden: true },
    group('source', 'Source', keysOf(SOURCE_WORDS), (word) => [SOURCE_WORDS[word]], same),
    group('outcome', 'Outcome', keysOf(OUTCOME_WORDS), (word) => [OUTCOME_WORDS[word]], same),
    group('kind', 'Kind', keysOf(KIND_WORDS), (word) => [KIND_WORDS[word]], same),
    h('label', {}, h('span', { class: 'chips-label' }, 'From (UTC)'), from),
    h('label', {}, h('span', { class: 'chips-label' }, 'To (UTC)'), to),
  )
  const toggle = h('button', { type: 'button', class: 'quiet', 'aria-expanded': 'false', 'aria-controls': 'filter-more' }, 'Filters')
  toggle.addEventListener('click', () => {
    more.hidden = !more.hidden
    toggle.setAttribute('aria-expanded', String(!more.hidden))
  })
  const element = h(
    'div',
    { class: 'filters' },
    h('div', { class: 'filter-row' }, text, toggle, reset),
    more,
    h(
      'div',
      { class: 'filter-row legend-row' },
      group(
        'confidence',
        'Confidence',
        keysOf(CONFIDENCE_WORDS),
        (word) => [markIcon(word), CONFIDENCE_WORDS[word].label],
        (word) => CONFIDENCE_WORDS[word].means,
      ),
      h(
        'div',
        { class: 'chips', role: 'note', 'aria-label': 'Marks' },
        h('span', { class: 'legend' }, markIcon('exact', { failed: true }), 'failed'),
        h('span', { class: 'legend' }, markIcon('ambiguous', { hollow: true }), 'only a candidate'),
        h('span', { class: 'legend' }, markIcon('none', { hollow: true, dashed: true }), 'target of a change'),
      ),
    ),
  )
  function sync(): void {
    for (const chip of chips) {
      chip.button.setAttribute('aria-pressed', String(chip.isOn()))
    }
    if (document.activeElement !== text) text.value = filters.text
    from.value = toField(filters.from)
    to.value = toField(filters.to)
    const set = countFilters(filters)
    reset.hidden = set === 0
    toggle.textContent = set > 0 ? `Filters (${set})` : 'Filters'
  }
  sync()
  return {
    element,
    set(next) {
      filters = next
      sync()
    },
  }
}

/** The field knows no zone; here it means UTC, as everywhere on the page. */
const fromField = (value: string): string => (value ? `${value.length === 16 ? `${value}:00` : value}Z` : '')
const toField = (iso: string): string => (iso ? new Date(iso).toISOString().slice(0, 19) : '')
