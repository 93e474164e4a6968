import type { Normalised } from '#core/event.ts'
import type { JsonObject, RecordContext } from '#core/record.ts'
import { type Format, formats } from './index.ts'
import { mayBe, respell, type Respelled } from './spelling/respell.ts'

/** A record with its format, in its cloud's own spelling. */
export interface Reading extends Respelled {
  readonly name: string
  readonly format: Format
}

/**
 * What a record is. One that its format recognises as it stands is looked through once; one that no format recognises is tried in the spelling of each.
 * Null where that leads to no format either.
 */
export function readRecord(value: JsonObject): Reading | null {
  for (const [name, format] of formats) if (format.recognise(value)) return { name, format, ...respell(value, format.spelling.of(value)) }
  for (const [name, format] of formats) {
    for (const vocabulary of format.spelling.all) {
      if (!mayBe(value, vocabulary)) continue
      const respelled = respell(value, vocabulary)
      if (respelled.value !== value && format.recognise(respelled.value)) return { name, format, ...respelled, changed: true }
    }
  }
  return null
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
