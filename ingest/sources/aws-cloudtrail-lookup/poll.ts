import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import type { CloudTrailClient, Event } from '@aws-sdk/client-cloudtrail'
import { z } from 'zod'
import type { Json } from '#core/record.ts'
import { SourceError } from '../../engine/source-error.ts'
import type { Gap, Page, SourceContext } from '../../engine/source.ts'
import type { Pacer } from '../aws/pacer.ts'

/** One account and region. */
export interface LookupPart {
  readonly account: string
  readonly region: string
  readonly client: Pick<CloudTrailClient, 'send'>
  /** How far back the first poll reaches, in milliseconds. */
  readonly startMs: number
  readonly pacer: Pacer
  readonly context: Pick<SourceContext, 'now' | 'log'>
}

export const HISTORY_DAYS = 90
const MINUTE = 60_000
const HISTORY_MS = HISTORY_DAYS * 24 * 60 * MINUTE
/**
 * Events reach the history up to 15 minutes after they happened, seldom later. Asking again for the last half hour costs repeats, which the event id absorbs;
 * a shorter overlap loses events, which nothing repairs.
 */
const OVERLAP_MS = 30 * MINUTE
/**
 * The history is read in windows from old to new, because a window's pages come newest first: the cursor can move only at a window's end, and what is cut off
 * in the middle is read again. Busy accounts get narrow windows, quiet ones wide ones.
 */
const FIRST_WINDOW_MS = 60 * MINUTE
const MIN_WINDOW_MS = MINUTE
const MAX_WINDOW_MS = 24 * 60 * MINUTE
const FEW_PAGES = 4
const MANY_PAGES = 40
const PAGE_EVENTS = 50

/** Everything before this instant (ISO) has been asked for. */
const Cursor = z.object({ through: z.iso.datetime() })

/** Yields a page for each answer. The cursor moves with the last page of a window. */
export async function* pollLookup(part: LookupPart, stored: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void> {
  const { context, account, region } = part
  // Whole seconds: the wire counts in them, and both ends of a window belong to it.
  const begin = Math.floor(context.now() / 1000) * 1000
  const through = stored === null ? begin - part.startMs : Date.parse(Cursor.parse(stored).through)
  let from = Math.floor((stored === null ? through : through - OVERLAP_MS) / 1000) * 1000
  const gaps: Gap[] = []
  const oldest = begin - HISTORY_MS
  if (from < oldest) {
    if (through < oldest) {
      gaps.push({
        from: nanos(through),
        until: nanos(oldest),
        reason: `not collected in time: CloudTrail's event history in ${account}/${region} keeps ${HISTORY_DAYS} days`,
      })
    }
    from = oldest
  }
  let width = FIRST_WINDOW_MS
  let moved = through
  while (from < begin) {
    const end = Math.min(from + width, begin)
    let pages = 0
    for await (const { events, last } of pagesOf(part, from, end, signal)) {
      pages++
      if (last) moved = Math.max(moved, end)
      yield {
        pieces: events.length === 0 ? [] : [{ where: `aws:cloudtrail-lookup/${account}/${region}`, text: textOf(events) }],
        cursor: { through: new Date(moved).toISOString() },
        watermark: last ? nanos(Math.min(moved, begin - OVERLAP_MS)) : null,
        gaps,
      }
    }
    if (pages > MANY_PAGES) width = Math.max(MIN_WINDOW_MS, width / 2)
    else if (pages <= FEW_PAGES) width = Math.min(MAX_WINDOW_MS, width * 2)
    from = end
  }
}

/** The answers for one window; the service wants the token back with the very same parameters. */
async function* pagesOf(
  { client, pacer, account, region }: LookupPart,
  from: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<{ readonly events: readonly Event[]; readonly last: boolean }, void, void> {
  const window = { StartTime: new Date(from), EndTime: new Date(end), MaxResults: PAGE_EVENTS }
  const seen = new Set<string>()
  let token: string | undefined
  do {
    await pacer(signal)
    const answer = await client.send(new LookupEventsCommand({ ...window, ...(token === undefined ? {} : { NextToken: token }) }), { abortSignal: signal })
    token = answer.NextToken
    // A token that comes again would be followed for ever.
    if (token !== undefined && seen.has(token)) throw new SourceError('SOURCE_PARTIAL', `CloudTrail LookupEvents in ${account}/${region} repeats a page token`)
    if (token !== undefined) seen.add(token)
    const events = answer.Events ?? []
    refuseOtherAccount(events, account, region)
    yield { events, last: token === undefined }
  } while (token !== undefined)
}

/** Credentials of another account would fill this part with that account's events, and leave this one unread without anybody noticing. */
function refuseOtherAccount(events: readonly Event[], account: string, region: string): void {
  for (const { CloudTrailEvent } of events) {
    const found = recipientOf(CloudTrailEvent)
    if (found !== null && found !== account) {
      throw new SourceError(
        'SOURCE_MISCONFIGURED',
        `the credentials for ${account}/${region} belong to the account ${found}: correct "account" or "credentials" in the configuration`,
      )
    }
  }
}

/** The account whose history holds the record. Parsed, not searched for: a caller can put the same words into a tag, and must not be able to stop a collector. */
export function recipientOf(record: string | undefined): string | null {
  try {
    const { recipientAccountId } = JSON.parse(record ?? '{}') as { readonly recipientAccountId?: unknown }
    return typeof recipientAccountId === 'string' ? recipientAccountId : null
  } catch {
    return null
  }
}

/** As the command line tool prints it. An event without its record is kept by what there is, and rejected with a reason. */
function textOf(events: readonly Event[]): string {
  return JSON.stringify({
    Events: events.map(({ CloudTrailEvent, EventId, EventName }) => (CloudTrailEvent === undefined ? { EventId, EventName } : { CloudTrailEvent })),
  })
}

const nanos = (millis: number): bigint => BigInt(millis) * 1_000_000n
