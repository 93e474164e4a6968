/** HTML text that cannot be mistaken for markup: whatever goes into a template is escaped unless it is HTML already. */
import { printable } from '../output/table.ts'

/** Finished HTML. */
export interface Html {
  readonly html: string
}

type Value = string | number | null | Html | readonly Html[]

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Template tag. Texts lose control and bidirectional characters: names in logs are whatever somebody wrote. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: parts.reduce((text, part, index) => `${text}${textOf(values[index - 1] ?? null)}${part}`) }
}

function textOf(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'object') return 'html' in value ? value.html : value.map((one) => one.html).join('')
  return printable(String(value)).replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!)
}
