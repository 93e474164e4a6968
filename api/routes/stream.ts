import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Bell } from '../live/bell.ts'
import { canGoOnFrom, changesAfter, currentPosition } from '../live/changes.ts'
import type { Change } from '../live/changes.ts'
import { decodePosition, encodePosition } from '../live/position.ts'
import type { Position } from '../live/position.ts'
import { openEventStream } from '../live/stream.ts'
import type { EventStream } from '../live/stream.ts'
import { createPlaces } from '../places.ts'
import { ProblemError } from '../problem.ts'
import { guid, TimelineFilters } from '../query.ts'
import { explainUnknown } from '../read-models/oid-info.ts'
import { defineRoute } from './route.ts'
import type { RouteContext } from './route.ts'

/** Proxies cut what is silent for a minute; half of that would do. Also how often the caller's token is looked at again. */
const HEARTBEAT_MS = 15_000
/** Without a bell (a program that only reads) the store is asked that often. */
const POLL_MS = 2000
const MOST = 400
const MOST_OF_ONE_CALLER = 40

const places = createPlaces({ all: MOST, perCaller: MOST_OF_ONE_CALLER })

export const stream = defineRoute({
  path: '/v1/oids/{oid}/stream',
  summary: 'The timeline, live: items as they are concluded, and again when they are concluded differently (server-sent events; docs/live.md).',
  params: z.object({ oid: guid }),
  query: TimelineFilters,
  answer: {
    description:
      'Events `ready`, `item` (a TimelineItem), `gone` ({id, tenantId}: stands in this timeline no more), `reset` (load the timeline anew), `end` ({reason}); a comment every 15 s. The header Last-Event-ID goes on after the message with that id.',
    alsoAs: ['text/event-stream'],
  },
  // An export in all but name, and one that may last for days: on record from its beginning.
  handsOut: () => true,
  problems: [404, 429, 503],
  handle: async ({ params: { oid }, query, request, response }, context) => {
    const { store, caller } = context
    const given = request.headers['last-event-id']
    const unknown = await explainUnknown(store, oid, query.tenant)
    if (unknown !== null) throw new ProblemError(404, unknown)
    const leave = enter(caller?.id ?? '')
    try {
      if (request.method === 'HEAD') return void response.type('text/event-stream').end()
      const { bell } = context.services
      // Before anything is read: what comes meanwhile rings again.
      const seen = bell?.rings() ?? 0
      const current = await currentPosition(store)
      const asked = typeof given === 'string' ? decodePosition(given) : null
      const good = asked !== null && (await canGoOnFrom(store, asked))
      const begin = good ? asked : current
      const events = openEventStream(response)
      await events.send({ event: 'ready', id: encodePosition(begin), data: { position: encodePosition(begin) } })
      if (given !== undefined && !good)
        await events.send({
          event: 'reset',
          id: encodePosition(begin),
          data: { reason: 'the changes since that position are not known here (it is too old, or of another store): load the timeline anew' },
        })
      await follow(events, { context, watched: { oid, filters: query }, begin, seen, bell })
    } finally {
      leave()
    }
  },
})

interface Following {
  readonly context: RouteContext
  readonly watched: Parameters<typeof changesAfter>[1]
  readonly begin: Position
  readonly seen: number
  readonly bell: Bell | undefined
}

/** Tells what changed, again and again, until the client goes, may no longer, or stands still, or the store is no longer the one that the position is of. */
async function follow(events: EventStream, { context, watched, begin, seen: before, bell }: Following): Promise<void> {
  let position = begin
  let seen = before
  let beat = Date.now() + HEARTBEAT_MS
  while (!events.signal.aborted) {
    for await (const changes of changesAfter(context.store, watched, position)) {
      for (const change of changes) {
        await tell(events, change)
        if (events.signal.aborted) return
        context.gave(1)
        position = change.position
      }
      if (bell?.closing.aborted) return events.end('shutdown')
      // A long backlog is no way round the look at the token.
      if (Date.now() >= beat) {
        beat = Date.now() + HEARTBEAT_MS
        if (!(await context.stillAllowed())) return events.end('access')
      }
    }
    if (bell?.closing.aborted) return events.end('shutdown')
    if (Date.now() >= beat) {
      beat = Date.now() + HEARTBEAT_MS
      if (!(await context.stillAllowed())) return events.end('access')
      // All up to this round is told once the next look finds nothing: a client that comes back much later need not begin so far behind.
      const next = await settled(context, watched, position)
      // Asked last: in a store that was restored before this, what was found is not all that there is to tell.
      if (!(await canGoOnFrom(context.store, position))) return events.end('stale')
      position = next
      await events.send({ comment: 'still here', id: encodePosition(position) })
    }
    const wait = Math.max(0, Math.min(beat - Date.now(), bell ? HEARTBEAT_MS : POLL_MS))
    if (bell) await bell.rung(seen, wait, events.signal)
    else await sleep(wait, undefined, { signal: events.signal }).catch(() => undefined)
    seen = bell?.rings() ?? 0
  }
}

/** The end of the present round, if nothing of it or before it is left to tell; else the position as it was. */
async function settled({ store }: RouteContext, watched: Following['watched'], position: Position): Promise<Position> {
  const current = await currentPosition(store)
  const left = await changesAfter(store, watched, position).next()
  return left.done && current.round > position.round ? current : position
}

async function tell(events: EventStream, change: Change): Promise<void> {
  const id = encodePosition(change.position)
  await events.send('item' in change ? { event: 'item', id, data: change.item } : { event: 'gone', id, data: change.gone })
}

/** Counts the stream; the returned function counts it out. */
function enter(caller: string): () => void {
  const place = places.enter(caller)
  if ('leave' in place) return place.leave
  if (place.full === 'caller') throw new ProblemError(429, `One caller may watch ${MOST_OF_ONE_CALLER} timelines at once on one server.`)
  throw new ProblemError(503, 'So many timelines are watched at this moment that there is no room for another.')
}
