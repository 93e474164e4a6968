import { ApiError, fetchEvent } from './api-client.ts'
import type { EventDetail, TimelineItem } from './api-types.ts'
import { copyButton, fill, h } from './dom.ts'
import { markIcon } from './mark-icon.ts'
import type { Names } from './names.ts'
import { rawSection } from './raw-record.ts'
import { sentence, tokenWords } from './sentence.ts'
import { shortTime } from './time.ts'
import { basisWords, CONFIDENCE_WORDS, formatNumber, KIND_WORDS, plural, SOURCE_WORDS } from './words.ts'

export interface DetailsHandlers {
  readonly onClose: () => void
  readonly onOpenEvent: (id: string) => void
  readonly onOpenOid: (oid: string) => void
  /** An answer was 401. */
  readonly onUnauthorised: (why: string) => void
}

export interface Details {
  readonly element: HTMLElement
  /** `known` is the event as the timeline gave it, shown until the full answer is here. `find` looks up loaded events for the evidence links. */
  readonly open: (id: string, known: TimelineItem | null, names: Names, find: (id: string) => TimelineItem | null) => void
  readonly close: () => void
}

/** The panel that explains one event: what happened, who did it and on what grounds, and the record itself. */
export function createDetails(handlers: DetailsHandlers): Details {
  const content = h('div', { class: 'details-content' })
  const close = h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close details', title: 'Close (Esc)', onclick: handlers.onClose }, '✕')
  const element = h(
    'aside',
    { class: 'details', 'aria-label': 'Event details', tabindex: '-1', hidden: true },
    h('div', { class: 'details-bar' }, h('h2', {}, 'Event'), close),
    content,
  )
  let request: AbortController | null = null

  return {
    element,
    open(id, known, names, find) {
      request?.abort()
      const own = new AbortController()
      request = own
      const wasHidden = element.hidden
      element.hidden = false
      element.scrollTop = 0
      const parts = { names, find, handlers }
      const loading = h('p', { class: 'muted', role: 'status' }, 'Loading the record…')
      if (known) fill(content, ...describe(known, null, parts), loading)
      else fill(content, loading)
      if (wasHidden) element.focus({ preventScroll: true })
      fetchEvent(id, own.signal)
        .then((detail) => {
          // The event by itself has no role; why it stands in this timeline only the timeline knows.
          const item = known ? { ...detail, role: known.role } : detail
          fill(content, ...describe(item, detail, parts), rawSection(detail, own.signal))
        })
        .catch((error: unknown) => {
          if (own.signal.aborted) return
          if (error instanceof ApiError && error.status === 401) handlers.onUnauthorised(error.message)
          loading.replaceWith(h('p', { class: 'error', role: 'alert' }, error instanceof Error ? error.message : 'The event cannot be read.'))
        })
    },
    close() {
      request?.abort()
      element.hidden = true
      content.replaceChildren()
    },
  }
}

interface Parts {
  readonly names: Names
  readonly find: (id: string) => TimelineItem | null
  readonly handlers: DetailsHandlers
}

function describe(item: TimelineItem, detail: EventDetail | null, parts: Parts): HTMLElement[] {
  return [summary(item, parts), attribution(item, detail, parts), facts(item, detail, parts)]
}

function summary(item: TimelineItem, { names }: Parts): HTMLElement {
  const failed = item.outcome === 'failure'
  return h(
    'div',
    { class: 'summary' },
    h(
      'p',
      { class: 'tags' },
      h('span', { class: `source ${item.source}` }, SOURCE_WORDS[item.source]),
      h('span', { class: 'tag' }, KIND_WORDS[item.kind]),
      failed ? h('span', { class: 'tag fail' }, '✕ failed') : null,
      item.role === 'candidate' || item.role === 'target' ? h('span', { class: `role ${item.role}` }, item.role) : null,
    ),
    h('p', { class: 'sentence' }, sentence(item, names)),
    h('p', { class: 'muted' }, `${shortTime(item.time)} UTC`),
  )
}

