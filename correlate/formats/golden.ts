import { deepStrictEqual } from 'node:assert'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FormatModule, Normalised, TrailEvent } from '#core/event.ts'
import type { JsonObject, RecordContext } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { normalised, readEvent, readRecord } from './reading.ts'

/**
 * Goldens: `<question>.raw.json` is one record (`{"value":…}` with an optional `"context"`, or the bare record), and
 * `<question>.expected.json` the whole normalised answer as a reviewer read and accepted it.
 * A missing expected file is written for review, except under CI: there it is a failure, since nobody would read it.
 */
export interface Golden {
  readonly name: string
  readonly value: JsonObject
  readonly context: { readonly tenantId?: string }
  readonly expectedFile: string
}

/** The goldens of a folder in name order. Throws when the folder holds none. */
export function goldens(folder: string): Golden[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.raw.json'))
    .toSorted()
  if (files.length === 0) throw new Error(`${folder} holds no *.raw.json`)
  return files.map((file) => {
    const raw = JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject
    const wrapped = Object.keys(raw).every((key) => key === 'value' || key === 'context' || key === 'note') && 'value' in raw
    const name = file.slice(0, -'.raw.json'.length)
    return {
      name,
      value: (wrapped ? raw['value'] : raw) as JsonObject,
      context: (wrapped ? (raw['context'] ?? {}) : {}) as { tenantId?: string },
      expectedFile: join(folder, `${name}.expected.json`),
    }
  })
}

/** The answer to a record as the correlator gives it. Throws where another format, or none, takes the record. */
export function answerTo(format: FormatModule, value: JsonObject, context: RecordContext = {}): Normalised {
  const read = readEvent(value, context)
  const reading = 'reading' in read ? read.reading : readRecord(value)
  if (reading?.format !== format) throw new Error(`the record is ${reading ? `a record of ${reading.name}` : 'not recognised'}`)
  return 'event' in read ? { event: read.event } : normalised(reading, context)
}

/** Compares one golden's answer with its reviewed file; throws on any difference. */
export function checkGolden(format: FormatModule, golden: Golden): void {
  const actual = printable(answerTo(format, golden.value, golden.context))
  if (!existsSync(golden.expectedFile)) {
    if (process.env['CI']) throw new Error(`${golden.expectedFile} is missing, and CI writes none`)
    writeFileSync(golden.expectedFile, `${JSON.stringify(actual, null, 2)}\n`)
    return
  }
  deepStrictEqual(actual, JSON.parse(readFileSync(golden.expectedFile, 'utf8')), `${golden.name} differs from ${golden.expectedFile}`)
}

/** Fields of an event that no golden of the folder fills (null, empty list or all-null object): a mapping nobody looked at. */
export function uncoveredFields(format: FormatModule, all: readonly Golden[]): string[] {
  const seen = new Map<string, boolean>()
  for (const golden of all) {
    const answer = answerTo(format, golden.value, golden.context)
    if (!('event' in answer)) continue
    for (const [field, value] of Object.entries(answer.event)) seen.set(field, (seen.get(field) ?? false) || filled(value))
  }
  return [...seen]
    .filter(([, covered]) => !covered)
    .map(([field]) => field)
    .toSorted()
}

function filled(value: TrailEvent[keyof TrailEvent]): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (value !== null && typeof value === 'object') return Object.values(value).some((inner) => inner !== null)
  return value !== null
}

/** The value as JSON prints it: keys sorted, times (bigint) as ISO text with nine fraction digits. */
function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return formatTime(value)
  if (Array.isArray(value)) return value.map(printable)
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, inner]) => [key, printable(inner)]),
    )
  }
  return value
}
