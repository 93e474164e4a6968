import { parseTime } from '#core/time.ts'
import { itemTexts, memberText } from '#core/json-text.ts'

/** The column that the query adds: when a row became visible. It is no part of the record. */
export const INGESTED = 'trailjoin_ingested'

export interface Table {
  /** One JSON object a row, made of the column names and the cells' exact texts: times keep their seven digits, longs all of theirs. */
  readonly records: readonly string[]
  readonly rows: number
  /** The latest time of ingestion (ns since 1970) among the rows; null when there is no row. */
  readonly newest: bigint | null
}

/**
 * Reads the answer of a query. A row that does not have the table's columns comes out as the array that it is, and is rejected further on.
 * @throws Error when the text is no such answer
 */
export function readTable(body: string): Table {
  const tables = memberText(body, ['tables'])
  const table = tables === null ? undefined : itemTexts(tables)?.[0]
  const columnsText = table === undefined ? null : memberText(table, ['columns'])
  const rowsText = table === undefined ? null : memberText(table, ['rows'])
  const rows = rowsText === null ? null : itemTexts(rowsText)
  if (columnsText === null || rows === null) throw new Error('the answer holds no table')
  const columns = (JSON.parse(columnsText) as readonly { readonly name: string }[]).map(({ name }) => name)
  const ingestedAt = columns.indexOf(INGESTED)
  const keys = columns.map((name) => JSON.stringify(name))
  let newest: bigint | null = null
  const records = rows.map((row) => {
    const cells = itemTexts(row)
    if (cells === null || cells.length !== columns.length) return row
    const ingested = ingestedAt < 0 ? null : parseTime(JSON.parse(cells[ingestedAt]!))
    if (ingested !== null && (newest === null || ingested > newest)) newest = ingested
    return `{${cells.flatMap((cell, index) => (index === ingestedAt ? [] : [`${keys[index]}:${cell}`])).join(',')}}`
  })
  return { records, rows: rows.length, newest }
}