function attribution(item: TimelineItem, detail: EventDetail | null, { names, find, handlers }: Parts): HTMLElement {
  const { confidence, basis, candidates, evidence } = item.attribution
  const agent =
    confidence === 'ambiguous'
      ? h(
          'p',
          {},
          candidates.length > 0
            ? `It was one of these ${plural(candidates.length, 'agent')}. The records cannot tell which:`
            : 'It was one of several agents. The records cannot tell which.',
        )
      : item.agentOid
        ? h(
            'p',
            {},
            confidence === 'asserted' ? 'Claimed agent: ' : confidence === 'probable' ? 'Probable agent: ' : 'Agent: ',
            oidLink(item.agentOid, names, handlers),
          )
        : h(
            'p',
            {},
            item.subjectOid ? 'No agent is proven. Proven subject: ' : 'No agent and no subject is proven.',
            item.subjectOid ? oidLink(item.subjectOid, names, handlers) : null,
          )
  return h(
    'section',
    { class: 'attribution' },
    h('h3', {}, 'Who did it'),
    h(
      'p',
      { class: `verdict c-${confidence}` },
      markIcon(confidence),
      h('b', {}, CONFIDENCE_WORDS[confidence].label),
      h('span', {}, CONFIDENCE_WORDS[confidence].means),
    ),
    agent,
    candidates.length > 0 ? h('ul', { class: 'candidates' }, ...candidates.map((oid) => h('li', {}, oidLink(oid, names, handlers)))) : null,
    item.role === 'candidate' ? h('p', { class: 'note' }, 'It stands in this timeline because the selected agent is one of the candidates.') : null,
    item.role === 'target'
      ? h('p', { class: 'note' }, 'It stands in this timeline because the change names the selected oid; the selected oid did not do it.')
      : null,
    basis.length > 0
      ? h('div', {}, h('h4', {}, 'It rests on'), h('ol', { class: 'basis' }, ...basis.map((step) => h('li', {}, basisWords(step), ' ', h('code', {}, step)))))
      : h('p', { class: 'muted' }, 'No basis: nothing in the records links this event to an agent.'),
    detail && detail.asserted.length > 0
      ? h(
          'p',
          { class: 'note' },
          'The caller itself wrote down: ',
          ...detail.asserted.flatMap((claim, index) => [index > 0 ? ', ' : '', h('code', {}, claim)]),
          '. That is a claim, not proof.',
        )
      : null,
    evidence.length > 0
      ? h(
          'div',
          {},
          h('h4', {}, `Evidence (${plural(evidence.length, 'event')})`),
          h(
            'ul',
            { class: 'evidence' },
            ...evidence.slice(0, 50).map((id) => evidenceItem(id, find(id), names, handlers)),
            evidence.length > 50 ? h('li', { class: 'muted' }, `and ${formatNumber(evidence.length - 50)} more`) : null,
          ),
        )
      : null,
  )
}

/** A link to an event that the attribution rests on; one that stands in another timeline (a shared trust, a mint) is asked for. */
function evidenceItem(id: string, found: TimelineItem | null, names: Names, handlers: DetailsHandlers): HTMLElement {
  const link = h('button', { type: 'button', class: 'link', onclick: () => handlers.onOpenEvent(id), title: id }, `event ${id}`)
  const words = h('div', { class: 'muted' })
  const name = (item: TimelineItem): void => {
    link.textContent = `${shortTime(item.time)} · ${SOURCE_WORDS[item.source]} · ${KIND_WORDS[item.kind]}`
    words.textContent = sentence(item, names)
  }
  if (found) name(found)
  else fetchEvent(id).then(name, () => {})
  return h('li', {}, link, words)
}

function oidLink(oid: string, names: Names, handlers: DetailsHandlers): HTMLElement {
  const name = names.of(oid)
  const link = h('button', { type: 'button', class: 'link', onclick: () => handlers.onOpenOid(oid), title: `Timeline of ${oid}` }, name ?? oid)
  return h('span', { class: 'oid' }, link, h('span', { class: 'oid-id' }, name ? h('code', {}, oid) : null, copyButton(oid, 'oid')))
}

function facts(item: TimelineItem, detail: EventDetail | null, { names, handlers }: Parts): HTMLElement {
  const usage = item.usage
  const rows: (readonly [string, string | HTMLElement | null | undefined, boolean?])[] = [
    ['Time', item.time, true],
    ['Action', item.action],
    [
      'Outcome',
      item.outcome === 'failure'
        ? `failure${item.error ? `: ${item.error.code}${item.error.message ? ` — ${item.error.message}` : ''}` : ''}`
        : item.outcome === 'unknown'
          ? null
          : item.outcome,
    ],
    ['Cloud principal', item.cloud.principal, true],
    ['Account', item.cloud.account, true],
    ['Region', item.cloud.region],
    ['Resource', item.resource, true],
    ['Model', item.model ? [item.model.name ?? item.model.id, item.model.provider].filter(Boolean).join(' · ') : null],
    ['Model id', item.model && item.model.name && item.model.id !== item.model.name ? item.model.id : null, true],
    ['Tokens', tokenWords(item)],
    [
      'Cached tokens',
      usage && ((usage.cacheReadTokens ?? 0) > 0 || (usage.cacheWriteTokens ?? 0) > 0)
        ? `${formatNumber(usage.cacheReadTokens ?? 0)} read / ${formatNumber(usage.cacheWriteTokens ?? 0)} written`
        : null,
    ],
    ['Subject', item.subjectOid ? oidLink(item.subjectOid, names, handlers) : null],
    ['On behalf of', item.onBehalfOf ? oidLink(item.onBehalfOf, names, handlers) : null],
    ['Targets', item.targets.length > 0 ? h('span', {}, ...item.targets.map((oid) => oidLink(oid, names, handlers))) : null],
    ['Address', item.sourceIp, true],
    ['User agent', item.userAgent],
    ['Request id', item.requestId, true],
    ['Token id (uti)', detail?.tokenId, true],
    ['Tenant', item.tenantId, true],
    ['Native id', item.nativeId, true],
    ['Event id', item.id, true],
    ['Delivered', item.deliveredAt],
    ['Ingested', item.ingestedAt],
  ]
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== '')
  return h(
    'section',
    {},
    h('h3', {}, 'What the record says'),
    h(
      'dl',
      {},
      ...shown.flatMap(([name, value, copy]) => [
        h('dt', {}, name),
        h('dd', {}, typeof value === 'string' ? h('span', {}, value) : value, copy && typeof value === 'string' ? copyButton(value, name) : null),
      ]),
    ),
    h('p', { class: 'muted small' }, 'What the record does not say is left out.'),
  )
}
