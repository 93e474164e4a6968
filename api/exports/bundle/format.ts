/**
 * What an evidence bundle is made of (docs/exports.md). A zip: the entries in the order of `ENTRIES`, then `manifest.json`, then the archive comment with the SHA-256 of every
 * byte before it. The manifest chains the entries: each link is the hash of the link before it and of the entry's name, length and hash; the seal is the hash of the last link
 * and of everything else that the manifest says. So no entry can be changed, added, taken away or moved without the seal changing.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isGuid } from '#core/keys.ts'
import { canonicalJson } from '#core/record.ts'
import { parseTime } from '#core/time.ts'

export const BUNDLE_VERSION = 1
export const MANIFEST_NAME = 'manifest.json'

/** Names of the entries, in their order. */
export const ENTRIES = [
  'README.txt',
  'oid.json',
  'timeline.ndjson',
  'supporting.ndjson',
  'attributions.ndjson',
  'records.ndjson',
  'findings.ndjson',
  'coverage.json',
] as const
export type EntryName = (typeof ENTRIES)[number]

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().nonnegative()

const guid = z.string().refine(isGuid, 'is no GUID')
const time = z.string().refine((text) => /^[\dTZ:.-]+$/.test(text) && parseTime(text) !== null, 'is no time in UTC')

const Entry = z.strictObject({ name: z.string(), bytes: count, sha256: hash, chain: hash })
export type BundleEntry = z.infer<typeof Entry>

export const BundleManifest = z.strictObject({
  of: z.literal('evidence-bundle'),
  version: z.literal(BUNDLE_VERSION),
  // A bundle may come from anybody: what is printed of it is what it says it is, and no control sequence for the reader's terminal.
  oid: guid,
  from: time.nullable(),
  to: time.nullable(),
  scope: z.union([z.literal('everything'), z.array(z.string())]),
  createdAt: time,
  createdBy: z.string(),
  counts: z.strictObject({ timeline: count, supporting: count, records: count, findings: count }),
  /** `references`: events that others rest on and that are not in the bundle, because the store does not have them (any more) or the caller may not see them. */
  leftOut: z.strictObject({ references: count }),
  entries: z.array(Entry),
  seal: hash,
})
export type BundleManifest = z.infer<typeof BundleManifest>

/** One line of `records.ndjson`: a raw record as it is stored, credentials masked. */
export const BundleRecord = z.strictObject({
  eventId: z.string(),
  sha256: hash,
  speaks: z.boolean(),
  format: z.string(),
  file: z.string(),
  line: z.int().nullable(),
  masked: z.array(z.string()),
  text: z.string(),
})
export type BundleRecord = z.infer<typeof BundleRecord>

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const START = sha256(`trailjoin evidence bundle ${BUNDLE_VERSION}`)

/** The entries with their links. */
export function chained(entries: readonly Omit<BundleEntry, 'chain'>[]): BundleEntry[] {
  let chain = START
  return entries.map(({ name, bytes, sha256: digest }) => {
    chain = sha256([chain, name, String(bytes), digest].join('\n'))
    return { name, bytes, sha256: digest, chain }
  })
}

/** The seal of everything else that a manifest says. */
export function sealOf({ seal: _seal, ...manifest }: Omit<BundleManifest, 'seal'> & { readonly seal?: string }): string {
  return sha256(`${manifest.entries.at(-1)?.chain ?? START}\n${canonicalJson(manifest)}`)
}

const COMMENT_START = 'trailjoin evidence bundle; SHA-256 of all bytes before this comment: '
export const COMMENT_LENGTH = COMMENT_START.length + 64

/** The archive comment for this hash. */
export const commentOf = (digest: string): string => COMMENT_START + digest
