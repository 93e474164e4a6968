import type { Agent, OidAnswer } from './api-types.ts'
import { copyButton, h } from './dom.ts'
import type { Names } from './names.ts'
import { topologyWords } from './words.ts'

const KIND_OF_OID: Readonly<Record<OidAnswer['items'][number]['kind'], string>> = {
  agent: 'Agent Identity',
  blueprint: 'Blueprint',
  'managed-identity': 'Managed identity',
  'service-principal': 'Service principal',
  user: 'User',
  application: 'Application',
  unknown: 'Unknown principal',
}

/** What the selected oid is: kind, name, Blueprint, managed identities or agents, and how it reaches each cloud. */
export function heading(oid: string, info: OidAnswer | null, agent: Agent | null, names: Names, onOpenOid: (oid: string) => void): HTMLElement {
  const entry = info?.items[0] ?? null
  const name = entry?.name ?? agent?.name ?? names.of(oid)
  const link = (target: { readonly oid: string; readonly name: string | null }): HTMLElement =>
    h('button', { type: 'button', class: 'link', title: target.oid, onclick: () => onOpenOid(target.oid) }, target.name ?? target.oid)
  const list = (label: string, targets: readonly { readonly oid: string; readonly name: string | null }[]): HTMLElement | null =>
    targets.length === 0
      ? null
      : h(
          'span',
          { class: 'fact' },
          h('span', { class: 'muted' }, label),
          ...targets.slice(0, 6).flatMap((target, index) => [index > 0 ? ', ' : ' ', link(target)]),
          targets.length > 6 ? ` and ${targets.length - 6} more` : null,
        )
  const blueprint = entry?.blueprint ?? agent?.blueprint ?? null
  const topology = entry?.topology ?? agent?.topology
  return h(
    'div',
    { class: 'heading' },
    h(
      'div',
      { class: 'heading-line' },
      h('h1', {}, name ?? 'Unnamed'),
      h('span', { class: 'tag' }, entry ? KIND_OF_OID[entry.kind] : agent ? KIND_OF_OID.agent : 'oid'),
      entry?.status && entry.status !== 'active' ? h('span', { class: 'tag fail' }, entry.status) : null,
      h('code', {}, oid),
      copyButton(oid, 'oid'),
    ),
    info?.resolvedFrom
      ? h(
          'p',
          { class: 'note' },
          `The id asked for is ${info.resolvedFrom === 'appId' ? 'an application id' : 'the object id of an application'}, not an oid of a principal. It belongs to `,
          ...info.items.map((item) => link(item)),
          '.',
        )
      : null,
    info && info.items.length > 1 && !info.resolvedFrom
      ? h(
          'p',
          { class: 'note' },
          `This oid is known in ${info.items.length} tenants; an oid means something only inside a tenant. Events of all of them are shown.`,
        )
      : null,
    h(
      'div',
      { class: 'heading-facts' },
      blueprint
        ? h('span', { class: 'fact' }, h('span', { class: 'muted' }, 'Blueprint '), blueprint.name ?? blueprint.appId ?? blueprint.principalOid ?? 'unknown')
        : null,
      list('Managed identities', entry?.uamis ?? agent?.uamis ?? []),
      list('Agents that could use it', entry?.agents ?? []),
      topology?.aws ? h('span', { class: 'fact' }, h('span', { class: 'muted' }, 'AWS '), topologyWords(topology.aws)) : null,
      topology?.gcp ? h('span', { class: 'fact' }, h('span', { class: 'muted' }, 'GCP '), topologyWords(topology.gcp)) : null,
    ),
  )
}
