/**
 * What a live source is. `ingest/sources/<kind>/source.ts` has a `Source` as its default export and is found by a scan of that folder; nothing else
 * has to be edited to add one. A source reads its cloud with the cloud's own SDK and yields pages of log text; the engine does the rest:
 * splitting, envelopes, masking, delivery, cursors, pauses, back-off, status.
 */
import type { z } from 'zod'
import type { Json } from '#core/record.ts'
import type { SecretReference } from './secret.ts'
import type { SourceError } from './source-error.ts'

export interface Source<Settings> {
  /** The folder's name; the `kind` of the configuration. */
  readonly kind: string
  /** One line for the help and for the documentation. */
  readonly description: string
  /** Checks what the configuration says beside `kind`, `name`, `everySeconds` and `tenantId`. Make it strict: an unknown key is a typing error. */
  readonly settings: z.ZodType<Settings>
  /**
   * Makes the parts of the source that advance independently of each other: each has a cursor of its own, and one that is stuck does not stop
   * the others. Does not connect yet. Throws `SourceError` when the settings cannot be used.
   */
  open(settings: Settings, context: SourceContext): readonly Collector[] | Promise<readonly Collector[]>
}

export interface SourceContext {
  /** The source's name in the configuration. */
  readonly name: string
  /** The secret behind a reference, read anew at each call, so that a rotated file counts at once. Never log or keep it. Throws `SourceError`. */
  secret(reference: SecretReference): Promise<string>
  /** One structured line: short name of what happened, ids and counts, never payloads or secrets. */
  log(level: 'debug' | 'info' | 'warn', message: string, fields?: Readonly<Record<string, string | number | boolean>>): void
  /** Milliseconds since 1970: for windows and lag, never for an event's time. Tests set it. */
  now(): number
}

export interface Collector {
  /** Names the part inside its source, stable over restarts: it keys the cursor (`111122223333/us-east-1`). Empty when the source has one part only. */
  readonly part: string
  /**
   * Yields what is new since `cursor` (null: never polled), oldest first where the cloud allows it. Returning means "nothing more for now": the engine
   * comes back after the source's interval with the cursor of the last page that was delivered. The next page is asked for only when the one before
   * is durable; when delivery fails, the generator is closed (its `finally` runs) and the page's cursor is forgotten.
   * Throwing means back-off and polling again from the last stored cursor: throw `SourceError`, or let the SDK's error through and
   * give `classify`. Must stop soon after `signal` aborts.
   */
  poll(cursor: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void>
  /** For `doctor`: reachable? permitted? which logs exist? Never throws: what fails is a finding of level `problem`. Changes nothing in the cloud. */
  check(signal: AbortSignal): Promise<readonly Finding[]>
  /** The poll waits for news by itself and may be silent for long (a queue, a push endpoint): no watchdog. Otherwise ten minutes without a page end a poll. */
  readonly waits?: true
  /** What an SDK error means. Default: everything that is no `SourceError` is `SOURCE_UNAVAILABLE`. */
  classify?(error: unknown): SourceError
  /**
   * Another process polls this part from now on: let go of what is held between polls (a port, a group's partitions), because what arrives here is read by nobody.
   * Called again and again; a later poll begins anew.
   */
  release?(): Promise<void> | void
  /** Frees clients and sockets. */
  close?(): Promise<void> | void
}

export interface Page {
  readonly pieces: readonly Piece[]
  /** Where to go on when everything of this page is durable. Any JSON; keep it small. */
  readonly cursor: Json
  /**
   * Event time (ns since 1970) up to which this collector is complete as far as it can know, its overlap window respected. Null leaves the stored
   * one as it is: inside a window that is not read to its end, or when nothing proves that the cloud still delivers.
   */
  readonly watermark: bigint | null
  /** Times that are known to be missing. Read after the pieces, so a piece that turns out to be gone can still add to it. One with the same `from` and `reason` replaces the one before. */
  readonly gaps?: readonly Gap[]
  /** Called when the page is durable and the cursor is stored: the place to delete a queue message. When it throws, the poll fails. */
  acknowledge?(): Promise<void>
}

/**
 * One text of log records: whatever `import` understands (an array, a wrapper, one record, NDJSON; `bytes` also gzip). `where` is the origin that is kept as evidence:
 * stable, without secrets, and the same for the same text: it becomes a row of a table, so name the stream or the object, not the request.
 */
export type Piece =
  | { readonly where: string; readonly text: string }
  /** Streamed, for what may be large. Errors of the stream itself are the source's (polled again); damage inside is a rejection. */
  | { readonly where: string; bytes(): AsyncIterable<Buffer> | Promise<AsyncIterable<Buffer>> }
  /** No log text: kept as a rejection with this reason, never read for records (a queue message that anybody may have written). */
  | { readonly where: string; readonly refused: string; readonly reason: string }

/** Event times (ns since 1970), half open. */
export interface Gap {
  readonly from: bigint
  readonly until: bigint
  readonly reason: string
}

/** One answer of `doctor`. */
export interface Finding {
  /** What was looked at, in a few words: `reachable`, `sign-in logs`. */
  readonly check: string
  readonly level: 'ok' | 'warning' | 'problem'
  readonly message: string
  /** What to do about it; null when nothing. */
  readonly next: string | null
}
