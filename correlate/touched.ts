/** Which events pending facts touch: those that must be concluded about again, and no others. */
import type pg from 'pg'
import type { LinkFacts } from './attribute.ts'
import type { Directories } from './conclude.ts'
import { changedPools, changedSpans, newAgentIds } from './directory/changes.ts'
import type { StoredFact } from './directory/fact.ts'
import { type EventRef, type FactReader, RefSet, dependants, meteredWith, mintsNear, pooledEvents, spannedEvents, waitingFor } from './store/lookups.ts'

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
    touched.addAll(await pooledEvents(client, changedPools(facts, fresh)))
    touched.addAll(await waitingFor(client, [...newAgentIds(directories.before, directories.after), ...spans.map((span) => span.oid)]))
  }
  const issued = new Set(pending.keys)
  for (const slice of slices(pending.refs)) for (const event of await read(slice)) if (event.issues) issued.add(event.issues)
  touched.addAll(await dependants(client, [...issued]))
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

const isExchange = (event: LinkFacts): boolean => event.kind === 'token.exchanged' && event.nearKey !== null
