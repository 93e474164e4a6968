/**
 * What one late root record costs (SPEC I7): the AssumeRoleWithWebIdentity of a session arrives after all its calls. First as the session grows, in
 * a store of one size; then as the store grows, with one session. `node bench/relink.ts [--large]`: `--large` goes up to 10⁷ events (needs time
 * and some 15 GB), `--stores` leaves out the first part.
 * Prints a table: milliseconds until every conclusion is stored, rows of conclusions and timeline written, WAL bytes written.
 */
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import type { JsonObject, RawRecord } from '#core/record.ts'
import type { RecordSink } from '#core/sink.ts'
import { createCorrelator } from '#correlate/index.ts'
import { startEmbedded } from '#database/embedded.ts'
import { ensurePartitions } from '#database/partitions.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { createRandom } from '../simulate/random.ts'
import { simulateWorld } from '../simulate/simulate.ts'
import { testDataDir } from '../test/postgres.ts'

const { values } = parseArgs({ options: { large: { type: 'boolean', default: false }, most: { type: 'string' }, stores: { type: 'boolean', default: false } } })
const MOST = Number(values.most ?? (values.large ? 10_000_000 : 1_000_000))
const SESSIONS = [10, 100, 1_000, 10_000, 100_000].filter((size) => size <= MOST)
const STORES = [10_000, 100_000, 1_000_000, 10_000_000].filter((size) => size <= MOST)
/** Calls of the session while the store grows. */
const FIXED_SESSION = 100
/** Of the sessions that fill the store. */
const CALLS_A_SESSION = 50
const BATCH = 2_000
/** Larger stores are made by copying rows in SQL: the product would take an hour, and what is measured comes after. */
const BY_PRODUCT = 100_000
const HALF_DAY_NS = 43_200_000_000_000n

/** How a column of a copied row differs from the original's. */
const COPIED: Readonly<Record<string, string>> = {
  time_ns: `time_ns + k * ${HALF_DAY_NS}`,
  event_id: `md5(event_id::text || '/' || k)::uuid`,
  uses: `uses || '/' || k`,
  issues: `issues || '/' || k`,
  request_key: `request_key || '/' || k`,
}

const random = createRandom(1, 'relink')
const { exchange, call } = templates()

