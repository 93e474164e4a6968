/**
 * The evidence bundle of one oid and period. Written as it is read: memory holds a page of records, 16 bytes for each event, and the ids of events outside of the period that
 * others rest on. Its entries are of one moment when the store that it is given is (`inSnapshot`).
 */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { formatTime } from '#core/time.ts'
import { decodeFindingCursor } from '../../findings/query.ts'
import { MAX_LIMIT } from '../../query.ts'
import { coverage } from '../../read-models/coverage.ts'
import { findingsPage } from '../../read-models/findings.ts'
import { eventRows, toItem } from '../../read-models/item.ts'
import type { ItemRow } from '../../read-models/item.ts'
import { oidAnswer } from '../../read-models/oid-info.ts'
import type { Store } from '../../read-models/store.ts'
import { timelineRows } from '../../read-models/timeline.ts'
import { BUNDLE_VERSION, chained, ENTRIES, MANIFEST_NAME, sealOf } from './format.ts'
import type { BundleEntry, BundleManifest, EntryName } from './format.ts'
import { createIdList } from './id-list.ts'
import { proofsOf, recordsOf } from './queries.ts'
import { README } from './readme.ts'
import { zipStream } from './zip.ts'

export interface BundleRequest {
  readonly oid: string
  /** Half-open period. */
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
  /** Who asked, as the record of who looked at what names them. */
  readonly createdBy: string
  readonly createdAt: Date
}

export interface Bundle {
  /** The zip; destroyed with the error when reading fails. */
  readonly stream: Readable
  /** Events written so far. */
  readonly events: () => number
  /** SHA-256 of the zip, in hexadecimal. @throws Error before the stream has ended */
  readonly sha256: () => string
}

