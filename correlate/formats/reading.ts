import type { Normalised } from '#core/event.ts'
import type { JsonObject, RecordContext } from '#core/record.ts'
import { type Format, formats } from './index.ts'
import { mayBe, respell, type Respelled } from './spelling/respell.ts'
import { fromTitles } from './titles/index.ts'

/** A record with its format, in its cloud's own spelling. */
export interface Reading extends Respelled {
  readonly name: string
  readonly format: Format
  /** Columns of a table that nobody knows. */
  readonly left: readonly string[]
}

/**
 * What a record is. One that its format recognises as it stands is looked through once; one that no format recognises may be a row of a table that is made for people
 * (titles/), and is tried in the spelling of each. Null where that leads to no format either.
 */
export function readRecord(value: JsonObject): Reading | null {
  const reading = asItStands(value)
  if (reading !== null) return reading
  const told = fromTitles(value)
  return (told !== null && 'value' in told ? ofTitles(told.value, told.left) : null) ?? inAnotherSpelling(value)
}

function asItStands(value: JsonObject): Reading | null {
  const found = recognised(value)
  return found && { name: found[0], format: found[1], left: [], ...respell(value, found[1].spelling.of(value)) }
}

/** The format that recognised a value last: most records are followed by one of their kind, and no two formats recognise the same. */
let lately: (typeof formats)[number] | undefined

function recognised(value: JsonObject): (typeof formats)[number] | null {
  if (lately?.[1].recognise(value)) return lately
  const found = formats.find((one) => one !== lately && one[1].recognise(value))
  if (found) lately = found
  return found ?? null
}

/** Whether a format recognises the value as it stands. */
export const isRecord = (value: JsonObject): boolean => recognised(value) !== null

function inAnotherSpelling(value: JsonObject): Reading | null {
  for (const [name, format] of formats) {
    for (const vocabulary of format.spelling.all) {
      if (!mayBe(value, vocabulary)) continue
      const respelled = respell(value, vocabulary)
      if (respelled.value !== value && format.recognise(respelled.value)) return { name, format, left: [], ...respelled, changed: true }
    }
  }
  return null
}

function ofTitles(value: JsonObject, left: readonly string[]): Reading | null {
  const reading = asItStands(value) ?? inAnotherSpelling(value)
  return reading && { ...reading, left, changed: true }
}

/** The record in its cloud's own spelling; as it is where no format knows it. */
export function ownSpelling(value: JsonObject): JsonObject {
  return readRecord(value)?.value ?? value
}

/** The event of a record, or why there is none. A part without which the record is only half read is named with what stands there. */
export function normalised({ format, value, unreadable }: Reading, context: RecordContext): Normalised {
  const lost = unreadable.find(({ fatal }) => fatal)
  if (lost) return { reject: `${lost.path} must be an object or a list, got ${JSON.stringify(lost.value).slice(0, 80)}` }
  return format.normalise({ value, context })
}

/** What is made of a record: how it was read, with its event; or the reason why there is none. */
export type Read = { readonly reading: Reading; readonly event: Extract<Normalised, { event: unknown }>['event'] } | { readonly reject: string }

/** Reads a record. Where its format refuses it as it stands, it may still be a row whose titles or times are made for people. */
export function readEvent(value: JsonObject, context: RecordContext): Read {
  const reading = readRecord(value)
  const result = reading && normalised(reading, context)
  if (result !== null && 'event' in result) return { reading: reading!, event: result.event }
  const told = fromTitles(value)
  if (told !== null && 'reject' in told) return told
  const again = told && ofTitles(told.value, told.left)
  const second = again && normalised(again, context)
  if (second !== null && 'event' in second) return { reading: again!, event: second.event }
  const last = second === null ? reading && `${reading.name}: ${result!.reject}` : `${again!.name}: ${second.reject}`
  return { reject: last ?? (told === null ? 'no known record format' : unknownColumns(value)) }
}

function unknownColumns(value: JsonObject): string {
  const titles = Object.keys(value).join(', ')
  return `no known record format: the columns ${titles.length > 200 ? `${titles.slice(0, 200)} …` : titles} do not tell which log the row is of`
}
