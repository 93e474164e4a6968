import type { JsonObject } from '#core/record.ts'

/** One thing inside an envelope: its exact text, and its value where that is known without parsing. */
interface Inner {
  readonly text: string
  readonly value: JsonObject | null
}

/** Takes one layer off a record, or says `null` when the record is no such envelope. A string is the reason why it cannot be opened. */
export type Open = (value: JsonObject, text: string) => readonly Inner[] | string | null

/** `value` as an object, or null. */
export function asObject(value: unknown): JsonObject | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null
}
