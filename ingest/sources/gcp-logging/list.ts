import type { Logging } from '@google-cloud/logging'
import { formatTime, parseTime } from '#core/time.ts'
import { itemTexts, memberText } from '#core/json-text.ts'
import { SourceError } from '../../engine/source-error.ts'
import { abortable } from '../google/adapter.ts'
import { messageOf, statusOf } from '../google/errors.ts'
import type { Pacer } from './pacer.ts'

export interface LogReader {
  readonly auth: Pick<Logging['auth'], 'request'>
  readonly base: string
  readonly pacer: Pacer
  readonly timeoutMs: number
}

export interface ListRequest {
  readonly resourceNames: readonly string[]
  readonly filter: string
  readonly orderBy: 'timestamp asc' | 'timestamp desc'
  readonly pageSize: number
  readonly pageToken?: string
}

export interface Listing {
  /** The exact text of each entry. */
  readonly entries: readonly string[]
  /** The latest `timestamp` among them (ns since 1970), or null. */
  readonly latest: bigint | null
  /** Absent on the last page. An empty page may have one. */
  readonly nextPageToken: string | undefined
}

const SERVICES = [
  'sts.googleapis.com',
  'iamcredentials.googleapis.com',
  'aiplatform.googleapis.com',
  'iam.googleapis.com',
  'cloudresourcemanager.googleapis.com',
]

/** Federation, impersonation, model calls and changes of trust (facts: Google Cloud, "entries.list contract"). */
export const AUDIT_FILTER = `(log_id("cloudaudit.googleapis.com/data_access") OR log_id("cloudaudit.googleapis.com/activity"))
protoPayload.serviceName=(${SERVICES.map((service) => `"${service}"`).join(' OR ')})`

/**
 * The filter of one window of time (ns since 1970, half open). The service compares nanoseconds: a bound cut to microseconds together with `>` would match the
 * same entry for ever, so the bound has nine digits and is inclusive.
 */
export function windowFilter(filter: string, from: bigint, until: bigint): string {
  return `${filter}\ntimestamp>="${formatTime(from)}" timestamp<"${formatTime(until)}"`
}

/** One read of entries:list, in its turn. Errors of the client come through. */
export async function listEntries({ auth, base, pacer, timeoutMs }: LogReader, request: ListRequest, signal: AbortSignal): Promise<Listing> {
  await pacer(signal)
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    // The exact bytes: parsed and printed anew, `1.0` would become `1`, and the text is the evidence.
    const { data } = await auth.request<string>({
      url: `${base}/v2/entries:list`,
      method: 'POST',
      responseType: 'text',
      data: request,
      adapter: abortable,
      signal: AbortSignal.any([signal, timeout]),
    })
    return readListing(data)
  } catch (error) {
    if (timeout.aborted && !signal.aborted)
      throw new SourceError('SOURCE_TIMEOUT', `entries:list gave no answer within ${timeoutMs / 1000} s`, { cause: error })
    throw error
  }
}

/** @throws SourceError when the text is no answer: cut, or a page of a proxy */
function readListing(text: string): Listing {
  let body: { readonly entries?: readonly unknown[]; readonly nextPageToken?: unknown }
  try {
    body = JSON.parse(text === '' ? '{}' : text) as typeof body
  } catch (cause) {
    throw new SourceError('SOURCE_UNAVAILABLE', 'entries:list answered with what is no JSON', { cause })
  }
  const entriesText = memberText(text, ['entries'])
  let latest: bigint | null = null
  for (const entry of body.entries ?? []) {
    const time = parseTime((entry as { readonly timestamp?: unknown } | null)?.timestamp)
    if (time !== null && (latest === null || time > latest)) latest = time
  }
  return {
    entries: entriesText === null ? [] : (itemTexts(entriesText) ?? []),
    latest,
    nextPageToken: typeof body.nextPageToken === 'string' && body.nextPageToken !== '' ? body.nextPageToken : undefined,
  }
}

/** Page tokens live for a day; the service then says INVALID_ARGUMENT. */
export function isStaleToken(error: unknown): boolean {
  return statusOf(error) === 400 && /page.?token/i.test(messageOf(error) ?? '')
}