/** Writes the bundle. The oid should be known: one without a timeline gives a bundle that says so. */
export function createBundle(store: Store, request: BundleRequest): Bundle {
  const { oid, from, to, createdBy, createdAt } = request
  const inTimeline = createIdList()
  const supporting = createIdList()
  const references = new Set<string>()
  const counts = { timeline: 0, supporting: 0, records: 0, findings: 0 }
  const refer = (rows: readonly ItemRow[]): void => {
    for (const row of rows) for (const id of [...(row.evidence ?? []), ...(row.parent_id === null ? [] : [row.parent_id])]) references.add(id)
  }

  async function* timeline(): AsyncGenerator<string> {
    let last: string | null = null
    for await (const rows of timelineRows(store, { oid, filters: { from, to }, order: 'asc' })) {
      // An event can stand in the timelines of several tenants, one row after the other; its record is the same.
      const ids = rows.map((row) => row.event_id).filter((id, index, all) => id !== (index === 0 ? last : all[index - 1]))
      last = rows.at(-1)?.event_id ?? last
      inTimeline.push(ids)
      refer(rows)
      counts.timeline += rows.length
      yield ndjson(rows.map((row) => toItem(row, row.role)))
    }
  }
  /** What the timeline rests on outside of the period, and what that rests on, to the end of the chain. */
  async function* support(): AsyncGenerator<string> {
    for (const page of inTimeline.pages()) for (const id of page) references.delete(id)
    const done = new Set<string>()
    for (let open = [...references]; open.length > 0; open = [...references].filter((id) => !done.has(id))) {
      for (const id of open) done.add(id)
      for (const ids of pagesOf(open.toSorted())) {
        const rows = await eventRows(store, ids)
        supporting.push(rows.map((row) => row.event_id))
        refer(rows)
        counts.supporting += rows.length
        yield ndjson(rows.map((row) => toItem(row, null)))
      }
      for (const page of inTimeline.pages()) for (const id of page) references.delete(id)
    }
    for (const page of supporting.pages()) for (const id of page) references.delete(id)
  }
  function* allIds(): Generator<readonly string[]> {
    yield* inTimeline.pages()
    yield* supporting.pages()
  }
  async function* attributions(): AsyncGenerator<string> {
    for (const ids of allIds()) {
      const [rows, proofs] = [await eventRows(store, ids), await proofsOf(store, ids)]
      const items = new Map(rows.map((row) => [row.event_id, toItem(row, null)]))
      yield ndjson(ids.map((id) => attributionLine(id, items.get(id), proofs.get(id))))
    }
  }
  async function* records(): AsyncGenerator<string> {
    for (const ids of allIds()) {
      const found = await recordsOf(store, ids)
      counts.records += found.length
      yield ndjson(found)
    }
  }
  async function* findings(): AsyncGenerator<string> {
    for (let cursor: string | null = null; ;) {
      const after: ReturnType<typeof decodeFindingCursor> = cursor === null ? null : decodeFindingCursor(cursor)
      const page = await findingsPage(store, { oid, from, to }, MAX_LIMIT, after ?? undefined)
      counts.findings += page.items.length
      yield ndjson(page.items)
      if (page.next === null) return
      cursor = page.next
    }
  }
  const contents: Readonly<Record<EntryName, () => AsyncIterable<string>>> = {
    'README.txt': () => once(() => README),
    'oid.json': () => once(async () => json(await oidAnswer(store, oid))),
    'timeline.ndjson': timeline,
    'supporting.ndjson': support,
    'attributions.ndjson': attributions,
    'records.ndjson': records,
    'findings.ndjson': findings,
    'coverage.json': () => once(async () => json(await coverage(store))),
  }
  const entries: Omit<BundleEntry, 'chain'>[] = []
  const manifest = (): BundleManifest => {
    const head = {
      of: 'evidence-bundle',
      version: BUNDLE_VERSION,
      oid,
      from: from === undefined ? null : formatTime(from),
      to: to === undefined ? null : formatTime(to),
      scope: store.scope === 'everything' ? store.scope : [...store.scope],
      createdAt: createdAt.toISOString(),
      createdBy,
      counts,
      leftOut: { references: references.size },
      entries: chained(entries),
    } as const
    return { ...head, seal: sealOf(head) }
  }
  let whole: string | null = null
  const stream = zipStream(
    [
      ...ENTRIES.map((name) => ({ name, content: () => measured(contents[name](), (bytes, sha256) => entries.push({ name, bytes, sha256 })) })),
      { name: MANIFEST_NAME, content: () => once(() => json(manifest())) },
    ],
    (sha256) => (whole = sha256),
  )
  const sha256 = (): string => {
    if (whole === null) throw new Error('the bundle is not written to its end')
    return whole
  }
  return { stream, events: () => counts.timeline + counts.supporting, sha256 }
}

function attributionLine(
  eventId: string,
  item: ReturnType<typeof toItem> | undefined,
  proof: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  return {
    eventId,
    tenantId: item?.tenantId ?? null,
    subjectOid: item?.subjectOid ?? null,
    agentOid: item?.agentOid ?? null,
    onBehalfOf: item?.onBehalfOf ?? null,
    ...item?.attribution,
    sessionId: item?.sessionId ?? null,
    traceId: item?.traceId ?? null,
    parentId: item?.parentId ?? null,
    ...proof,
    // A parent of another tenant is not named, and neither is the way that leads to it.
    ...(proof && !item?.parentId ? { parentLink: null } : {}),
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
const ndjson = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

async function* once(make: () => string | Promise<string>): AsyncGenerator<string> {
  yield await make()
}

/** Passes the parts on as bytes; tells length and hash at their end. */
async function* measured(parts: AsyncIterable<string>, tell: (bytes: number, sha256: string) => void): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of parts) {
    const buffer = Buffer.from(part)
    hash.update(buffer)
    bytes += buffer.length
    // An empty part would end the stream.
    if (buffer.length > 0) yield buffer
  }
  tell(bytes, hash.digest('hex'))
}

function* pagesOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < ids.length; start += MAX_LIMIT) yield ids.slice(start, start + MAX_LIMIT)
}
