import type { Agent, Source } from './api-types.ts'
import { h } from './dom.ts'
import { minuteTime } from './time.ts'
import { formatNumber, keysOf, plural, SOURCE_WORDS, topologyLabel, topologyWords } from './words.ts'

/** The list of agents: name, Blueprint, topology in each cloud, and how much each source has on it. */
export function agentList(agents: readonly Agent[], selected: string | null, onPick: (oid: string) => void): HTMLElement {
  return h('ul', { class: 'agents' }, ...agents.map((agent) => h('li', {}, agentButton(agent, agent.oid === selected, onPick))))
}

function agentButton(agent: Agent, selected: boolean, onPick: (oid: string) => void): HTMLElement {
  const { counts } = agent
  const most = Math.max(1, ...Object.values(counts.bySource))
  return h(
    'button',
    { type: 'button', class: 'agent', 'aria-current': selected ? 'true' : null, onclick: () => onPick(agent.oid), title: agent.oid },
    h(
      'span',
      { class: 'agent-name' },
      agent.name ?? 'unnamed agent',
      agent.status && agent.status !== 'active' ? h('span', { class: 'tag fail' }, agent.status) : null,
    ),
    h('code', {}, agent.oid),
    h('span', { class: 'muted' }, blueprintWords(agent)),
    h(
      'span',
      { class: 'agent-bars' },
      ...keysOf(SOURCE_WORDS).map((source) => {
        const count = counts.bySource[source]
        const topology = source === 'aws' || source === 'gcp' ? agent.topology[source] : null
        return h(
          'span',
          { class: `agent-bar${count === 0 ? ' zero' : ''}`, title: topology ? `${SOURCE_WORDS[source]}: ${topologyWords(topology)}` : null },
          h('span', { class: 'bar-label' }, SOURCE_WORDS[source]),
          h('span', { class: 'bar-count' }, formatNumber(count)),
          bar(source, count, most),
          topology ? h('span', { class: 'topology' }, topologyLabel(topology)) : null,
        )
      }),
    ),
    h('span', { class: 'muted small' }, agent.firstSeen && agent.lastSeen ? `${minuteTime(agent.firstSeen)} to ${minuteTime(agent.lastSeen)}` : 'no events'),
    agent.candidateEvents > 0 ? h('span', { class: 'muted small' }, `only a candidate in ${plural(agent.candidateEvents, 'event')}`) : null,
  )
}

/** The length grows with the logarithm, so that ten events beside ten thousand are still seen. */
function bar(source: Source, count: number, most: number): HTMLElement {
  const element = h('span', { class: `bar ${source}` })
  element.style.width = count === 0 ? '0' : `${Math.max(4, (100 * Math.log1p(count)) / Math.log1p(most))}%`
  return element
}

function blueprintWords({ blueprint }: Agent): string {
  if (!blueprint) return 'Blueprint not known'
  const name = blueprint.name ?? blueprint.appId ?? 'unknown'
  return /blueprint/i.test(name) ? name : `Blueprint ${name}`
}
