/**
 * A deterministic world of agents on three clouds: the same options give the same records, byte for byte, on every machine. Agents,
 * people and administrators are independent generators merged by time; only the next thing of each, and what is on its way to a log,
 * is held, so memory does not grow with the number of events.
 */
import { setUp } from './actors/admin.ts'
import { liveAgent } from './actors/agent.ts'
import { makeNoise } from './actors/noise.ts'
import type { Agent, World } from './cast.ts'
import { castWorld } from './cast-world.ts'
import type { Draft, Road } from './draft.ts'
import { Heap } from './heap.ts'
import { createPlacement } from './placement.ts'
import type { Random } from './random.ts'
import { createRandom } from './random.ts'
import type { Claim, Truth } from './truth.ts'
import { byProximity, judge } from './truth.ts'

export interface WorldOptions {
  readonly seed: number
  readonly agents: number
  /** Length of the world; changes of the directory are spread over it. Default 3. Without `events` the world ends there. */
  readonly days?: number
  /** Stop after this many things that happened; the world goes on past `days` until then. */
  readonly events?: number
  /** ms since 1970; default 2026-09-01. */
  readonly start?: number
  /** Turns an agent takes a day on average. Default 24. */
  readonly turnsPerDay?: number
  /** Scenes of people, pipelines and services a tenant and day. Default 40. */
  readonly noisePerDay?: number
  /** How long records take to reach their log: not at all, as the clouds usually do, or up to hours. Default `usual`. */
  readonly delays?: 'none' | 'usual' | 'wild'
  /** Share of records that come one to seven days late. Default 0. */
  readonly late?: number
  /** Share of records that come twice, the second time by another road where there is one. Default 0. */
  readonly duplicates?: number
  /** Only these roads are taken, where a record has one of them. Default: all. */
  readonly roads?: readonly Road[]
  /** Share of records, by source, that no log ever gets. Default none. */
  readonly missing?: Partial<Readonly<Record<Truth['source'], number>>>
  readonly rollMinutes?: number
  readonly rollRecords?: number
  /** Gzip every file. Default: only those that their cloud compresses. */
  readonly compressAll?: boolean
}

/** One delivery of one record. */
export interface SimulatedRecord {
  readonly road: Road
  /** Files of one lane follow each other. */
  readonly lane: string
  /** Path under `records/`. */
  readonly file: string
  /** The record as its cloud writes it, without the container's envelope. */
  readonly text: string
  /** ms since 1970. */
  readonly deliverAt: number
  /** False for a record that got lost: it stands in the truth and in no file. */
  readonly delivered: boolean
  /** 0 for the first delivery of the record, 1 for its duplicate. */
  readonly copy: number
  readonly truth: Truth
}

const MINUTE = 60_000
const DAY = 1440 * MINUTE
/** Least and most seconds from the event to the log, by road: as measured or documented where known, plausible else. */
const USUAL_DELAY: Readonly<Record<Road, readonly [number, number]>> = {
  eventhub: [120, 900],
  'log-analytics': [180, 900],
  graph: [180, 900],
  s3: [120, 600],
  lookup: [120, 900],
  eventbridge: [5, 60],
  invocation: [60, 360],
  gcs: [300, 7200],
  entries: [1, 3],
  pubsub: [1, 4],
  api: [0, 2],
}

/**
 * The records of a world in order of delivery. Throws RangeError for options that make no sense.
 */
export function* simulateWorld(options: WorldOptions): Generator<SimulatedRecord, void> {
  const world = createWorld(options)
  const { seed, agents: agentCount } = options
  const roads = createRandom(seed, 'roads')
  const place = createPlacement(
    {
      rollMs: (options.rollMinutes ?? 360) * MINUTE,
      rollRecords: options.rollRecords ?? 5_000,
      compressAll: options.compressAll ?? false,
    },
    createRandom(seed, 'files'),
  )
  const onTheWay = new Heap<{
    readonly at: number
    readonly order: number
    readonly road: Road
    readonly draft: Draft
    readonly truth: Truth
    readonly copy: number
    readonly delivered: boolean
  }>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order))
  let order = 0
  function* arrive(until: number): Generator<SimulatedRecord, void> {
    for (let next = onTheWay.peek(); next && next.at <= until; next = onTheWay.peek()) {
      onTheWay.pop()
      const { road, draft, truth, copy, delivered } = next
      const { lane, file } = delivered ? place(road, draft.place, next.at) : { lane: '', file: '' }
      yield {
        road,
        lane,
        file,
        text: draft.write(road),
        deliverAt: next.at,
        delivered,
        copy,
        truth,
      }
    }
  }

  const judgeDraft = createJudge()
  let happened = 0
  for (const draft of merge(actors(options, world, agentCount))) {
    if (options.events === undefined ? draft.at >= world.end : happened >= options.events) break
    happened++
    yield* arrive(draft.at)
    const truth = judgeDraft(draft)
    const open = options.roads === undefined ? draft.roads : openRoads(draft.roads, options.roads)
    const road = pickRoad(open, roads)
    const lost = roads.chance(options.missing?.[draft.source] ?? 0)
    onTheWay.push({
      at: draft.at + delayOf(road, options, roads),
      order: order++,
      road,
      draft,
      truth,
      copy: 0,
      delivered: !lost,
    })
    if (!lost && roads.chance(options.duplicates ?? 0)) {
      const others = open.filter((each) => each !== road)
      const second = others.length > 0 && roads.chance(0.7) ? roads.pick(others) : road
      onTheWay.push({
        at: draft.at + delayOf(second, options, roads),
        order: order++,
        road: second,
        draft,
        truth,
        copy: 1,
        delivered: true,
      })
    }
  }
  yield* arrive(Number.POSITIVE_INFINITY)
}

