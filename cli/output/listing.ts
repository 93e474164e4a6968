/** A list of anything as table, json, ndjson or csv. */
import { Option } from 'commander'
import { toCsv } from '#api/csv.ts'
import type { Page } from '#api/contract.ts'
import type { Output } from './output.ts'
import { tableLines } from './table.ts'
import type { Column } from './table.ts'

const LIST_FORMATS = ['table', 'json', 'ndjson', 'csv'] as const
export type ListFormat = (typeof LIST_FORMATS)[number]

/** `--format` */
export const formatOption = (): Option => new Option('--format <format>', 'how to print').choices(LIST_FORMATS).default('table')

/** Pages of a read model that is asked with a cursor, one after the other. */
export async function* allPages<Item>(ask: (cursor: string | undefined) => Promise<Page<Item>>): AsyncGenerator<readonly Item[]> {
  for (let cursor: string | undefined; ;) {
    const { items, next } = await ask(cursor)
    if (items.length > 0) yield items
    if (next === null) return
    cursor = next
  }
}

export interface Listing<Item> {
  readonly pages: AsyncIterable<readonly Item[]>
  readonly table: readonly Column<Item>[]
  readonly csv: Readonly<Record<string, (item: Item) => string | number | null>>
}

/**
 * Prints the pages as they come.
 * @returns how many items were printed
 */
export async function printListing<Item>(out: Output, format: ListFormat, listing: Listing<Item>, signal: AbortSignal): Promise<number> {
  const { before, page, after } = printers(out, format, listing)
  let printed = 0
  await out.write(before)
  for await (const items of listing.pages) {
    signal.throwIfAborted()
    await out.write(page(items, printed === 0))
    printed += items.length
  }
  await out.write(after)
  return printed
}

function printers<Item>(
  out: Output,
  format: ListFormat,
  { table, csv }: Listing<Item>,
): { before: string; page: (items: readonly Item[], first: boolean) => string; after: string } {
  switch (format) {
    case 'json':
      return {
        before: '{"items":[',
        page: (items, first) => `${first ? '\n' : ',\n'}${items.map((item) => JSON.stringify(item)).join(',\n')}`,
        after: '\n],"next":null}\n',
      }
    case 'ndjson':
      return { before: '', page: (items) => items.map((item) => `${JSON.stringify(item)}\n`).join(''), after: '' }
    case 'csv':
      return { before: toCsv([Object.keys(csv)]), page: (items) => toCsv(items.map((item) => Object.values(csv).map((column) => column(item)))), after: '' }
    case 'table':
      return { before: '', page: (items, first) => tableLines(table, items, { head: first, color: out.color }), after: '' }
  }
}
