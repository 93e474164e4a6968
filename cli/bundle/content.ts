/** Whether what the entries of a bundle say fits together. Called when every entry has the bytes that the manifest says. */
import { z } from 'zod'
import { sha256 } from '#core/record.ts'
import { parseTime } from '#core/time.ts'
import { BundleRecord } from '#api/exports/bundle/format.ts'
import type { BundleManifest, EntryName } from '#api/exports/bundle/format.ts'
import type { Archive } from './archive.ts'
import { lines } from './lines.ts'

type Report = (fault: string) => void

const Item = z.object({
  id: z.string(),
  time: z.string(),
  rawSha256: z.string().nullable(),
  parentId: z.string().nullable(),
  attribution: z.object({ evidence: z.array(z.string()) }),
})
type Item = z.infer<typeof Item>
const Attribution = z.object({ eventId: z.string() })
const Finding = z.object({ id: z.string() })

/** Compares the entries line by line, each read once. */
export async function checkContent(archive: Archive, manifest: BundleManifest, report: Report): Promise<void> {
  const linesOf = <Line extends z.ZodType>(name: EntryName, schema: Line) => parsed(name, schema, lines(archive.bytes(archive.names.indexOf(name))), report)
  const records = peekable(linesOf('records.ndjson', BundleRecord))
  const attributions = peekable(linesOf('attributions.ndjson', Attribution))
  const references = new Set<string>()
  const counts = { timeline: 0, supporting: 0, records: 0, findings: 0 }

  const visit = async (name: EntryName, item: Item): Promise<void> => {
    for (const id of [...item.attribution.evidence, ...(item.parentId === null ? [] : [item.parentId])]) references.add(id)
    const attribution = await attributions.next()
    if (attribution?.eventId !== item.id) report(`attributions.ndjson says ${attribution?.eventId ?? 'nothing more'} where ${name} has the event ${item.id}.`)
    const digests: string[] = []
    for (let record = await records.peek(); record?.eventId === item.id; record = await records.peek()) {
      await records.next()
      counts.records++
      digests.push(record.sha256)
      if (sha256(record.text) !== record.sha256) report(`records.ndjson: the text of event ${item.id} does not have its SHA-256 ${record.sha256}.`)
    }
    // Any of its texts: a better one may have come between the reading of the timeline and that of the records, and then speaks.
    if (item.rawSha256 !== null && !digests.includes(item.rawSha256))
      report(`${name}: the record that the event ${item.id} was made from is not in records.ndjson.`)
  }

  const checkPlace = placeChecker(manifest, report)
  let last: string | null = null
  for await (const item of linesOf('timeline.ndjson', Item)) {
    counts.timeline++
    checkPlace(item)
    // The timelines of several tenants can hold one event: it stands there once for each.
    if (item.id !== last) await visit('timeline.ndjson', item)
    last = item.id
  }
  for await (const item of linesOf('supporting.ndjson', Item)) {
    counts.supporting++
    await visit('supporting.ndjson', item)
  }
  const extra = await records.next()
  if (extra) report(`records.ndjson: the record of event ${extra.eventId} belongs to no event of the bundle.`)
  if (await attributions.next()) report('attributions.ndjson has more lines than there are events.')
  const findings = linesOf('findings.ndjson', Finding)
  while (!(await findings.next()).done) counts.findings++
  for (const name of ['timeline', 'supporting', 'records', 'findings'] as const)
    if (counts[name] !== manifest.counts[name]) report(`${name}.ndjson has ${counts[name]} lines, the manifest says ${manifest.counts[name]}.`)
  await checkReferences(references, linesOf, manifest, report)
}

/** Whether each item is of the period, and stands after the one before it. */
function placeChecker(manifest: BundleManifest, report: Report): (item: Item) => void {
  const [from, to] = [parseTime(manifest.from), parseTime(manifest.to)]
  let before: { readonly time: bigint; readonly id: string } | null = null
  return ({ id, time: text }) => {
    const time = parseTime(text)
    if (time === null) return report(`timeline.ndjson: the event ${id} has no time.`)
    if ((from !== null && time < from) || (to !== null && time >= to)) report(`timeline.ndjson: the event ${id} is not of the period.`)
    if (before && (time < before.time || (time === before.time && id < before.id))) report(`timeline.ndjson: the event ${id} stands in the wrong place.`)
    before = { time, id }
  }
}

async function checkReferences(
  references: Set<string>,
  linesOf: (name: EntryName, schema: typeof Item) => AsyncGenerator<Item>,
  manifest: BundleManifest,
  report: Report,
): Promise<void> {
  for (const name of ['timeline.ndjson', 'supporting.ndjson'] as const) for await (const item of linesOf(name, Item)) references.delete(item.id)
  if (references.size === manifest.leftOut.references) return
  report(`${references.size} events that others rest on are not in the bundle, the manifest says ${manifest.leftOut.references}.`)
}

async function* parsed<Line extends z.ZodType>(name: string, schema: Line, texts: AsyncIterable<string>, report: Report): AsyncGenerator<z.output<Line>> {
  let number = 0
  for await (const text of texts) {
    number++
    const result = schema.safeParse(valueOf(text))
    if (result.success) yield result.data
    else report(`${name}, line ${number}: is not as it must be.`)
  }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Peekable<Value> {
  readonly peek: () => Promise<Value | undefined>
  readonly next: () => Promise<Value | undefined>
}

function peekable<Value>(source: AsyncGenerator<Value>): Peekable<Value> {
  let held: { readonly value: Value | undefined } | null = null
  const peek = async (): Promise<Value | undefined> => {
    if (!held) {
      const next = await source.next()
      held = { value: next.done ? undefined : next.value }
    }
    return held.value
  }
  return {
    peek,
    next: async () => {
      const value = await peek()
      held = null
      return value
    },
  }
}
