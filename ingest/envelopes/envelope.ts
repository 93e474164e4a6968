import type { JsonObject } from '#core/record.ts'

/** `value` as an object, or null. */
export function asObject(value: unknown): JsonObject | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null
}