/** The cast of the world that these options describe. Throws RangeError for options that make no sense. */
export function createWorld(options: WorldOptions): World {
  const { seed, agents, days = 3, events, start = Date.UTC(2026, 8, 1), turnsPerDay = 24, noisePerDay = 40 } = options
  const demand = (holds: boolean, text: string) => {
    if (!holds) throw new RangeError(text)
  }
  demand(Number.isSafeInteger(seed), 'seed must be a whole number')
  demand(Number.isSafeInteger(agents) && agents >= 1 && agents <= 20_000, 'agents must be a whole number from 1 to 20000')
  demand(days > 0 && days <= 3650, 'days must be more than 0 and at most 3650')
  demand(events === undefined || (Number.isSafeInteger(events) && events >= 1), 'events must be a whole number of at least 1')
  demand(turnsPerDay > 0 && noisePerDay > 0, 'rates must be more than 0')
  demand((options.rollMinutes ?? 1) >= 1 && (options.rollRecords ?? 1) >= 1, 'files must cover at least a minute and a record')
  for (const share of [options.late, options.duplicates, ...Object.values(options.missing ?? {})])
    demand(share === undefined || (share >= 0 && share <= 1), 'shares must lie between 0 and 1')
  return castWorld(seed, agents, start, days)
}

function actors(options: WorldOptions, world: World, agentCount: number): Iterator<Draft>[] {
  const { seed, turnsPerDay = 24, noisePerDay = 40 } = options
  const agents: Agent[] = world.tenants.flatMap((tenant) => tenant.agents).slice(0, agentCount)
  return [
    ...world.tenants.map((tenant) => setUp(seed, tenant).values()),
    ...agents.map((agent, index) => liveAgent(seed, world, agent, turnsPerDay, index)),
    ...world.tenants.map((tenant) => makeNoise(seed, world, tenant, noisePerDay)),
  ]
}

/** All drafts in time order; of equal times, the actor that comes first in the list. */
function* merge(sources: readonly Iterator<Draft>[]): Generator<Draft, void> {
  const heap = new Heap<{ draft: Draft; readonly source: Iterator<Draft>; readonly index: number }>(
    (a, b) => a.draft.at < b.draft.at || (a.draft.at === b.draft.at && a.index < b.index),
  )
  for (const [index, source] of sources.entries()) {
    const first = source.next()
    if (!first.done) heap.push({ draft: first.value, source, index })
  }
  for (let entry = heap.pop(); entry; entry = heap.pop()) {
    yield entry.draft
    const next = entry.source.next()
    if (!next.done) heap.push({ ...entry, draft: next.value })
  }
}

/** Says the truth of drafts that come in time order; remembers only the latest exchanges. */
function createJudge(): (draft: Draft) => Truth {
  const near = new Map<string, { readonly at: number; readonly subject: string; readonly claim: Claim }[]>()
  const latestExchange = new Map<string, { readonly label: string; readonly at: number }>()
  return (draft) => {
    const { exchange, claim, tenant } = draft
    if (exchange) {
      latestExchange.set(exchange.subject, { label: `gcp:${draft.nativeId}`, at: draft.time.at })
      const fresh = (near.get(exchange.nearKey) ?? []).filter((each) => each.at >= draft.at - 2_000)
      near.set(exchange.nearKey, [...fresh, { at: draft.at, subject: exchange.subject, claim: exchange.claim }])
    }
    const neighbours = claim.by === 'near' ? (near.get(claim.key) ?? []).filter((each) => each.at >= draft.at - 2_000) : []
    const collision = new Set(neighbours.map((each) => each.subject)).size > 1
    const { at } = draft.time
    const latest = draft.session === null || typeof draft.session === 'string' ? null : (latestExchange.get(draft.session.latestExchangeOf) ?? null)
    const session = typeof draft.session === 'string' ? draft.session : (latest?.label ?? null)
    const since = draft.since ?? latest?.at ?? at
    const verdict =
      claim.by === 'near' ? byProximity(neighbours.map((each) => judge(each.claim, tenant, at, collision ? each.at : since))) : judge(claim, tenant, at, since)
    return {
      nativeId: draft.nativeId,
      source: draft.source,
      kinds: draft.kinds,
      outcome: draft.outcome,
      time: draft.time.nine,
      tenantId: tenant.id,
      ...verdict,
      onBehalfOf: draft.onBehalfOf,
      targets: [...draft.targets].sort(),
      actualAgentOid: draft.actor?.oid ?? null,
      session: collision ? null : session,
      exactParent: draft.exactParent,
      skip: collision ? [...draft.skip, 'subject', 'session'] : draft.skip,
    }
  }
}

/** Those of a record's roads that are allowed; all of them where none is. */
function openRoads(roads: readonly Road[], allowed: readonly Road[]): readonly Road[] {
  const open = roads.filter((road) => allowed.includes(road))
  return open.length === 0 ? roads : open
}

function pickRoad(roads: readonly Road[], random: Random): Road {
  const [first] = roads
  return first !== undefined && (roads.length === 1 || random.chance(0.6)) ? first : random.pick(roads)
}

function delayOf(road: Road, options: WorldOptions, random: Random): number {
  const mode = options.delays ?? 'usual'
  const late = random.chance(options.late ?? 0) ? random.int(DAY, 7 * DAY) : 0
  if (mode === 'none') return late
  const [least, most] = USUAL_DELAY[road]
  const usual = random.int(least * 1000, most * 1000)
  return late + (mode === 'wild' && random.chance(0.3) ? usual * random.int(2, 30) : usual)
}
