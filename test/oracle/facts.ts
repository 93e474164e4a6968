/** The set of records as the oracle sees it: one event an id, every directory fact of every distinct text. SPEC.md §1, first paragraph. */
import type { DirectoryFact, TrailEvent } from '#core/event.ts'
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import { storable } from '#core/text.ts'
import type { Accepted } from '#correlate/accept.ts'

/** A normalised record with what only its text says. */
export interface Fact {
  readonly event: TrailEvent
  readonly format: string
  /** Hash of the text that speaks for the event. */
  readonly sha256: string
}

/** What one text says about the directory, and when. */
export interface Statement<Said extends DirectoryFact = DirectoryFact> {
  readonly tenantId: TenantId | null
  readonly timeNs: bigint
  readonly eventId: EventId
  readonly fact: Said
}

/** An Entra principal. The tenant is null where no record says it; two principals are one only if both parts are equal. */
export interface Principal {
  readonly tenantId: TenantId | null
  readonly oid: Oid
}

export interface Facts {
  /** In time order; of events at one time the one with the greater id is the later one. */
  readonly events: readonly Fact[]
  /** In the order of their events. */
  readonly statements: readonly Statement[]
}

/** Everything that the records say. Neither their order nor their repetition matters. */
export function factsOf(accepted: readonly Accepted[]): Facts {
  const winners = new Map<EventId, Accepted>()
  const texts = new Map<string, Accepted>()
  for (const one of accepted) {
    texts.set(`${one.event.id} ${one.sha256}`, one)
    const best = winners.get(one.event.id)
    if (!best || one.rank < best.rank || (one.rank === best.rank && one.sha256 < best.sha256)) winners.set(one.event.id, one)
  }
  const events = [...winners.values()].map(({ event, format, sha256 }) => ({ event: stored(event), format, sha256 }))
  const said = [...texts.values()].toSorted((a, b) => before(a, b) || compare(a.sha256, b.sha256))
  return {
    events: events.toSorted(before),
    statements: said.flatMap(({ event }) =>
      stored(event).directory.map((fact) => ({ tenantId: event.tenantId, timeNs: event.timeNs, eventId: event.id, fact })),
    ),
  }
}

/** Order of time; negative when `a` is the earlier one. */
function before(a: { readonly event: TrailEvent }, b: { readonly event: TrailEvent }): number {
  return compare(a.event.timeNs, b.event.timeNs) || compare(a.event.id, b.event.id)
}

export function compare<Value extends string | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Sorted, without repetitions. */
export function distinct<Value extends string>(values: Iterable<Value>): Value[] {
  return [...new Set(values)].toSorted(compare)
}

export function samePrincipal(a: Principal, b: Principal): boolean {
  return a.tenantId === b.tenantId && a.oid === b.oid
}

/** The event with its texts as a PostgreSQL column can hold them. */
function stored(event: TrailEvent): TrailEvent {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return storable(value)
    if (Array.isArray(value)) return value.map(clean)
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clean(inner)]))
    return value
  }
  return clean(event) as TrailEvent
}
