import type { Json } from '#core/record.ts'
import { mergeGaps } from './store.ts'
import type { PartKey, PartStatus, SourceStore } from './store.ts'

/** A source store for tests of collectors: keeps everything in memory, as JSON where the real one does. */
export function memoryStore(): SourceStore & { readonly cursors: Map<string, Json> } {
  const cursors = new Map<string, Json>()
  const statuses = new Map<string, PartStatus>()
  const idOf = ({ source, part }: PartKey): string => (part === '' ? source : `${source}/${part}`)
  const change = (key: PartKey, update: (status: PartStatus) => Partial<PartStatus>): void => {
    const status = statuses.get(idOf(key)) ?? {
      source: key.source,
      part: key.part,
      kind: key.kind,
      watermark: null,
      lastSuccessAt: null,
      lastErrorAt: null,
      lastErrorCode: null,
      lastError: null,
      failures: 0,
      records: 0n,
      stored: 0n,
      duplicates: 0n,
      rejected: 0n,
      gaps: [],
    }
    statuses.set(idOf(key), { ...status, ...update(status) })
  }
  return {
    cursors,
    cursor: async (key) => cursors.get(idOf(key)) ?? null,
    advance: async (key, { cursor, watermark, gaps, counts }) => {
      cursors.set(idOf(key), JSON.parse(JSON.stringify(cursor)) as Json)
      change(key, (status) => ({
        watermark: watermark === null || (status.watermark !== null && status.watermark > watermark) ? status.watermark : watermark,
        gaps: mergeGaps(status.gaps, gaps),
        records: status.records + BigInt(counts.records),
        stored: status.stored + BigInt(counts.stored),
        duplicates: status.duplicates + BigInt(counts.duplicates),
        rejected: status.rejected + BigInt(counts.rejected),
      }))
    },
    succeeded: async (key) => change(key, () => ({ lastSuccessAt: new Date(), failures: 0 })),
    failed: async (key, code, message) =>
      change(key, (status) => ({
        lastErrorAt: new Date(),
        lastErrorCode: code,
        lastError: message,
        failures: status.failures + 1,
      })),
    statuses: async () => [...statuses.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, status]) => status),
  }
}
