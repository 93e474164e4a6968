/**
 * What each LLM event adds to the usage report. Pure. A *call* is an invocation and its usage log together (the events with one request key); an event
 * without a request key is a call by itself. Calls, failures and tokens are each counted exactly once:
 *
 * - every invocation is one call, but for those that only repeat or continue another record's request (`secondary`): together they are one call where
 *   nothing else tells of it, and none where something does;
 * - a usage log whose invocation was never seen is one call, too (its log may be the only source);
 * - the tokens of a request are those of its usage log, of several logs the one with the smallest id. They stand beside the first invocation, under
 *   what is concluded about that one. Where several invocations with one request key are concluded about differently, the tokens stand by
 *   themselves under what is concluded about the usage log: giving them to one of the callers would be a guess.
 */
import type { Confidence, Kind, Outcome, Source } from '#core/event.ts'
import type { EventId } from '#core/keys.ts'
import { eventId } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { isThrottle } from './throttle.ts'

/** An LLM event with what is concluded about it, as far as usage rests on it. */
export interface UsageEvent {
  readonly id: EventId
  readonly timeNs: bigint
  readonly kind: Extract<Kind, 'llm.invoked' | 'llm.metered'>
  readonly outcome: Outcome
  readonly errorCode: string | null
  readonly source: Source
  readonly requestKey: string | null
  /** `TrailEvent.secondary`; null stands for false. */
  readonly secondary: boolean | null
  readonly account: string | null
  readonly region: string | null
  /** Where a record says that the call was handed on to. */
  readonly ranRegion: string | null
  readonly model: string | null
  readonly modelId: string | null
  /** Of one record: below 2^53. Null where the record does not say. */
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly cacheReadTokens: number | null
  readonly cacheWriteTokens: number | null
  readonly tenantId: string | null
  readonly agentOid: string | null
  readonly confidence: Confidence
  readonly candidates: readonly string[]
}

type Share = 'agent' | 'ambiguous' | 'unattributed'
/** `metered`: the cloud's own usage log; `asserted`: a log that ties tokens to callers by what they wrote; `none`: no log says. */
type TokenBasis = 'metered' | 'asserted' | 'none'

/** What a row of the report is about (DESIGN §5.2). */
export interface UsageRowKey {
  /** UTC day of the call. */
  readonly day: string
  readonly tenantId: string | null
  readonly share: Share
  readonly agentOid: string | null
  readonly confidence: Confidence
  readonly candidates: readonly string[]
  readonly cloud: Source
  readonly account: string | null
  readonly region: string | null
  readonly ranRegion: string | null
  readonly model: string | null
  readonly modelId: string | null
  readonly tokenBasis: TokenBasis
}

export interface UsageCounts {
  readonly calls: number
  readonly errors: number
  /** Of the errors. */
  readonly throttles: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
}

/** What one event adds to which row. */
export interface Contribution {
  readonly eventId: EventId
  readonly row: UsageRowKey
  readonly counts: UsageCounts
}

/** Id of a row: a function of what it is about. */
export function usageRowId(row: UsageRowKey): EventId {
  const texts = [
    row.day,
    row.tenantId,
    row.share,
    row.agentOid,
    row.confidence,
    row.candidates.join(','),
    row.cloud,
    row.account,
    row.region,
    row.ranRegion,
    row.model,
    row.modelId,
    row.tokenBasis,
  ]
  return eventId('usage', ...texts.map((text) => text ?? ''))
}

/** What these events add up to. All events of each request key must be among them; the order does not matter. */
export function contributionsOf(events: readonly UsageEvent[]): Contribution[] {
  const calls = Map.groupBy(events, (event) => event.requestKey ?? event.id)
  return [...calls.values()].flatMap(contributionsOfCall)
}

function contributionsOfCall(events: readonly UsageEvent[]): Contribution[] {
  const seen = events
    .filter((event) => event.kind === 'llm.invoked')
    .toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1))
  const whole = seen.filter((event) => event.secondary !== true)
  const invocations = whole.length > 0 ? whole : seen.slice(0, 1)
  const more = whole.length > 0 ? seen.filter((event) => event.secondary === true) : seen.slice(1)
  const [log] = events.filter((event) => event.kind === 'llm.metered').toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const [first] = invocations
  if (!first) return log ? [contribution(log, log, 1, [])] : []
  const apart = log !== undefined && new Set(invocations.map(whose)).size > 1
  return [
    contribution(first, apart ? undefined : log, 1, more),
    ...invocations.slice(1).map((invocation) => contribution(invocation, undefined, 1, [])),
    ...(apart ? [contribution(log, log, 0, [])] : []),
  ]
}

const whose = ({ tenantId, agentOid, confidence, candidates }: UsageEvent): string => [tenantId, agentOid, confidence, ...candidates].join()

/**
 * `calls` of them, failed when any of its records says so, with the tokens of the log. What the event does not say, its model and where it ran, the log or
 * `more`, the other records of the request, may.
 */
function contribution(event: UsageEvent, log: UsageEvent | undefined, calls: number, more: readonly UsageEvent[]): Contribution {
  const basis = basisOf(log)
  const records = log && log !== event ? [event, log, ...more] : [event, ...more]
  const model = records.find((record) => record.modelId !== null) ?? event
  const failed = records.filter((record) => record.outcome === 'failure')
  return {
    eventId: event.id,
    row: {
      day: formatTime(event.timeNs).slice(0, 10),
      tenantId: event.tenantId,
      ...shareOf(event),
      cloud: event.source,
      account: event.account,
      region: event.region,
      ranRegion: records.find((record) => record.ranRegion !== null)?.ranRegion ?? null,
      model: model.model,
      modelId: model.modelId,
      tokenBasis: basis,
    },
    counts: {
      calls,
      errors: failed.length > 0 ? calls : 0,
      throttles: failed.some((record) => isThrottle(record.source, record.errorCode)) ? calls : 0,
      inputTokens: log?.inputTokens ?? 0,
      outputTokens: log?.outputTokens ?? 0,
      cacheReadTokens: log?.cacheReadTokens ?? 0,
      cacheWriteTokens: log?.cacheWriteTokens ?? 0,
    },
  }
}

/** What the caller wrote down itself proves nothing: an `asserted` agent is shown in the timeline, never charged. */
function shareOf({ agentOid, confidence, candidates }: UsageEvent): Pick<UsageRowKey, 'share' | 'agentOid' | 'confidence' | 'candidates'> {
  switch (confidence) {
    case 'exact':
    case 'derived':
    case 'probable':
      return { share: 'agent', agentOid, confidence, candidates: [] }
    case 'ambiguous':
      return { share: 'ambiguous', agentOid: null, confidence, candidates }
    case 'asserted':
    case 'none':
      return { share: 'unattributed', agentOid: null, confidence, candidates: [] }
  }
}

/** Google's usage logs name no caller, only labels that callers choose (facts: Vertex request-metadata logs); AWS's carry the request's id. */
function basisOf(log: UsageEvent | undefined): TokenBasis {
  if (!log || [log.inputTokens, log.outputTokens, log.cacheReadTokens, log.cacheWriteTokens].every((count) => count === null)) return 'none'
  return log.source === 'aws' ? 'metered' : 'asserted'
}
