/** The public sample records (test/fixtures/samples, sources and licences in SOURCES.md there) and how tests import and look at them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { canonicalExport } from '#api/read-models/canonical-export.ts'
import { formatTime } from '#core/time.ts'
import { createCorrelator } from '#correlate/index.ts'
import { readRecordText } from '#database/chunk.ts'
import { type ImportSummary, importPaths } from '#ingest/import.ts'
import { createTestDatabase } from './postgres.ts'

export const SAMPLES = join(import.meta.dirname, 'fixtures', 'samples')

/** Imports files and folders (absolute, or relative to the samples) into a store. */
export function importInto(pool: pg.Pool, ...paths: readonly string[]): Promise<ImportSummary> {
  return importPaths(
    paths.map((path) => (path.startsWith('/') ? path : join(SAMPLES, path))),
    { sink: createCorrelator(pool) },
  )
}

/** Imports records made by hand, one a line. A text goes in as it is. */
export function importRecords(pool: pg.Pool, ...records: readonly unknown[]): Promise<ImportSummary> {
  const text = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n')
  async function* input(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${text}\n`)
  }
  return importPaths(['-'], { sink: createCorrelator(pool), standardInput: input() })
}

/** One line (from 1) of a sample file, parsed: to make a record by hand from it. */
export function sampleRecord(file: string, line: number): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(SAMPLES, file), 'utf8').split('\n')[line - 1]!) as Readonly<Record<string, unknown>>
}

/** All records of a sample file of one record a line. */
export function sampleRecords(file: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(join(SAMPLES, file), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

/** The canonical export as one text: two stores with the same set of records give the same. */
export async function exported(pool: pg.Pool): Promise<string> {
  const lines: string[] = []
  for await (const line of canonicalExport(pool)) lines.push(line)
  return lines.join('\n')
}

/** How often each reason stands among rejections. */
export function reasons(summary: ImportSummary): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { reason } of summary.rejections) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}

/** A stored event as the tests look at it: what its record says and what was concluded. */
export interface StoredEvent {
  readonly id: string
  readonly nativeId: string
  readonly time: string
  readonly source: string
  readonly kind: string
  readonly action: string
  readonly outcome: string
  readonly errorCode: string | null
  readonly tenantId: string | null
  readonly proof: string
  readonly proofOid: string | null
  readonly proofSubject: string | null
  readonly uses: string | null
  readonly issues: string | null
  readonly account: string | null
  readonly region: string | null
  readonly principal: string | null
  readonly resource: string | null
  readonly sourceIp: string | null
  readonly subjectOid: string | null
  readonly agentOid: string | null
  readonly confidence: string
  readonly sessionId: string | null
  readonly parentId: string | null
  readonly link: string | null
  readonly masked: readonly string[] | null
  readonly file: string
  readonly line: number | null
}

/** The stored events that meet a condition (over `e` events, `c` conclusions, `h` heads, `f` files), in order of time. */
export async function events(pool: pg.Pool, where = 'true', values: readonly unknown[] = []): Promise<readonly StoredEvent[]> {
  const { rows } = await pool.query<StoredEvent & { timeNs: bigint }>(
    `select e.event_id as id, e.native_id as "nativeId", e.time_ns as "timeNs", e.source, e.kind, e.action, e.outcome, e.error_code as "errorCode", e.tenant_id as "tenantId", e.proof,
       e.proof_oid as "proofOid", e.proof_subject as "proofSubject", e.uses, e.issues, e.account, e.region, e.principal, e.resource, e.source_ip as "sourceIp",
       c.subject_oid as "subjectOid", c.agent_oid as "agentOid", c.confidence, c.session_id as "sessionId", c.parent_id as "parentId", c.link, h.masked, f.name as file, h.line
     from heads h join events e using (time_ns, event_id) join files f on f.id = h.file_id left join conclusions c using (time_ns, event_id)
     where ${where} order by e.time_ns, e.event_id`,
    [...values],
  )
  return rows.map(({ timeNs, ...row }) => ({ ...row, time: formatTime(timeNs) }))
}

/** The events whose speaking record stands on these lines of a sample file, in order of the lines. */
export async function eventsAt(pool: pg.Pool, file: string, ...lines: readonly number[]): Promise<readonly StoredEvent[]> {
  const found = await events(pool, 'f.name = $1 and h.line = any($2::integer[])', [join(SAMPLES, file), lines])
  return lines.map((line) => {
    const event = found.find((one) => one.line === line)
    if (!event) throw new Error(`No event's record stands at ${file}:${line}.`)
    return event
  })
}

/** The raw records that are kept of an event: the one that speaks for it first. */
export async function rawTexts(pool: pg.Pool, eventId: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ chunk_id: bigint; slot: number }>(
    `select chunk_id, slot from heads where event_id = $1 union all (select chunk_id, slot from variants where event_id = $1 order by sha256)`,
    [eventId],
  )
  return Promise.all(rows.map(({ chunk_id, slot }) => readRecordText(pool, chunk_id, slot)))
}

/** What was rejected: line and reason. */
export async function rejected(pool: pg.Pool, file: string): Promise<readonly { readonly line: number | null; readonly reason: string }[]> {
  const { rows } = await pool.query<{ line: number | null; reason: string }>(
    'select r.line, r.reason from rejected r join files f on f.id = r.file_id where f.name = $1 order by r.line, r.index',
    [file === '-' ? file : join(SAMPLES, file)],
  )
  return rows
}

/** Runs something in a store of its own. */
export async function inOwnStore<Result>(work: (pool: pg.Pool) => Promise<Result>): Promise<Result> {
  const database = await createTestDatabase()
  try {
    return await work(database.pool)
  } finally {
    await database.drop()
  }
}
