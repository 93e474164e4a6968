/** What the compliance report says, apart from how it looks: HTML and PDF are drawn from the same blocks, so that they cannot say different things. */
import type { DayColumn, Part } from './charts.ts'

/** A line of a cell. */
export interface Line {
  readonly text: string
  /** `id`: an identifier, small and in full. `sub`: a remark below a value. */
  readonly as?: 'strong' | 'id' | 'soft' | 'sub'
}

export interface Cell {
  readonly lines: readonly Line[]
  /** A number: to the right, never broken. */
  readonly number?: boolean
  /** Never broken over lines. */
  readonly whole?: boolean
  readonly columns?: number
  /** A small square of this colour before the text. */
  readonly swatch?: string
  /** A small bar below the text: the parts in the scale of `most`. */
  readonly bar?: { readonly parts: readonly Part[]; readonly most: number }
}

export interface Head {
  readonly text: string
  readonly number?: boolean
  /** Takes what the other columns leave. */
  readonly wide?: boolean
  /** Takes so much of the page's width at most, in per cent. */
  readonly percent?: number
}

export type Block =
  | { readonly block: 'heading'; readonly text: string }
  | { readonly block: 'text'; readonly text: string; readonly as?: 'lead' | 'soft' }
  /** Something to be careful about. */
  | { readonly block: 'note'; readonly text: string }
  /** There is nothing to show here. */
  | { readonly block: 'empty'; readonly text: string }
  | { readonly block: 'facts'; readonly facts: readonly (readonly [string, string])[]; readonly code?: boolean }
  | { readonly block: 'figures'; readonly figures: readonly (readonly [string, string])[] }
  | { readonly block: 'list'; readonly items: readonly string[] }
  | { readonly block: 'bar'; readonly title: string; readonly count: number; readonly parts: readonly Part[] }
  | { readonly block: 'days'; readonly days: readonly DayColumn[] }
  | { readonly block: 'table'; readonly heads: readonly Head[]; readonly rows: readonly (readonly Cell[])[]; readonly foot: readonly Cell[] | null }

export interface Report {
  readonly title: string
  readonly period: string
  readonly madeBy: string | null
  /** Day that the period ends with (the day after its last one); null when nothing is known of it. */
  readonly end: string | null
  readonly blocks: readonly Block[]
}

export const heading = (text: string): Block => ({ block: 'heading', text })
export const text = (words: string, as?: 'lead' | 'soft'): Block => ({ block: 'text', text: words, ...(as ? { as } : {}) })
export const empty = (words: string): Block => ({ block: 'empty', text: words })
export const cell = (...lines: readonly (string | Line)[]): Cell => ({ lines: lines.map((line) => (typeof line === 'string' ? { text: line } : line)) })
export const numberCell = (...lines: readonly (string | Line)[]): Cell => ({ ...cell(...lines), number: true })
