/**
 * Draws conclusions from stored facts (correlate/SPEC.md). One transaction under one lock: read what is pending, find every event that it
 * touches, conclude about each from the facts as they are now, write, and take the pending entries away. What is committed later finds
 * the earlier facts; what was committed earlier is found through `uses`, `request_key`, `near_key`, `waiting` or the timeline.
 */
import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
import { concludeEvents, concludeLandmarks, placeInSessions } from './conclude.ts'
import { buildDirectory } from './directory/directory.ts'
import { type Change, type Concluded, netChanges } from './store/conclusions.ts'
import { loadDirectoryFacts, markDerived } from './store/directory-facts.ts'
import { followersOf } from './store/landmarks.ts'
import { nextRound, noteLive } from './store/live.ts'
import { DERIVE_LOCK } from './store/locks.ts'
import { createFactReader } from './store/lookups.ts'
import { noteReach } from './store/reach.ts'
import { noteDays } from './store/touched-days.ts'
import { takePending } from './store/pending.ts'
import { moveTraces, movesOf } from './store/traces.ts'
import { type Unanchored, regroupUnanchored } from './store/unanchored.ts'
import { slices, touchedEvents } from './touched.ts'
import { updateUsage } from './usage/update.ts'

/** Pending events concluded about in one transaction, about; what they touch beyond themselves comes on top. */
export const EVENTS_A_ROUND = 40_000

/** Concludes about a part of what is pending: about so many events, out of so many batches (`store/pending.ts`). Resolves to false when nothing was pending. Rejects, changing nothing, when the database fails. */
export async function deriveOnce(pool: pg.Pool, eventsARound = EVENTS_A_ROUND, batchesARound?: number): Promise<boolean> {
  const { rows } = await pool.query('select 1 where exists (select from pending) or exists (select from directory_facts where not derived)')
  if (rows.length === 0) return false
  const client = await pool.connect()
  try {
    await client.query('begin')
    // Every look-up below is an index probe per key; without statistics the planner may prefer to read whole tables.
    await client.query('set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off; set local jit = off')
    await client.query('select pg_advisory_xact_lock($1)', [DERIVE_LOCK])
    await deriveRound(client, eventsARound, batchesARound)
    await client.query('commit')
    return true
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

async function deriveRound(client: pg.PoolClient, eventsARound: number, batchesARound?: number): Promise<void> {
  const round = await nextRound(client)
  const pending = await takePending(client, eventsARound, batchesARound)
  const { facts, fresh, freshIds } = await loadDirectoryFacts(client)
  const after = buildDirectory(facts)
  const directories = { before: fresh.size === 0 ? after : buildDirectory(facts.filter((fact) => !fresh.has(fact))), after }

  const read = createFactReader(client)
  const touched = await touchedEvents(client, read, pending, directories, facts, fresh)
  const changes: Change[] = []
  const landmarks = new Map<EventId, Concluded>()
  for (const slice of slices(touched.all())) {
    const found = await concludeLandmarks(client, read, slice, directories, round)
    for (const { event, stands } of found) landmarks.set(event.id, stands)
    changes.push(...found.flatMap(({ change }) => change ?? []))
    touched.addAll(await followersOf(client, found, after))
  }
  const unanchored: Unanchored[] = []
  let reachNs = 0n
  for (const slice of slices(touched.all())) {
    const result = await concludeEvents(client, read, slice, directories, landmarks, round)
    changes.push(...result.changes)
    unanchored.push(...result.unanchored)
    if (result.reachNs > reachNs) reachNs = result.reachNs
  }
  for (const slice of slices(await regroupUnanchored(client, unanchored))) changes.push(...(await placeInSessions(client, read, slice, after, round)))
  const net = netChanges(changes)
  await moveTraces(client, net.flatMap(movesOf))
  await updateUsage(client, net, pending)

  await noteReach(client, reachNs)
  await markDerived(client, freshIds)
  await noteDays(client, round, [...pending.refs.map((ref) => ref.timeNs), ...net.map(({ event }) => event.timeNs)])
  await noteLive(
    client,
    round,
    net.map(({ event, before, after: now }) => ({ event, before: before?.entries ?? [], after: now.entries })),
  )
}
