import { ApiError, fetchRaw } from './api-client.ts'
import type { EventDetail } from './api-types.ts'
import { copyButton, fill, h } from './dom.ts'
import { prettyJson } from './json-view.ts'
import { plural } from './words.ts'

/** The raw record with its origin and hash; the hash is computed again here, so that the reader need not believe the server. */
export function rawSection(detail: EventDetail, signal: AbortSignal): HTMLElement {
  const kept = detail.evidence
  const body = h('div', {}, h('p', { class: 'muted', role: 'status' }, 'Loading the record…'))
  const section = h('section', { class: 'raw' }, h('h3', {}, 'Raw record'))
  if (!kept) {
    section.append(h('p', { class: 'muted' }, 'No text of this record is kept.'))
    return section
  }
  const texts = [{ sha256: kept.rawSha256, format: kept.format, file: kept.file, line: kept.line, masked: kept.masked }, ...kept.variants]
  const show = (index: number): void => {
    const text = texts[index]!
    fill(body, h('p', { class: 'muted', role: 'status' }, 'Loading the record…'))
    fetchRaw(detail.id, index === 0 ? null : text.sha256, signal).then(
      (raw) => fill(body, ...rawBody(raw, text)),
      (error: unknown) => {
        if (!signal.aborted) fill(body, h('p', { class: 'error', role: 'alert' }, error instanceof ApiError ? error.message : 'The record cannot be read.'))
      },
    )
  }
  if (texts.length > 1) {
    const select = h(
      'select',
      { 'aria-label': 'Which text', onchange: () => show(select.selectedIndex) },
      ...texts.map((text, index) => h('option', {}, `${index === 0 ? 'chosen text' : 'other text'}: ${text.file}${text.line === null ? '' : `:${text.line}`}`)),
    )
    section.append(h('p', {}, `This event came in ${plural(texts.length, 'different text')}. `, select))
  }
  section.append(body)
  show(0)
  return section
}

interface KeptText {
  readonly sha256: string
  readonly format: string
  readonly file: string
  readonly line: number | null
  readonly masked: readonly string[]
}

function rawBody(raw: string, text: KeptText): HTMLElement[] {
  const verdict = h('span', { class: 'muted' })
  void checkHash(raw, text.sha256).then((words) => {
    verdict.textContent = words
  })
  const pre = h('pre', { tabindex: '0', 'aria-label': 'Raw record' }, prettyJson(raw, text.masked))
  const toggle = h('button', { type: 'button', class: 'copy' }, 'verbatim')
  toggle.addEventListener('click', () => {
    const verbatim = toggle.textContent === 'verbatim'
    pre.replaceChildren(verbatim ? document.createTextNode(raw) : prettyJson(raw, text.masked))
    pre.classList.toggle('verbatim', verbatim)
    toggle.textContent = verbatim ? 'pretty' : 'verbatim'
  })
  return [
    h(
      'dl',
      {},
      h('dt', {}, 'From'),
      h('dd', {}, `${text.file}${text.line === null ? '' : `, line ${text.line}`}`, ' ', h('span', { class: 'muted' }, `(${text.format})`)),
      h('dt', {}, 'SHA-256'),
      h('dd', { class: 'hash' }, h('code', {}, text.sha256), copyButton(text.sha256, 'hash'), verdict),
    ),
    text.masked.length > 0
      ? h('p', { class: 'note' }, `Masked before it was stored: `, ...text.masked.flatMap((pointer, index) => [index > 0 ? ', ' : '', h('code', {}, pointer)]))
      : h('p', { class: 'muted small' }, 'Nothing was masked.'),
    h('div', { class: 'pre-tools' }, toggle, copyButton(raw, 'raw record')),
    pre,
  ]
}

async function checkHash(raw: string, expected: string): Promise<string> {
  // Only a secure context (https, or a loopback address) has crypto.subtle.
  if (!globalThis.crypto?.subtle) return ''
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(raw)))
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex === expected ? '✓ checked in this browser' : '✕ does not match the text received'
}
