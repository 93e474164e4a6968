/**
 * Tables with separated cells: CSV of the Entra admin center, Log Analytics, Sentinel, Defender and CloudTrail's event history, results of Athena, CloudWatch Logs
 * Insights and BigQuery, PowerShell's `Export-Csv`. Commas, semicolons, tabs or bars; what separates follows from the first row, or from Excel's `sep=` above it.
 */
import { ENTRA_AUDIT_TITLES, ENTRA_SIGNIN_TITLES, EVENT_HISTORY_TITLES, HUNTING_SIGNIN_TITLES, titleKey } from '#core/column-titles.ts'
import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import type { Pieces, Splitter } from '../split/splitter.ts'
import type { TextReader } from '../text-reader.ts'
import { cellSplitter, cellsOf } from './cells.ts'
import { rowMaker } from './row.ts'

const SEPARATORS = [',', ';', '\t', '|'] as const

/** Columns by which one knows a table of log records: two of them, or one that nothing else has. Compared as `titleKey` writes them. */
const COLUMNS: ReadonlySet<string> = new Set([
  ...[ENTRA_SIGNIN_TITLES, ENTRA_AUDIT_TITLES, EVENT_HISTORY_TITLES, HUNTING_SIGNIN_TITLES].flatMap((titles) => Object.keys(titles)),
  ...// Log Analytics, Graph, and what PowerShell makes of it.
  (
    'createddatetime appid appdisplayname id type operationname resulttype resultdescription resourceidentity agent activitydisplayname initiatedby targetresources ' +
    'additionaldetails activitydatetime userprincipalname clientcredentialtype signineventtypes time properties requesturi requestmethod signinactivityid ' +
    // CloudTrail in Athena, CloudTrail Lake and Sentinel; Bedrock's invocation log.
    'eventversion useridentity useridentityarn useridentityaccesskeyid requestparameters responseelements recipientaccountid additionaleventdata timestamp requestid ' +
    'modelid operation accountid region input output schematype identity ' +
    // Google Cloud.
    'logname insertid protopayload protopayloadauditlog receivetimestamp severity jsonpayload textpayload methodname servicename principalemail ' +
    // The operator's own API.
    'oid azp tid uti method path responsestatuscode'
  ).split(' '),
])
const SURE: ReadonlySet<string> = new Set(
  (
    'timegenerated aadtenantid dateutc useridentity protopayloadauditlog protopayload insertid eventid cloudtrailevent schematype serviceprincipalid ' +
    'activitydisplayname uniquetokenidentifier'
  ).split(' '),
)
/** Columns that hold a whole record, as written. */
const WHOLE: ReadonlySet<string> = new Set(['@message', '_raw', 'message', 'event.original', 'CloudTrailEvent', '_source', 'RawEventData', 'raw'])

interface Head {
  readonly separator: string
  /** Null: there is none, and cells that hold JSON are the records. */
  readonly titles: readonly string[] | null
}

export const csvReader: TextReader = {
  fits: (head, whole) => headOf(head, whole) !== null,
  open,
}

/** Reads the lines above the table and its first row; null where it is no table of log records. */
function headOf(text: string, whole: boolean): Head | null {
  let rest = text
  let separator: string | null = null
  for (;;) {
    const above = /^(?:[ \t]*\r?\n|#TYPE [^\n]*\n|sep=(.)\r?\n)/i.exec(rest)
    if (!above) break
    separator = above[1] ?? separator
    rest = rest.slice(above[0].length)
  }
  const first = firstRow(rest, whole)
  if (first === null || first.length > 32_768) return null
  for (const one of separator === null ? SEPARATORS : [separator]) {
    const cells = cellsOf(first, one)
    const titles = isHead(cells) ? cells : null
    if (titles) return { separator: one, titles }
    if (cells.length > 1 && cells.some(holdsObject)) return { separator: one, titles: null }
  }
  return null
}

function firstRow(text: string, whole: boolean): string | null {
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) quoted = !quoted
    else if (code === 10 && !quoted) return text.slice(0, at).replace(/\r$/, '')
  }
  return whole ? text : null
}

function isHead(cells: readonly string[]): boolean {
  if (cells.some((cell) => cell.length > 200 || /[\n{}]/.test(cell))) return false
  if (cells.some((cell) => WHOLE.has(cell.trim())) && cells.every((cell) => /^[\w@.$ -]*$/.test(cell)))
    return cells.length > 1 || cells[0]!.trim() === '@message'
  // The last part of a path says what the column is.
  const keys = cells.map((cell) => titleKey(cell.slice(cell.lastIndexOf('.') + 1)))
  const known = new Set(keys.filter((key) => COLUMNS.has(key) || SURE.has(key)))
  return cells.length > 1 && (known.size > 2 || (known.size === 2 && cells.length < 8) || keys.some((key) => SURE.has(key)))
}

function holdsObject(cell: string): boolean {
  return cell.startsWith('{"') && objectIn(cell) !== null
}

function objectIn(cell: string): JsonObject | null {
  const text = cell.trim()
  if (text[0] !== '{') return null
  try {
    return parseJson(text) as JsonObject
  } catch {
    return null
  }
}

function open(pieces: Pieces): Splitter {
  /** Bytes before the head is known. */
  let before: Buffer | null = Buffer.alloc(0)
  let rows: ReturnType<typeof cellSplitter> | null = null

  function begin(last: boolean): void {
    const text = before!.toString('utf8')
    const head = headOf(text.replace(/^\uFEFF/, ''), last)
    if (head === null && !last) return
    rows = reading(pieces, head ?? { separator: ',', titles: null })
    const bytes = before!
    before = null
    rows.write(bytes)
  }

  return {
    write(chunk) {
      if (before === null) rows!.write(chunk)
      else {
        before = Buffer.concat([before, chunk])
        begin(false)
      }
    },
    end() {
      if (before !== null) begin(true)
      rows!.end()
    },
  }
}

/** From the first line on: the lines above the head are met again here, and left. */
function reading(pieces: Pieces, { separator, titles }: Head): ReturnType<typeof cellSplitter> {
  let columns = titles
  let make = columns && rowMaker(columns)
  let begun = columns === null
  return cellSplitter(separator, {
    row(cells, text, line) {
      if (/^(?:#TYPE |sep=.$)/i.test(text)) return
      // The head, also where files were put together; another table may follow the first.
      if (columns !== null && (!begun || ((cells[0] === columns[0] || cells.length !== columns.length) && isHead(cells)))) {
        begun = true
        if (cells.join('\n') !== columns.join('\n')) make = rowMaker((columns = cells))
        return
      }
      if (columns === null || make === null) return giveCells(pieces, cells, text, line)
      const extra = cells.slice(columns.length)
      if (cells.length < columns.length || extra.some((cell) => cell.trim() !== '')) {
        pieces.rejected(`no row of its table: it has ${cells.length} cells, and the table ${columns.length} columns`, text, line)
        return
      }
      const row = make(cells)
      pieces.record(row.text, row.value, line)
    },
    broken: pieces.rejected,
  })
}

/** A row of a table without a head: what of it is an object. */
function giveCells(pieces: Pieces, cells: readonly string[], text: string, line: number): void {
  const objects = cells.flatMap((cell) => {
    const value = objectIn(cell)
    return value === null ? [] : [{ text: cell.trim(), value }]
  })
  if (objects.length === 0) pieces.rejected('no record: a row of a table without titles, and none of its cells is an object', text, line)
  for (const object of objects) pieces.record(object.text, object.value, line)
}
