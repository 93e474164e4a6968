/** Tables for people. */
import { styleText } from 'node:util'
import Table from 'cli-table3'

export interface Column<Item> {
  readonly title: string
  /** Fixed, in characters: so that a table can be printed page by page. */
  readonly width: number
  readonly text: (item: Item) => string
  readonly style?: (item: Item) => Parameters<typeof styleText>[0] | null
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
}

/** The lines of some items; with `head` also the line of titles. Cells that are too long are cut with an ellipsis. */
export function tableLines<Item>(
  columns: readonly Column<Item>[],
  items: readonly Item[],
  options: { readonly head: boolean; readonly color: boolean },
): string {
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colWidths: columns.map((column) => column.width),
    truncate: '…',
  })
  const paint = (style: Parameters<typeof styleText>[0] | null | undefined, text: string): string =>
    options.color && style ? styleText(style, text, { validateStream: false }) : text
  if (options.head) table.push(columns.map((column) => paint('bold', column.title)))
  for (const item of items) table.push(columns.map((column) => paint(column.style?.(item), printable(column.text(item)))))
  const text = table.toString()
  return text === ''
    ? ''
    : `${text
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n')}\n`
}

/**
 * Text that cannot drive the terminal. Log fields hold whatever a caller sent; escape sequences in them could recolour, overwrite or hide
 * lines of an investigator's terminal. Bidirectional controls could reorder what is read.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
}
