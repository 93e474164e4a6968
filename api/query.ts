/** Query and path parameters: strict, every fault is named. The CLI parses its options with the same schemas. */
import { z } from 'zod'
import { CONFIDENCES, KINDS, OUTCOMES, SOURCES } from '#core/event.ts'
import { isGuid } from '#core/keys.ts'
import { parseTime } from '#core/time.ts'
import { decodeTimelineCursor, decodeTraceCursor } from './cursor.ts'

/** Larger pages would hold too much in memory at once; exports page through by themselves. */
export const MAX_LIMIT = 1000
export const DEFAULT_LIMIT = 100

// The column is a signed 64-bit number: instants beyond it (a year 9999 meaning "for ever") mean the same at its edge.
const MAX_NS = 2n ** 63n - 1n
const MIN_NS = -(2n ** 63n)

/** An instant: ISO time, or a date alone, which means its midnight in UTC. Gives nanoseconds since 1970. */
export const instant = z
  .string()
  .transform((text, context) => {
    const nanos = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
    if (nanos === null) {
      context.addIssue({ code: 'custom', message: `"${shorten(text)}" is no time: write 2026-09-01 or 2026-09-01T10:00:00Z` })
      return z.NEVER
    }
    return nanos > MAX_NS ? MAX_NS : nanos < MIN_NS ? MIN_NS : nanos
  })
  .meta({ format: 'date-time', description: 'ISO 8601 time, or a date (its midnight in UTC).' })

/** A GUID, lower case. */
export const guid = z
  .string()
  .refine(isGuid, { error: (issue) => `"${shorten(String(issue.input))}" is no GUID: write it as 8-4-4-4-12 hexadecimal digits` })
  .transform((text) => text.toLowerCase())
  .meta({ format: 'uuid' })

/** One or several of these words, comma-separated; gives them in their own order. */
export const list = <Word extends string>(words: readonly Word[]) =>
  z
    .string()
    .transform((text, context) => {
      const chosen = text.split(',').map((word) => word.trim())
      const wrong = chosen.filter((word) => !(words as readonly string[]).includes(word))
      if (wrong.length > 0) {
        context.addIssue({ code: 'custom', message: `"${shorten(wrong.join(','))}" is not one of ${words.join(', ')}` })
        return z.NEVER
      }
      return words.filter((word) => chosen.includes(word))
    })
    .meta({ description: `One or several, comma-separated: ${words.join(', ')}.` })

const text = z.string().min(1, 'is empty').max(500, 'is longer than 500 characters')

/** A whole number between 1 and 1000, as a query writes it. */
export const limit = z
  .string()
  .transform((value, context) => {
    const number = /^\d{1,6}$/.test(value) ? Number(value) : 0
    if (number >= 1 && number <= MAX_LIMIT) return number
    context.addIssue({ code: 'custom', message: `"${shorten(value)}" is no whole number from 1 to ${MAX_LIMIT}` })
    return z.NEVER
  })
  .meta({ description: `1 to ${MAX_LIMIT}.` })

const timelineCursor = z.string().transform((value, context) => {
  const cursor = decodeTimelineCursor(value)
  if (cursor) return cursor
  context.addIssue({ code: 'custom', message: 'is no cursor that this API gave out' })
  return z.NEVER
})

const FORMATS = ['json', 'ndjson', 'csv', 'ocsf', 'timesketch'] as const
const format = z.enum(FORMATS, { error: (issue) => `"${shorten(String(issue.input))}" is not offered: the formats are ${FORMATS.join(', ')}` })

const filterFields = {
  from: instant.optional(),
  to: instant.optional(),
  source: list(SOURCES).optional(),
  kind: list(KINDS).optional(),
  outcome: list(OUTCOMES).optional(),
  confidence: list(CONFIDENCES).optional(),
  text: text.meta({ description: 'Part of the action, resource, principal, error, model, native id or address, in any case.' }).optional(),
  tenant: guid.optional(),
}

/** `from` is not later than `to`. */
export const inOrder = {
  check: (value: { from?: bigint | undefined; to?: bigint | undefined }) => value.from === undefined || value.to === undefined || value.from <= value.to,
  params: { path: ['from'], error: 'is later than "to"' },
}

/** The filters of a timeline; `from` inclusive, `to` exclusive. */
export const TimelineFilters = z.strictObject(filterFields).refine(inOrder.check, inOrder.params)
export type TimelineFilters = z.output<typeof TimelineFilters>

export const TimelineQuery = z
  .strictObject({
    ...filterFields,
    order: z.enum(['desc', 'asc'], { error: 'is neither "asc" nor "desc"' }).optional(),
    limit: limit.optional(),
    cursor: timelineCursor.optional(),
    format: format.optional(),
    manifest: z
      .enum(['only'], { error: 'can only be "only"' })
      .meta({
        description:
          '`only`: the manifest of the export (counts, what was left out, SHA-256) in its place. Without it the manifest comes as the trailer `Trailjoin-Manifest`.',
      })
      .optional(),
  })
  .refine(inOrder.check, inOrder.params)
  .refine((value) => value.manifest === undefined || (value.format !== undefined && value.format !== 'json'), {
    path: ['manifest'],
    error: 'is of an export: give a format other than json, too',
  })

export const AgentsQuery = z.strictObject({
  tenant: guid.optional(),
  text: text.meta({ description: 'Part of the name, oid, appId or Blueprint.' }).optional(),
  limit: limit.optional(),
  cursor: z.string().optional(),
})

const traceCursor = z.string().transform((value, context) => {
  const cursor = decodeTraceCursor(value)
  if (cursor) return cursor
  context.addIssue({ code: 'custom', message: 'is no cursor that this API gave out' })
  return z.NEVER
})

const traceFields = { oid: guid.meta({ description: 'Owner.' }).optional(), tenant: guid.optional(), from: filterFields.from, to: filterFields.to }

/** The filters of a list of traces; a trace that touches the period counts. */
export const TraceFilters = z.strictObject(traceFields).refine(inOrder.check, inOrder.params)
export const TracesQuery = z.strictObject({ ...traceFields, limit: limit.optional(), cursor: traceCursor.optional() }).refine(inOrder.check, inOrder.params)

export const OidQuery = z.strictObject({ tenant: guid.optional() })
export const ListQuery = z.strictObject({ limit: limit.optional(), cursor: z.string().optional() })
export const RawQuery = z.strictObject({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'is no SHA-256 in 64 hexadecimal digits')
    .transform((value) => value.toLowerCase())
    .meta({ description: 'Picks another of the texts of this event.' })
    .optional(),
})
export const NoQuery = z.strictObject({})

/** A fault in one parameter. */
export interface Fault {
  readonly field: string
  readonly message: string
}

/** The faults of a failed parse, one entry a field, in plain words. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.flatMap((issue): Fault[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ field: shorten(key), message: 'is no parameter of this route' }))
    const message = issue.code === 'invalid_type' ? 'is given more than once, or is no text' : issue.message
    return [{ field: issue.path.join('.'), message }]
  })
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
