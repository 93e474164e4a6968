/** Concludes about stored events: attribution, session and parent of each, from the facts as they are now. */
import type pg from 'pg'
import type { Attribution } from '#core/event.ts'
import { type EventId, NO_TENANT } from '#core/keys.ts'
import { type Known, type LinkFacts, attribute } from './attribute.ts'
import { turnsBetween } from './moments.ts'
import type { Directory } from './directory/directory.ts'
import type { Landmark } from './link/landmarks.ts'
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
    const { attribution } = attribute(event, known)
    const old = stored.get(event.id)
    const kept = old ? keptOf(event, old, attribution) : unplaced(attribution)
    return { event, conclusions: old ? [old, attribution] : [attribution], stands: kept, change: changeOf(event, old, kept, directories) }
  })
  await writeChanges(
    client,
    results.flatMap(({ change }) => change ?? []),
    round,
  )
  return results
}

/** A mint's candidates follow from its session, which is known once all exchanges have their subjects: until then they stay as they were. */
function keptOf(event: LinkFacts, old: Concluded, attribution: Attribution): Concluded {
  if (isMint(event) && old.subjectOid === attribution.subjectOid && old.tenantId === attribution.tenantId) return old
  return { ...attribution, sessionId: old.sessionId, parentId: old.parentId, link: old.link }
}

const isMint = ({ source, kind }: LinkFacts): boolean => source === 'gcp' && kind === 'credential.minted'

/** Concludes about these events and writes what changed. `landmarks` are the conclusions that `concludeLandmarks` left, by event. */
export async function concludeEvents(
  client: pg.ClientBase,
  read: FactReader,
  refs: readonly EventRef[],
  directories: Directories,
  landmarks: ReadonlyMap<EventId, Concluded>,
  round: bigint,
): Promise<{ changes: Change[]; unanchored: Unanchored[]; reachNs: bigint }> {
  const events = await read(refs)
  const known = await lookUp(client, events, directories.after)
  let reachNs = 0n
  const attributed = events.map((event) => {
    const stands = landmarks.get(event.id)
    if (stands) return { event, attribution: stands }
    const found = attribute(event, known)
    if (found.reachNs > reachNs) reachNs = found.reachNs
    return { event, attribution: found.attribution }
  })
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
  for (const { event, attribution: first } of attributed) {
    const old = landmarks.get(event.id) ?? stored.get(event.id)
    const anchor = inGcpSession(event) && event.kind !== 'token.exchanged' ? anchorOf(event, first, behind) : null
    const attribution = anchor !== null || isMint(event) ? inSession(event, first, anchor, known) : first
    const session = awsSession(event) ?? gcpSessionOf(event, attribution, anchor)
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
  return { changes, unanchored, reachNs }
}

/** What is concluded about a mint or call of Google Cloud, now that its session is known: whoever could have acted since the exchange counts. */
function inSession(event: LinkFacts, first: Attribution, anchor: Landmark | null, known: Known): Attribution {
  const { tenantId, subjectOid: oid } = first
  const same = !isMint(event) && event.proof.by !== 'proximity'
  if (same && (!anchor || !tenantId || !oid || !turnsBetween(known.directory, { tenantId, oid }, anchor.timeNs, event.timeNs))) return first
  return attribute(event, known, anchor?.timeNs).attribution
}

function gcpSessionOf(event: LinkFacts, attribution: Attribution, anchor: Landmark | null): Session | null {
  if (anchor) return gcpSession(anchor)
  return inGcpSession(event) && attribution.subjectOid && event.kind === 'token.exchanged' ? gcpSession(event) : null
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
