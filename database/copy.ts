import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { storable } from '#core/text.ts'

type CopyScalar = string | number | bigint | boolean | null | undefined
/** An object becomes JSON (`json`, `jsonb`), an array a PostgreSQL array: to store a JSON array, give its text. */
export type CopyValue = CopyScalar | Date | Uint8Array | readonly CopyScalar[] | { readonly [key: string]: unknown }

/** Fewer, larger messages: below about 64 KiB the cost of a message shows, above nothing more is won. */
const BLOCK = 128 * 1024

/**
 * Appends rows to a table by COPY, the fastest way in, and gives their number. Give each row's values in the order of `columns`.
 *
 * Texts lose two things that PostgreSQL cannot hold: NUL characters and lone surrogates become U+FFFD.
 * A failed COPY leaves the connection usable (a transaction around it is aborted as usual) and rethrows what failed, be it PostgreSQL or `rows`.
 */
export async function copyRows(client: pg.ClientBase, table: string, columns: readonly string[], rows: Iterable<readonly CopyValue[]>): Promise<number> {
  const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ')
  const stream = client.query(copyFrom(`copy ${pg.escapeIdentifier(table)} (${names}) from stdin`))
  await pipeline(Readable.from(blocks(rows, columns.length)), stream)
  return stream.rowCount
}

function* blocks(rows: Iterable<readonly CopyValue[]>, width: number): Generator<Buffer> {
  let block = ''
  for (const row of rows) {
    if (row.length !== width) throw new TypeError(`a row of ${row.length} values for ${width} columns`)
    for (let column = 0; column < width; column++) block += column === 0 ? field(row[column]) : `\t${field(row[column])}`
    block += '\n'
    if (block.length >= BLOCK) {
      yield Buffer.from(block)
      block = ''
    }
  }
  if (block !== '') yield Buffer.from(block)
}

/** A value in COPY's text format. */
function field(value: CopyValue): string {
  switch (typeof value) {
    case 'string':
      return escape(value)
    case 'boolean':
      return value ? 't' : 'f'
    case 'number':
    case 'bigint':
      return `${value}`
    case 'undefined':
      return '\\N'
    default:
      if (value === null) return '\\N'
      if (Array.isArray(value)) return escape(arrayLiteral(value))
      if (value instanceof Uint8Array) return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
      if (value instanceof Date) return value.toISOString()
      return escape(jsonText(value))
  }
}

const SPECIAL = /[\\\t\n\r\0]/
const SPECIALS = /[\\\t\n\r\0]/g
const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\uFFFD' }

// Lone surrogates need no work here: Buffer.from writes U+FFFD for them.
function escape(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, (character) => ESCAPED[character]!) : text
}

/** `{"a","b",NULL}`: every item quoted, because the empty text, `null`, commas, braces and blanks need it. */
function arrayLiteral(items: readonly CopyScalar[]): string {
  const quoted = items.map((item) =>
    item === null || item === undefined ? 'NULL' : typeof item === 'string' ? `"${item.replace(/["\\]/g, '\\$&')}"` : String(item),
  )
  return `{${quoted.join(',')}}`
}

/** JSON for a `jsonb` column, in which the escapes of NUL and of lone surrogates are errors: they become U+FFFD, in keys too. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  return /\\u(0000|d[89a-f])/.test(text) ? JSON.stringify(clean(JSON.parse(text))) : text
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return storable(value)
  if (Array.isArray(value)) return value.map(clean)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), clean(item)]))
}
