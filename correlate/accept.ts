import type { TrailEvent } from '#core/event.ts'
import { type JsonObject, type RawRecord, type Rejection, cutRefused, sha256 } from '#core/record.ts'
import { isRecord, normalised, readEvent, readRecord } from './formats/reading.ts'
import type { Unreadable } from './formats/spelling/respell.ts'
import { type KnownPaths, compilePaths, unmappedPaths } from './unmapped.ts'

/** A record with the event that it gives. */
export interface Accepted {
  readonly record: RawRecord
  readonly event: TrailEvent
  readonly format: string
  readonly rank: number
  readonly sha256: string
  readonly unmapped: readonly string[]
}

/** Postgres takes nanoseconds as bigint until 2262; a year like 9999 is no event time that anything could be joined on. */
const LATEST = 9_223_372_036_854_775_807n

const known = new Map<string, KnownPaths>()

/** Normalises a record once, at the door. Gives the reason when it is no known record or its normaliser refuses it. */
export function accept(record: RawRecord): Accepted | Rejection {
  const refuse = (reason: string): Rejection => ({ origin: record.origin, ...cutRefused(reason, record.text) })
  try {
    const read = readEvent(record.value, record.context)
    if ('reject' in read) return refuse(read.reject)
    const { name, format, value, changed, unreadable, left } = read.reading
    if (read.event.timeNs > LATEST) return refuse(`${name}: the event time is out of range`)
    let paths = known.get(name)
    if (!paths) known.set(name, (paths = compilePaths(format.known)))
    return {
      record,
      event: read.event,
      format: name,
      rank: format.rank(value, changed),
      sha256: sha256(record.text),
      unmapped: withUnread(unmappedPaths(value, paths), unreadable, left),
    }
  } catch (error) {
    // A normaliser must not throw, but hostile or broken input must never harm its neighbours either.
    return refuse(`cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** Whether any format recognises the value. In another spelling only where it is whole: forwarders put parts of a record, renamed, beside it. */
export function knows(value: JsonObject): boolean {
  if (isRecord(value)) return true
  const reading = readRecord(value)
  return reading !== null && (!reading.changed || 'event' in normalised(reading, {}))
}

/** Parts that should be objects and are not hold something that nobody read, known or not; so do columns that nobody knows. */
function withUnread(paths: readonly string[], unreadable: readonly Unreadable[], left: readonly string[]): readonly string[] {
  if (unreadable.length === 0 && left.length === 0) return paths
  return [...new Set([...paths, ...unreadable.map(({ path }) => path), ...left])].toSorted()
}
