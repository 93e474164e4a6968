/**
 * The canonical export (DESIGN §4.6): one JSON object a line, keys sorted, lines sorted by (type, id), no ingest times. Two stores with the same
 * set of records give the same bytes. Reads one snapshot, in constant memory.
 */
import type pg from 'pg'
import { canonicalJson, type Json } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { findingLines } from './findings.ts'
import { ITEM_COLUMNS, ITEM_JOINS, type ItemRow, toItem } from './item.ts'
import { usageLines } from './llm-usage.ts'
import { principalLines } from './principals.ts'
import { shownTenant } from './store.ts'

/** Rows fetched at once. */
const BATCH = 1000

type Line = Readonly<Record<string, unknown>> & { readonly type: string; readonly id: string }

/** The lines of the export, in order, each without its line break. */
export async function* canonicalExport(pool: pg.Pool): AsyncGenerator<string> {
  const client = await pool.connect()
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    for await (const line of eventLines(client)) yield text(line)
    for await (const line of findingLines(client)) yield text(line)
    for (const line of await principalLines(client)) yield text(line)
    for await (const line of sessionLines(client)) yield text(line)
    for await (const line of traceLines(client)) yield text(line)
    for await (const line of usageLines(client)) yield text(line)
  } finally {
    // A consumer that stops early leaves the snapshot open otherwise.
    await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

const text = (line: Line): string => canonicalJson(line as unknown as Json)

async function* eventLines(client: pg.ClientBase): AsyncGenerator<Line> {
  // Index: the primary key of heads gives the order; the joins go by primary key.
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const { rows } = await client.query<ItemRow>(
      `select ${ITEM_COLUMNS} from (select event_id, time_ns from heads where event_id > $1 order by event_id limit $2) n
       join events e on e.time_ns = n.time_ns and e.event_id = n.event_id ${ITEM_JOINS} order by e.event_id`,
      [after, BATCH],
    )
    for (const row of rows) {
      const { role: _role, ingestedAt: _ingestedAt, ...item } = toItem(row, null)
      yield { type: 'event', ...item }
    }
    if (rows.length < BATCH) return
    after = rows.at(-1)!.event_id
  }
}

async function* sessionLines(client: pg.ClientBase): AsyncGenerator<Line> {
  const query = `
    select s.id, s.cloud, s.resolved, r.native_id as root, m.event_ids,
      case when array_length(m.subjects, 1) = 1 then m.subjects[1] end as subject
    from (
      select session_id, array_agg(event_id order by event_id) as event_ids,
        array_remove(array_agg(distinct case when subject_oid is not null then coalesce(tenant_id::text, '') || '/' || subject_oid end), null) as subjects
      from conclusions where session_id is not null group by session_id
    ) m
    join sessions s on s.id = m.session_id
    left join heads h on h.event_id = s.root_event
    left join events r on r.time_ns = h.time_ns and r.event_id = h.event_id
    order by s.id`
  for await (const row of fetchAll<{ id: string; cloud: string; resolved: boolean; root: string | null; event_ids: string[]; subject: string | null }>(
    client,
    query,
  )) {
    const [tenantId, subjectOid] = row.subject?.split('/') ?? [null, null]
    yield {
      type: 'session',
      id: row.id,
      cloud: row.cloud,
      tenantId: tenantId || null,
      subjectOid: subjectOid ?? null,
      rootNativeId: row.root,
      resolved: row.resolved,
      eventIds: row.event_ids,
    }
  }
}

async function* traceLines(client: pg.ClientBase): AsyncGenerator<Line> {
  const query = `
    select t.id, t.owner_oid, t.tenant_id, t.start_ns, t.end_ns, m.* from traces t, lateral (
      select array_agg(l.event_id order by l.event_id) as event_ids, array_agg(distinct c.session_id) filter (where c.session_id is not null) as session_ids,
        coalesce(jsonb_agg(jsonb_build_object('parent', c.parent_id, 'child', c.event_id, 'link', c.link) order by c.event_id) filter (where c.parent_id is not null), '[]') as edges
      from timeline l join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id
      where l.tenant_id = t.tenant_id and l.oid = t.owner_oid and l.is_owner and l.time_ns between t.start_ns and t.end_ns
    ) m order by t.id`
  for await (const row of fetchAll<{
    id: string
    owner_oid: string
    tenant_id: string
    start_ns: bigint
    end_ns: bigint
    event_ids: string[]
    session_ids: string[] | null
    edges: unknown[]
  }>(client, query)) {
    yield {
      type: 'trace',
      id: row.id,
      ownerOid: row.owner_oid,
      tenantId: shownTenant(row.tenant_id),
      start: formatTime(row.start_ns),
      end: formatTime(row.end_ns),
      sessionIds: row.session_ids ?? [],
      eventIds: row.event_ids,
      edges: row.edges,
    }
  }
}

/** The rows of a query, a batch at a time, through a cursor of the server. */
async function* fetchAll<Row extends pg.QueryResultRow>(client: pg.ClientBase, query: string): AsyncGenerator<Row> {
  await client.query(`declare export_rows no scroll cursor for ${query}`)
  try {
    for (;;) {
      const { rows } = await client.query<Row>(`fetch ${BATCH} from export_rows`)
      yield* rows
      if (rows.length < BATCH) return
    }
  } finally {
    await client.query('close export_rows').catch(() => undefined)
  }
}
