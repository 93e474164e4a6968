/** A small known store for the tests of this folder: rows written by SQL, so that these tests depend on no other part of the product. */
import type pg from 'pg'
import { sha256 } from '#core/record.ts'
import type { Confidence, DirectoryFact, Kind, Outcome, Role, Source } from '#core/event.ts'
import { packChunk } from '#database/chunk.ts'
import { ensurePartitions } from '#database/partitions.ts'

/** A GUID that says what it is in its first digits. */
export const id = (digit: string, number = 1): string => `${digit.repeat(8)}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`

export const TENANT = id('1')
export const OTHER_TENANT = id('2')
const NIL = '00000000-0000-0000-0000-000000000000'

export interface FixtureEvent {
  readonly id: string
  readonly time: bigint
  readonly source?: Source
  readonly kind?: Kind
  readonly action?: string
  readonly outcome?: Outcome
  readonly error?: string
  readonly userAgent?: string
  readonly resource?: string
  readonly tokens?: readonly [number, number]
  readonly model?: string
  readonly conclusion?: {
    readonly tenant: string | null
    readonly subject?: string
    readonly agent?: string
    readonly confidence: Confidence
    readonly basis?: readonly string[]
    readonly candidates?: readonly string[]
    readonly evidence?: readonly string[]
    readonly parent?: string
    readonly session?: string
  }
  readonly timeline?: readonly { readonly oid: string; readonly role: Role; readonly tenant?: string }[]
  readonly text?: string
  readonly masked?: readonly string[]
}

/** Stores one event with everything that belongs to it. */
export async function insertEvent(pool: pg.Pool, event: FixtureEvent): Promise<void> {
  const { id: eventId, time, conclusion } = event
  await ensurePartitions(pool, [time])
  await pool.query(
    `insert into events (time_ns, event_id, ingested_at, native_id, source, kind, action, outcome, error_code, tenant_id, proof, user_agent, resource, model_id, model_name, input_tokens, output_tokens)
     values ($1, $2, '2026-06-01T00:00:00Z', $3, $4, $5, $6, $7, $8, null, 'nothing', $9, $10, $11, $11, $12, $13)`,
    [
      time.toString(),
      eventId,
      `native-${eventId}`,
      event.source ?? 'aws',
      event.kind ?? 'llm.invoked',
      event.action ?? 'bedrock:Converse',
      event.outcome ?? 'success',
      event.error ?? null,
      event.userAgent ?? null,
      event.resource ?? null,
      event.model ?? null,
      event.tokens?.[0] ?? null,
      event.tokens?.[1] ?? null,
    ],
  )
  if (conclusion) {
    await pool.query(
      `insert into conclusions (time_ns, event_id, tenant_id, subject_oid, agent_oid, confidence, basis, candidates, evidence, parent_id, session_id, source, kind, outcome, other_tenants)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        time.toString(),
        eventId,
        conclusion.tenant,
        conclusion.subject ?? null,
        conclusion.agent ?? null,
        conclusion.confidence,
        conclusion.basis ?? [],
        conclusion.candidates ?? [],
        conclusion.evidence ?? [],
        conclusion.parent ?? null,
        conclusion.session ?? null,
        event.source ?? 'aws',
        event.kind ?? 'llm.invoked',
        event.outcome ?? 'success',
        othersOf(event),
      ],
    )
  }
  for (const row of event.timeline ?? []) {
    await pool.query(
      'insert into timeline (tenant_id, oid, time_ns, event_id, role, source, kind, is_subject, is_owner) values ($1, $2, $3, $4, $5, $6, $7, $8, false)',
      [
        row.tenant ?? conclusion?.tenant ?? NIL,
        row.oid,
        time.toString(),
        eventId,
        row.role,
        event.source ?? 'aws',
        event.kind ?? 'llm.invoked',
        row.oid === conclusion?.subject,
      ],
    )
  }
  const text = event.text ?? JSON.stringify({ eventID: eventId })
  await pool.query(
    `insert into heads (event_id, time_ns, format, rank, sha256, chunk_id, slot, file_id, line, masked) values ($1, $2, 'cloudtrail', 0, decode($3, 'hex'), $4, 0, $5, 7, $6)`,
    [eventId, time.toString(), sha256(text), await insertChunk(pool, text), await fileId(pool, 'logs/trail.json'), event.masked ?? null],
  )
}

/** As the correlator has it: tenants in whose timelines the event stands, beside that of its conclusion. */
function othersOf({ conclusion, timeline = [] }: FixtureEvent): readonly string[] | null {
  const others = [...new Set(timeline.flatMap((row) => row.tenant ?? []))].filter((tenant) => tenant !== conclusion?.tenant && tenant !== NIL)
  return others.length === 0 ? null : others.toSorted()
}

/** Copies an event until there are `total` of it, each a second later, with its number at the end of its id. */
export async function repeatEvent(pool: pg.Pool, eventId: string, total: number): Promise<void> {
  for (const table of ['events', 'conclusions', 'timeline', 'heads']) {
    const { rows } = await pool.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_name = $1 order by ordinal_position`,
      [table],
    )
    const values = rows.map(({ name }) =>
      name === 'time_ns'
        ? 'time_ns + (n - 1) * 1000000000::bigint'
        : name === 'event_id'
          ? `(left(event_id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid`
          : `"${name}"`,
    )
    await pool.query(`insert into ${table} select ${values.join(', ')} from ${table}, generate_series(2, $2::int) n where event_id = $1`, [eventId, total])
  }
}