const folder = await testDataDir()
const server = await startEmbedded(folder)
const pool = await openPool(server.url)
try {
  await migrate(pool)
  const sink = createCorrelator(pool)
  let stored = await fill(sink, 0, 10_000)
  console.log('calls in session | events in store |        ms | rows written | WAL bytes')
  for (const size of values.stores ? [] : SESSIONS) {
    await lateRoot(sink, size, stored)
    stored += size + 1
  }
  for (const size of STORES) {
    stored = size > BY_PRODUCT ? await multiply(stored, size) : await fill(sink, stored, size)
    await lateRoot(sink, FIXED_SESSION, stored)
    stored += FIXED_SESSION + 1
  }
} finally {
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** Whole sessions, roots first, until the store holds so many events. */
async function fill(sink: RecordSink, stored: number, until: number): Promise<number> {
  let count = stored
  while (count < until) {
    const batch: RawRecord[] = []
    while (batch.length < BATCH) {
      const key = newKey()
      batch.push(rootOf(key), ...Array.from({ length: CALLS_A_SESSION }, () => callWith(key)))
    }
    await sink.deliver(batch, [])
    count += batch.length
  }
  await sink.drain()
  return count
}

/** Copies every event with new ids and keys into the half days that follow, until the store holds about so many. All belong to one agent: the hardest case for its timeline and trace. */
async function multiply(stored: number, until: number): Promise<number> {
  const copies = Math.ceil(until / stored) - 1
  const { rows: span } = await pool.query<{ from: bigint; to: bigint }>('select min(time_ns) as from, max(time_ns) as to from events')
  await ensurePartitions(
    pool,
    Array.from({ length: copies + 1 }, (_, copy) => span[0]!.to + BigInt(copy) * HALF_DAY_NS),
  )
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index where indrelid = 'events'::regclass and not indisprimary`,
  )
  for (const { name } of indexes) await pool.query(`drop index ${name}`)
  for (const table of ['heads', 'events', 'conclusions', 'timeline']) {
    const { rows: columns } = await pool.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
      [table],
    )
    const copied = columns.map(({ name }) => (COPIED[name] ?? name).replaceAll('/', `${stored}/`))
    await pool.query(`insert into ${table} select ${copied.join(', ')} from (select * from ${table}) t, generate_series(1, ${copies}) k`)
  }
  for (const { definition } of indexes) await pool.query(definition.replace(' ON ONLY ', ' ON '))
  await pool.query('vacuum analyze')
  return stored * (copies + 1)
}

async function lateRoot(sink: RecordSink, calls: number, stored: number): Promise<void> {
  const key = newKey()
  for (let count = 0; count < calls; count += BATCH)
    await sink.deliver(
      Array.from({ length: Math.min(BATCH, calls - count) }, () => callWith(key)),
      [],
    )
  await sink.drain()
  const before = await position(pool)
  const began = performance.now()
  await sink.deliver([rootOf(key)], [])
  await sink.drain()
  const took = performance.now() - began
  const after = await position(pool)
  const { rows } = await pool.query<{ written: bigint }>(
    `select (select count(*) from conclusions where xmin::text::bigint >= $1::bigint) + (select count(*) from timeline where xmin::text::bigint >= $1::bigint) as written`,
    [before.transaction],
  )
  const columns = [
    [calls, 16],
    [stored + calls + 1, 15],
    [took.toFixed(0), 9],
    [rows[0]!.written, 12],
    [after.wal - before.wal, 9],
  ] as const
  console.log(columns.map(([value, width]) => String(value).padStart(width)).join(' | '))
}

/** Where the server stands: the next transaction, and the end of what was written ahead. */
async function position(server: pg.Pool): Promise<{ readonly transaction: string; readonly wal: number }> {
  const { rows } = await server.query<{ transaction: string; wal: string }>(
    `select pg_snapshot_xmax(pg_current_snapshot())::text as transaction, (pg_current_wal_insert_lsn() - '0/0')::text as wal`,
  )
  return { transaction: rows[0]!.transaction, wal: Number(rows[0]!.wal) }
}

/** A simulated exchange and a call with the key that it issued. */
function templates(): { readonly exchange: string; readonly call: string } {
  const texts = [...simulateWorld({ seed: 1, agents: 8, days: 1, events: 2_000 })]
    .filter(({ road }) => ['s3', 'lookup', 'eventbridge'].includes(road))
    .map(({ text }) => text)
  for (const root of texts.filter((text) => text.includes('"AssumeRoleWithWebIdentity"') && text.includes('"accessKeyId"'))) {
    const key = keyIn(root)
    const use = texts.find((text) => text !== root && text.includes(`"accessKeyId":"${key}"`) && text.includes('bedrock'))
    if (use) return { exchange: root, call: use }
  }
  throw new Error('the simulator made no session')
}

function keyIn(text: string): string {
  const key = /"accessKeyId":\s?"(ASIA[A-Z0-9]{16})"/.exec(text)?.[1]
  if (!key) throw new Error('no key')
  return key
}

function newKey(): string {
  return `ASIA${random.text('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`
}

function rootOf(key: string): RawRecord {
  return record(exchange, key, 0)
}

/** A call somewhere in the twelve hours after the root's time. */
function callWith(key: string): RawRecord {
  return record(call, key, random.int(1, 43_200))
}

function record(template: string, key: string, secondsLater: number): RawRecord {
  const start = Date.parse(/"eventTime":\s?"([^"]+)"/.exec(exchange)![1]!)
  const time = new Date(start + secondsLater * 1_000).toISOString()
  const text = template
    .replaceAll(keyIn(template), key)
    .replace(/"eventID":\s?"[^"]*"/, `"eventID":"${random.guid()}"`)
    .replace(/"requestID":\s?"[^"]*"/, `"requestID":"${random.guid()}"`)
    .replace(/"eventTime":\s?"[^"]*"/, `"eventTime":"${time}"`)
  return { text, value: JSON.parse(text) as JsonObject, masked: [], origin: { file: 'bench', line: null, index: 0 }, context: {} }
}
