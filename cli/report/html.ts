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

/** A whole number with commas. */
export const whole = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')

/** A share of a whole in per cent, one digit; `–` of nothing. Never 0 % or 100 % where that is not exactly so. */
export function percent(some: number, all: number): string {
  if (all === 0) return '–'
  const tenths = Math.round((some / all) * 1000)
  if (tenths === 0 && some > 0) return '< 0.1 %'
  if (tenths === 1000 && some < all) return '> 99.9 %'
  return `${tenths / 10} %`
}
