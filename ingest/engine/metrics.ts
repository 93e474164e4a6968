import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Counts, PartStatus } from './store.ts'

export interface SourceMetrics {
  counted(source: string, counts: Counts): void
  polled(source: string): void
  failed(source: string): void
}

/**
 * Metrics of the collectors, labelled by source only: parts, oids and accounts would make series without end.
 * `statuses` is read when the registry is scraped; when it fails, the gauges keep what they had.
 */
export function createSourceMetrics(registry: Registry, statuses: () => Promise<readonly PartStatus[]>, now: () => number = Date.now): SourceMetrics {
  const counter = (name: string, help: string): Counter<'source'> =>
    new Counter({
      name: `trailjoin_source_${name}`,
      help,
      labelNames: ['source'],
      registers: [registry],
    })
  const records = counter('records_total', 'Records delivered, rejected ones and repeats included.')
  const stored = counter('stored_total', 'Records delivered that were not known before.')
  const duplicates = counter('duplicates_total', 'Records delivered that were known already.')
  const rejected = counter('rejected_total', 'Records delivered that no format understands, with the reason kept.')
  const polls = counter('polls_total', 'Polls that came to their end.')
  const errors = counter('errors_total', 'Polls that failed.')
  let scraped: Promise<readonly PartStatus[]> | null = null
  // The gauges of one scrape share one reading.
  const read = (): Promise<readonly PartStatus[]> => {
    scraped ??= statuses().finally(() => setTimeout(() => (scraped = null), 1000).unref())
    return scraped
  }
  const gauge = (name: string, help: string, value: (parts: readonly PartStatus[]) => number | null): Gauge<'source'> =>
    new Gauge({
      name: `trailjoin_source_${name}`,
      help,
      labelNames: ['source'],
      registers: [registry],
      async collect() {
        const bySource = Map.groupBy(await read().catch(() => []), (part) => part.source)
        for (const [source, parts] of bySource) {
          const found = value(parts)
          if (found !== null) this.set({ source }, found)
        }
      },
    })
  gauge('lag_seconds', 'Now minus the event time up to which the source is complete; of several parts the largest.', (parts) => {
    const marks = parts.flatMap(({ watermark }) => (watermark === null ? [] : [Number(watermark / 1_000_000n)]))
    return marks.length === 0 ? null : (now() - Math.min(...marks)) / 1000
  })
  gauge('last_success_timestamp_seconds', 'When the last poll came to its end; of several parts the oldest, 0 when one never did.', (parts) =>
    Math.min(...parts.map(({ lastSuccessAt }) => (lastSuccessAt?.getTime() ?? 0) / 1000)),
  )
  gauge('failing_parts', 'Parts of the source whose last poll failed.', (parts) => parts.filter(({ failures }) => failures > 0).length)
  gauge('gaps', 'Stretches of event time known to be missing.', (parts) => parts.reduce((sum, { gaps }) => sum + gaps.length, 0))
  // Grows also where a known gap does, whose number stays.
  gauge('gap_seconds', 'Event time known to be missing: the lengths of all gaps, added up.', (parts) =>
    parts.flatMap(({ gaps }) => gaps).reduce((sum, { from, until }) => sum + Number((until - from) / 1_000_000n) / 1000, 0),
  )
  return {
    counted(source, counts) {
      records.inc({ source }, counts.records)
      stored.inc({ source }, counts.stored)
      duplicates.inc({ source }, counts.duplicates)
      rejected.inc({ source }, counts.rejected)
    },
    polled: (source) => polls.inc({ source }),
    failed: (source) => errors.inc({ source }),
  }
}
