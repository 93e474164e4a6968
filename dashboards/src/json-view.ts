import { h } from './dom.ts'

/** Beyond this many values a record is shown as plain text: colouring it would make the page slow and nobody reads it in colour. */
const MOST_VALUES = 4000

/**
 * A record pretty-printed, masked values marked. `masked` are JSON pointers. Numbers are shown as JavaScript reads them, which
 * is why the verbatim text is always one click away.
 */
export function prettyJson(text: string, masked: readonly string[]): Node {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return document.createTextNode(text)
  }
  const pretty = JSON.stringify(value, null, 2)
  if (pretty.split('\n', MOST_VALUES + 1).length > MOST_VALUES) return document.createTextNode(pretty)
  const marks = new Set(masked)
  const out = document.createDocumentFragment()
  write(out, value, '', '', marks)
  return out
}

function write(out: DocumentFragment, value: unknown, pointer: string, indent: string, marks: ReadonlySet<string>): void {
  if (value === null || typeof value !== 'object') {
    const literal = JSON.stringify(value)
    if (marks.has(pointer)) out.append(h('mark', { title: 'Masked before it was stored' }, literal))
    else out.append(h('span', { class: typeof value === 'string' ? 'j-string' : 'j-literal' }, literal))
    return
  }
  const entries = Array.isArray(value) ? value.map((item: unknown, index) => [String(index), item] as const) : Object.entries(value)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) {
    out.append(open + close)
    return
  }
  out.append(`${open}\n`)
  entries.forEach(([key, item], index) => {
    out.append(`${indent}  `)
    if (!Array.isArray(value)) out.append(h('span', { class: 'j-key' }, JSON.stringify(key)), ': ')
    write(out, item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, `${indent}  `, marks)
    out.append(index < entries.length - 1 ? ',\n' : '\n')
  })
  out.append(indent + close)
}
