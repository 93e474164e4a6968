/** Which events pending facts touch: those that must be concluded about again, and no others. */
import type pg from 'pg'
import { type LinkFacts, PROXIMITY_NS } from './attribute.ts'
import type { Directories } from './conclude.ts'
import { type ChangedSpan, changedPools, changedSpans, newAgentIds } from './directory/changes.ts'
import type { StoredFact } from './directory/fact.ts'
import {
  type EventRef,
  type FactReader,
  RefSet,
  anchoredAfter,
  dependants,
  exchangesBefore,
  issuing,
  meteredWith,
  mintsNear,
  pooledEvents,
  spannedEvents,
  waitingFor,
} from './store/lookups.ts'
import { readReach } from './store/reach.ts'

/** Events whose facts are held in memory at once. */
const EVENTS_A_SLICE = 10_000

export function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += EVENTS_A_SLICE) yield items.slice(start, start + EVENTS_A_SLICE)
}

/** The pending events themselves; what new directory facts may change; what was done with credentials they issue; usage logs and mints that follow. */
export async function touchedEvents(
  client: pg.ClientBase,
  read: FactReader,
  pending: { readonly refs: readonly EventRef[]; readonly keys: readonly string[] },
  directories: Directories,
  facts: readonly StoredFact[],
  fresh: ReadonlySet<StoredFact>,
): Promise<RefSet> {
  const touched = new RefSet()
  touched.addAll(pending.refs)
  if (fresh.size > 0) {
    const spans = changedSpans(directories.before, directories.after)
    touched.addAll(await spannedEvents(client, spans))
    touched.addAll(await usedLater(client, read, spans))
    touched.addAll(await pooledEvents(client, changedPools(facts, fresh)))
    touched.addAll(await waitingFor(client, [...newAgentIds(directories.before, directories.after), ...spans.map((span) => span.oid)]))
  }
  const issued = new Set(pending.keys)
  for (const slice of slices(pending.refs)) for (const event of await read(slice)) if (event.issues) issued.add(event.issues)
  touched.addAll(await dependants(client, [...issued]))
  // Where another event issued the same credential, the session may now begin with that one.
  touched.addAll(await issuing(client, pending.keys))
  touched.addAll(await meteredWith(client, pending.keys))
  for (const key of pending.keys) touched.addAll(await mintsNear(client, [], key))
  for (const slice of slices(touched.all())) {
    const events = await read(slice)
    touched.addAll(
      await meteredWith(
        client,
        events.flatMap((event) => event.requestKey ?? []),
      ),
    )
    touched.addAll(await mintsNear(client, events.filter(isExchange)))
  }
  return touched
}

/**
 * What was done after these spans with credentials that were exchanged before their ends: of a session, whoever could act at some instant of it counts. What was done within
 * the spans is found by itself.
 */
async function usedLater(client: pg.ClientBase, read: FactReader, spans: readonly ChangedSpan[]): Promise<readonly EventRef[]> {
  const ended = spans.flatMap(({ to, ...span }) => (to === null ? [] : [{ ...span, to }]))
  if (ended.length === 0) return []
  const earliest = ended.reduce((least, { to }) => (to < least ? to : least), ended[0]!.to)
  const reachNs = await readReach(client)
  const found: EventRef[] = []
  for (const slice of slices(await exchangesBefore(client, ended, reachNs > PROXIMITY_NS ? reachNs : PROXIMITY_NS))) {
    const exchanges = await read(slice)
    const issued = await dependants(
      client,
      exchanges.flatMap((event) => event.issues ?? []),
    )
    found.push(...issued.filter(({ timeNs }) => timeNs >= earliest), ...(await mintsNear(client, exchanges.filter(isExchange))))
  }
  return [...found, ...(await anchoredAfter(client, ended))]
}

const isExchange = (event: LinkFacts): boolean => event.kind === 'token.exchanged' && event.nearKey !== null
