/** For tests of sources: one source over memory instead of a database, with pauses of milliseconds. */
import { collectingSink } from '../collecting-sink.ts'
import type { CollectingSink } from '../collecting-sink.ts'
import { DELAYS } from './back-off.ts'
import type { Delays } from './back-off.ts'
import { memoryStore } from './memory-store.ts'
import { openSource } from './open.ts'
import { runSources } from './run.ts'
import type { PartOutcome } from './run.ts'
import type { Finding, Source } from './source.ts'
import type { PartStatus } from './store.ts'

export interface TestRun<Settings> {
  readonly source: Source<Settings>
  /** As the configuration would have them. */
  readonly settings: unknown
  readonly environment?: Readonly<Record<string, string>>
  readonly now?: () => number
}

export interface TestCollection {
  readonly sink: CollectingSink
  readonly store: ReturnType<typeof memoryStore>
  /** What the source logged, as JSON. */
  readonly logged: readonly string[]
  /** Polls every part to its end, trying up to `attempts` times; again with a new opening each time, as after a restart. */
  poll(attempts?: number): Promise<readonly PartOutcome[]>
  check(): Promise<readonly Finding[]>
  statuses(): Promise<readonly PartStatus[]>
  /** Every distinct text that was delivered, sorted. */
  texts(): readonly string[]
}

export const QUICK: Delays = Object.fromEntries(Object.keys(DELAYS).map((code) => [code, { min: 1, max: 5 }])) as unknown as Delays

export function collection<Settings>({ source, settings, environment = {}, now }: TestRun<Settings>, sink: CollectingSink = collectingSink()): TestCollection {
  const store = memoryStore()
  const logged: string[] = []
  const open = () =>
    openSource(
      { kind: source.kind, name: 'test', everySeconds: 1, context: {}, settings: source.settings.parse(settings) },
      {
        kinds: new Map([[source.kind, source as Source<unknown>]]),
        environment,
        log: (...line) => void logged.push(JSON.stringify(line)),
        ...(now ? { now } : {}),
      },
    )
  return {
    sink,
    store,
    logged,
    poll: async (attempts = 10) =>
      runSources({ sources: [await open()], sink, store, signal: new AbortController().signal, log: () => undefined, once: { attempts }, delays: QUICK }),
    check: async () => (await Promise.all((await open()).collectors.map((collector) => collector.check(new AbortController().signal)))).flat(),
    statuses: () => store.statuses(),
    texts: () => [...new Set(sink.records.map((record) => record.text))].toSorted(),
  }
}
