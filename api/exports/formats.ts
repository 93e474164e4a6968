/** The formats that a whole timeline can be written in, a chunk of text at a time. */
import type { TimelineRow } from '../read-models/timeline.ts'
import { toItem } from '../read-models/item.ts'
import { csvHeader, csvRows } from '../csv.ts'
import { toExportItem } from './item.ts'
import { OCSF_VERSION, ocsfEvent } from './ocsf.ts'
import { timesketchLine } from './timesketch.ts'

export const EXPORT_FORMATS = ['ndjson', 'csv', 'ocsf', 'timesketch'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export interface ExportWriter {
  readonly mediaType: string
  /** The name of a file of it ends so. */
  readonly ending: string
  /** The published format that it follows. */
  readonly standard: string | null
  /** What this format cannot hold as it is. */
  readonly changes: readonly string[]
  readonly head: () => string
  readonly rows: (rows: readonly TimelineRow[]) => string
}

const lines = (rows: readonly TimelineRow[], line: (row: TimelineRow) => string): string => rows.map((row) => `${line(row)}\n`).join('')

export const WRITERS: Readonly<Record<ExportFormat, ExportWriter>> = {
  ndjson: {
    mediaType: 'application/x-ndjson',
    ending: '.ndjson',
    standard: null,
    changes: [],
    head: () => '',
    rows: (rows) => lines(rows, (row) => JSON.stringify(toItem(row, row.role))),
  },
  csv: {
    mediaType: 'text/csv',
    ending: '.csv',
    standard: 'RFC 4180',
    changes: [
      'Lists (basis, candidates, evidence, targets) are joined by a space.',
      "A cell that a spreadsheet would run as a formula has a quote (') before it.",
      'An absent value and an empty text are both an empty cell.',
    ],
    head: csvHeader,
    rows: (rows) => csvRows(rows.map((row) => toItem(row, row.role))),
  },
  ocsf: {
    mediaType: 'application/x-ndjson',
    ending: '.ocsf.ndjson',
    standard: `OCSF ${OCSF_VERSION}`,
    changes: [
      'Times are milliseconds; metadata.original_time has the nanoseconds.',
      'What OCSF has no attribute for (agent, role, attribution, targets, exact token counts, hash of the record) stands in unmapped.',
      'A required attribute that the record does not give says "Unknown".',
    ],
    head: () => '',
    rows: (rows) => lines(rows, (row) => JSON.stringify(ocsfEvent(toExportItem(row)))),
  },
  timesketch: {
    mediaType: 'application/x-ndjson',
    ending: '.timesketch.jsonl',
    standard: 'Timesketch JSONL',
    changes: ['datetime and timestamp are microseconds; event_time has the nanoseconds.', 'Absent values and empty lists are left out.'],
    head: () => '',
    rows: (rows) => lines(rows, (row) => timesketchLine(toExportItem(row))),
  },
}
