/** Concludes about stored events: attribution, session and parent of each, from the facts as they are now. */
import type pg from 'pg'
import type { Attribution } from '#core/event.ts'
import { type EventId, NO_TENANT } from '#core/keys.ts'
import { type LinkFacts, attribute } from './attribute.ts'
import type { Directory } from './directory/directory.ts'
import type { Landmarks } from './link/landmarks.ts'
import { anchorOf, parentOf, windowsOf } from './link/parents.ts'
import { type Session, awsSessions, gcpSession, inGcpSession } from './link/sessions.ts'
import { type Change, type Concluded, changeOf, storedConclusions, writeChanges, writeSessions } from './store/conclusions.ts'
import { isLandmark, issuancesOf, landmarksIn } from './store/landmarks.ts'
import { type EventRef, type FactReader, exchangesNear, invocationsOf, issuersOf } from './store/lookups.ts'
import type { Unanchored } from './store/unanchored.ts'

/** The directory that the stored conclusions rest on, and the one of now. */
export interface Directories {
  readonly before: Directory
  readonly after: Directory
}

/** What attributions rest on beside the directory. */
async function lookUp(client: pg.ClientBase, events: readonly LinkFacts[], directory: Directory) {
  const invocations = await invocationsOf(client, events)
  // An invocation that a usage log leads to, and an exchange that a mint leads to, bring chains of their own.
  const behind = events.flatMap((event) => (event.proof.by === 'request' && event.requestKey ? invocations(event.requestKey) : []))
  return {
    directory,
    invocationsOf: invocations,
    issuersOf: await issuersOf(client, [...events, ...behind]),
    exchangesNear: await exchangesNear(client, events),
  }
}

const unplaced = (attribution: Attribution): Concluded => ({ ...attribution, sessionId: null, parentId: null, link: null })

/**
 * Concludes who the landmarks among these events belong to, before anything asks for them by the clock. Their sessions and parents
 * follow in `concludeEvents`. Returns each with its old and its new conclusion, and with what now stands stored.
 */
export async function concludeLandmarks(
  client: pg.ClientBase,
  read: FactReader,
  refs: readonly EventRef[],
  directories: Directories,
  round: bigint,
): Promise<{ event: LinkFacts; conclusions: Attribution[]; stands: Concluded; change: Change | null }[]> {
  const events = (await read(refs)).filter(isLandmark)
  if (events.length === 0) return []
  const known = await lookUp(client, events, directories.after)
  const stored = await storedConclusions(
    client,
    events.map((event) => ({ timeNs: event.timeNs, id: event.id })),
  )
  const results = events.map((event) => {
    const attribution = attribute(event, known)
    const old = stored.get(event.id)
    const kept = old ? { ...attribution, sessionId: old.sessionId, parentId: old.parentId, link: old.link } : unplaced(attribution)
    return { event, conclusions: old ? [old, attribution] : [attribution], stands: kept, change: changeOf(event, old, kept, directories) }
  })
  await writeChanges(
    client,
    results.flatMap(({ change }) => change ?? []),
    round,
  )
  return results
}

/** Concludes about these events and writes what changed. `landmarks` are the conclusions that `concludeLandmarks` left, by event. */
export async function concludeEvents(
  client: pg.ClientBase,
  read: FactReader,
  refs: readonly EventRef[],
  directories: Directories,
  landmarks: ReadonlyMap<EventId, Concluded>,
  round: bigint,
): Promise<{ changes: Change[]; unanchored: Unanchored[] }> {
  const events = await read(refs)
  const known = await lookUp(client, events, directories.after)
  const attributed = events.map((event) => ({ event, attribution: landmarks.get(event.id) ?? attribute(event, known) }))
  const behind = await landmarksIn(
    client,
    attributed.flatMap(({ event, attribution }) => windowsOf(event, attribution, directories.after)),
  )
  const ancestry = { ...known, landmarks: behind, issuancesOf: await issuancesOf(client, events) }
  const awsSession = awsSessions(known.issuersOf)
  const stored = await storedConclusions(
    client,
    refs.filter((ref) => !landmarks.has(ref.id)),
  )
  const sessions: Session[] = []
  const unanchored: Unanchored[] = []
  const changes: Change[] = []
  for (const { event, attribution } of attributed) {
    const old = landmarks.get(event.id) ?? stored.get(event.id)
    const session = awsSession(event) ?? gcpSessionOf(event, attribution, behind)
    if (session) sessions.push(session)
    if (event.source === 'gcp' && event.kind !== 'token.exchanged') {
      // A group is cut anew where the event stands without an exchange, and where it left a session that may have been such a group.
      const left = old?.sessionId && old.sessionId !== session?.id ? old : null
      for (const one of [left, session ? null : attribution]) {
        if (one?.subjectOid) unanchored.push({ tenantId: one.tenantId ?? NO_TENANT, oid: one.subjectOid, timeNs: event.timeNs })
      }
    }
    const parent = parentOf(event, attribution, ancestry)
    const concluded = { ...attribution, sessionId: session?.id ?? null, parentId: parent?.id ?? null, link: parent?.link ?? null }
    // What stands stored of a landmark was written a moment ago, in the directory of now.
    const change = changeOf(event, old, concluded, isLandmark(event) ? { before: directories.after, after: directories.after } : directories)
    if (change) changes.push(change)
  }
  await writeSessions(client, sessions)
  await writeChanges(client, changes, round)
  return { changes, unanchored }
}

function gcpSessionOf(event: LinkFacts, attribution: Attribution, landmarks: Landmarks): Session | null {
  if (!inGcpSession(event) || !attribution.subjectOid) return null
  if (event.kind === 'token.exchanged') return gcpSession(event)
  const anchor = anchorOf(event, attribution, landmarks)
  return anchor ? gcpSession(anchor) : null
}

/** Gives these events the sessions that grouping has found for them. */
export async function placeInSessions(
  client: pg.ClientBase,
  read: FactReader,
  places: readonly (EventRef & { session: Session })[],
  directory: Directory,
  round: bigint,
): Promise<Change[]> {
  const events = await read(places)
  const stored = await storedConclusions(client, places)
  const sessionIds = new Map(places.map((place) => [place.id, place.session.id]))
  const changes = events.flatMap((event) => {
    const old = stored.get(event.id)
    return old ? (changeOf(event, old, { ...old, sessionId: sessionIds.get(event.id)! }, { before: directory, after: directory }) ?? []) : []
  })
  await writeChanges(client, changes, round)
  return changes
}