/** Stores another text of an event. */
export async function insertVariant(pool: pg.Pool, eventId: string, time: bigint, text: string): Promise<void> {
  await pool.query(
    `insert into variants (event_id, sha256, time_ns, format, rank, chunk_id, slot, file_id, line, masked) values ($1, decode($2, 'hex'), $3, 'lookup', 1, $4, 0, $5, null, null)`,
    [eventId, sha256(text), time.toString(), await insertChunk(pool, text), await fileId(pool, 'logs/lookup.json')],
  )
}

async function insertChunk(pool: pg.Pool, text: string): Promise<bigint> {
  const chunk = packChunk([text])
  const { rows } = await pool.query<{ id: bigint }>('insert into chunks (records, raw_bytes, body) values ($1, $2, $3) returning id', [
    chunk.records,
    chunk.rawBytes,
    chunk.body,
  ])
  return rows[0]!.id
}

/** The id of a file name, made on first use. */
export async function fileId(pool: pg.Pool, name: string): Promise<number> {
  const { rows } = await pool.query<{ id: number }>('insert into files (name) values ($1) on conflict (name) do update set name = excluded.name returning id', [
    name,
  ])
  return rows[0]!.id
}

let facts = 0

/** Stores one directory fact, as one that the conclusions of the fixture take into account: a correlator leaves them as they are. */
export async function insertFact(
  pool: pg.Pool,
  tenant: string,
  body: Readonly<Record<string, unknown>> & { readonly type: DirectoryFact['type'] },
  time = BigInt(++facts),
): Promise<void> {
  await pool.query(
    'insert into directory_facts (id, tenant_id, body, first_ns, first_event, last_ns, last_event, derived) values ($1, $2, $3, $4, $5, $4, $5, true)',
    [id('9', ++facts), tenant, JSON.stringify(body), time.toString(), id('9', 999)],
  )
}

/** A `seen` fact with everything absent that is not given. */
export const seen = (oid: string, fields: Readonly<Record<string, unknown>>): { type: 'seen' } & Record<string, unknown> => ({
  type: 'seen',
  oid,
  kind: null,
  appId: null,
  name: null,
  blueprintAppId: null,
  blueprintObjectId: null,
  msiType: null,
  armId: null,
  ...fields,
})
