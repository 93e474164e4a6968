/** What an export holds and what it left out: counted and hashed while it is written, so it is known at its end. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { formatTime } from '#core/time.ts'
import type { Scope } from '../access/caller.ts'
import type { TimelineFilters } from '../query.ts'
import type { TimelineRow } from '../read-models/timeline.ts'
import { EXPORT_FORMATS, WRITERS } from './formats.ts'
import type { ExportFormat } from './formats.ts'

const count = z.int().nonnegative()

export const ExportManifest = z
  .object({
    of: z.literal('timeline'),
    oid: z.string().meta({ format: 'uuid' }),
    format: z.enum(EXPORT_FORMATS),
    standard: z.string().nullable().meta({ description: 'The published format that it follows.' }),
    order: z.enum(['asc', 'desc']),
    filters: z.record(z.string(), z.union([z.string(), z.array(z.string())])).meta({ description: 'As understood; times in UTC.' }),
    scope: z
      .union([z.literal('everything'), z.array(z.string())])
      .meta({ description: 'Tenants that the caller may see. What others hold is neither shown nor counted.' }),
    items: count,
    first: z.string().nullable().meta({ description: 'Earliest time of an item.' }),
    last: z.string().nullable(),
    complete: z.boolean().meta({ description: 'False when a limit ended it before the last item.' }),
    leftOut: z.object({
      byFilters: count.nullable().meta({ description: "Items of this oid's timeline that the filters keep back; null: not counted." }),
      byLimit: count.nullable().meta({ description: 'Items that the limit cut off; null: not counted (`complete` says whether there are any).' }),
    }),
    changes: z.array(z.string()).meta({ description: 'What the format cannot hold as it is.' }),
    bytes: count,
    sha256: z.string().meta({ description: 'Of the content, in hexadecimal.' }),
  })
  .meta({ id: 'ExportManifest' })
export type ExportManifest = z.infer<typeof ExportManifest>

export interface Tally {
  /** Counts a part of the content and the rows in it. Returns the text. */
  readonly add: (text: string, rows: readonly TimelineRow[]) => string
  readonly items: () => number
  readonly manifest: (about: ManifestHead) => ExportManifest
}

interface ManifestHead {
  readonly oid: string
  readonly format: ExportFormat
  readonly order: 'asc' | 'desc'
  readonly filters: TimelineFilters
  readonly scope: Scope
  readonly complete: boolean
  readonly leftOut: ExportManifest['leftOut']
}

/** Counts and hashes what passes through. */
export function createTally(): Tally {
  const hash = createHash('sha256')
  let [items, bytes] = [0, 0]
  let [first, last]: [bigint | null, bigint | null] = [null, null]
  return {
    add: (text, rows) => {
      hash.update(text)
      bytes += Buffer.byteLength(text)
      items += rows.length
      for (const { time_ns: time } of rows) {
        if (first === null || time < first) first = time
        if (last === null || time > last) last = time
      }
      return text
    },
    items: () => items,
    manifest: ({ oid, format, order, filters, scope, complete, leftOut }) => ({
      of: 'timeline',
      oid,
      format,
      standard: WRITERS[format].standard,
      order,
      filters: shownFilters(filters),
      scope: scope === 'everything' ? scope : [...scope],
      items,
      first: first === null ? null : formatTime(first),
      last: last === null ? null : formatTime(last),
      complete,
      leftOut,
      changes: [...WRITERS[format].changes],
      bytes,
      sha256: hash.digest('hex'),
    }),
  }
}

/** The filters as a reader can repeat them. */
function shownFilters(filters: TimelineFilters): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]): [string, string | string[]][] => {
      if (value === undefined) return []
      return [[name, typeof value === 'bigint' ? formatTime(value) : Array.isArray(value) ? [...value] : value]]
    }),
  )
}

/** A manifest as the value of an HTTP field: JSON in ASCII. */
export const asHeader = (manifest: ExportManifest): string =>
  JSON.stringify(manifest).replaceAll(/[^\u0020-\u007e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A SHA-256 as the fields `Repr-Digest` and `Content-Digest` write it (RFC 9530). */
export const asDigest = (sha256: string): string => `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`
