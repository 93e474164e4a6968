/**
 * One simulated world, delivered twice: as files for `trailjoin import`, and by the roads that live collectors read. Both sides get the very same texts; only the
 * envelopes differ. For that, only roads that a collector reads are simulated, and rows of Log Analytics get every column of their table, as its answers have.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Road } from '../../simulate/draft.ts'
import { simulateWorld } from '../../simulate/simulate.ts'
import type { SimulatedRecord } from '../../simulate/simulate.ts'

export interface WorldOptions {
  readonly seed: number
  /** Things that happened; some are delivered twice. */
  readonly events: number
  /** ms since 1970: the world ends within two weeks of it. LookupEvents keeps 90 days. */
  readonly start: number
}

export interface World extends WorldOptions {
  readonly deliveries: Readonly<Record<LiveRoad, readonly Delivery[]>>
  readonly records: number
  /** Log Analytics: columns by table. */
  readonly columns: ReadonlyMap<string, readonly string[]>
}

export interface Delivery {
  readonly text: string
  /** Path as the simulation places it. */
  readonly file: string
  /** ms since 1970. */
  readonly happenedAt: number
  readonly deliveredAt: number
}

/** What live collectors read; `api` (the own API's access log) travels through an event hub. */
const ROADS = ['eventhub', 'log-analytics', 's3', 'lookup', 'invocation', 'entries', 'pubsub', 'api'] as const satisfies readonly Road[]
type LiveRoad = (typeof ROADS)[number]

export const DAY_MS = 24 * 3_600_000
/** Things that one agent does a day at `TURNS` turns (measured). */
const PER_AGENT_AND_DAY = 312
const TURNS = 60
const DAYS = 4
/** Records a file of the direct import. */
const FILE_RECORDS = 10_000

/** Days that a world may take from its start until its last, late record. */
export const WORLD_DAYS = 14

/** Makes the world in memory (about 1.3 KB a record). @throws when it does not end before now: sources are never asked for the future */
export function makeWorld({ seed, events, start }: WorldOptions): World {
  const agents = Math.max(4, Math.ceil(events / (PER_AGENT_AND_DAY * (DAYS - 1))))
  const world = simulateWorld({ seed, agents, events, start, days: DAYS, turnsPerDay: TURNS, duplicates: 0.03, late: 0.005, roads: ROADS })
  const deliveries = Object.fromEntries(ROADS.map((road) => [road, [] as Delivery[]])) as Record<LiveRoad, Delivery[]>
  const columns = new Map<string, Set<string>>()
  let last = 0
  for (const record of world) {
    deliveries[record.road as LiveRoad].push(deliveryOf(record))
    last = Math.max(last, record.deliverAt)
    if (record.road !== 'log-analytics') continue
    const row = JSON.parse(record.text) as { readonly Type: string }
    const known = columns.get(row.Type) ?? new Set(['TimeGenerated'])
    columns.set(row.Type, new Set([...known, ...Object.keys(row)]))
  }
  if (last > Date.now() - DAY_MS / 24) throw new Error(`a world of ${events} events that begins on ${new Date(start).toISOString()} does not end before now`)
  const ordered = new Map([...columns].map(([table, names]) => [table, [...names]] as const))
  const rows = deliveries['log-analytics'].map((delivery) => ({ ...delivery, text: wholeRow(delivery.text, ordered) }))
  const whole = { ...deliveries, 'log-analytics': rows }
  return { seed, events, start, deliveries: whole, columns: ordered, records: Object.values(whole).reduce((sum, list) => sum + list.length, 0) }
}

const deliveryOf = ({ text, file, deliverAt, truth }: SimulatedRecord): Delivery => ({
  text,
  file,
  happenedAt: Date.parse(truth.time.slice(0, 23).replace(/Z?$/, 'Z')),
  deliveredAt: deliverAt,
})

/** The row as the service's answer has it: every column of its table, null where the row has none. */
function wholeRow(text: string, columns: ReadonlyMap<string, readonly string[]>): string {
  const row = JSON.parse(text) as Readonly<Record<string, unknown>> & { readonly Type: string }
  return JSON.stringify(Object.fromEntries(columns.get(row.Type)!.map((name) => [name, row[name] ?? null])))
}

/** Writes every text once a delivery as plain lines, for `trailjoin import`. */
export async function writeForImport({ deliveries }: World, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [road, list] of Object.entries(deliveries)) {
    for (let from = 0; from < list.length; from += FILE_RECORDS) {
      const lines = list.slice(from, from + FILE_RECORDS).map(({ text }) => `${text}\n`)
      await writeFile(join(folder, `${road}-${from / FILE_RECORDS}.ndjson`), lines)
    }
  }
}
