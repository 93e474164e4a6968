/** Takes an event out, with everything that was concluded from it, before a better text of it takes its place. */
import type pg from 'pg'
import type { LinkFacts } from '../attribute.ts'
import { type Directory, buildDirectory } from '../directory/directory.ts'
import { inGcpSession } from '../link/sessions.ts'
import { type Concluded, removeConclusions, storedConclusions } from './conclusions.ts'
import { loadDirectoryFacts } from './directory-facts.ts'
import { followersOf, isLandmark } from './landmarks.ts'
import { nextRound, noteLive } from './live.ts'
import { DERIVE_LOCK } from './locks.ts'
import { type EventRef, createFactReader } from './lookups.ts'
import { timelineEntries } from './timeline.ts'
import { noteDays } from './touched-days.ts'
import { moveTraces, movesOf } from './traces.ts'
import { unanchoredNear } from './unanchored.ts'

/** What must be looked at again after a removal. */
export interface Aftermath {
  readonly refs: readonly EventRef[]
  /** Credentials, request keys and near keys that the event had named. */
  readonly keys: readonly string[]
}

/**
 * Removes these events' rows, conclusions and places in traces and timelines. Holds the deriver's lock until the transaction ends: what is stored then rests on
 * exactly the facts that go, and the deriver cannot conclude from them in between.
 */
export async function takeOut(client: pg.ClientBase, refs: readonly EventRef[]): Promise<Aftermath> {
  await client.query('select pg_advisory_xact_lock($1)', [DERIVE_LOCK])
  const { facts, fresh } = await loadDirectoryFacts(client)
  const directory = buildDirectory(facts.filter((fact) => !fresh.has(fact)))
  const events = await createFactReader(client)(refs)
  const stored = await storedConclusions(client, refs)
  await client.query('delete from events e using unnest($1::bigint[], $2::uuid[]) r(t, i) where e.time_ns = r.t and e.event_id = r.i', [
    refs.map((ref) => ref.timeNs),
    refs.map((ref) => ref.id),
  ])
  const concluded = events.flatMap((event) => {
    const old = stored.get(event.id)
    return old ? [{ event, old, entries: timelineEntries(event, old, directory) }] : []
  })
  await removeConclusions(client, concluded)
  // They come back with the next round, perhaps in other timelines.
  const round = await nextRound(client)
  await noteDays(
    client,
    round,
    refs.map((ref) => ref.timeNs),
  )
  await noteLive(
    client,
    round,
    concluded.map(({ event, entries }) => ({ event, before: entries, after: [] })),
  )
  await moveTraces(
    client,
    concluded.flatMap(({ event, old, entries }) => movesOf({ event, before: { concluded: old, entries }, after: null })),
  )
  return {
    refs: await touchedBy(client, concluded, directory),
    keys: events.flatMap((event) => [event.issues, event.requestKey, event.nearKey].filter((key) => key !== null)),
  }
}

async function touchedBy(
  client: pg.ClientBase,
  concluded: readonly { event: LinkFacts; old: Concluded }[],
  directory: Directory,
): Promise<readonly EventRef[]> {
  const landmarks = concluded.filter(({ event }) => isLandmark(event)).map(({ event, old }) => ({ event, conclusions: [old] }))
  const grouped = concluded.filter(({ event, old }) => inGcpSession(event) && old.subjectOid !== null)
  return [
    ...(await followersOf(client, landmarks, directory)),
    ...(await unanchoredNear(
      client,
      grouped.map(({ event, old }) => ({ tenantId: old.tenantId, oid: old.subjectOid!, timeNs: event.timeNs })),
    )),
  ]
}
