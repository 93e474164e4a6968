/** What is stored a second time, so that reading is quick, must be what it repeats: it is in no export, so nothing else would notice. */
import type pg from 'pg'

const CHECKS: Readonly<Record<string, string>> = {
  'source, kind and outcome of a conclusion': `
    select c.event_id::text as id from conclusions c left join events e on e.time_ns = c.time_ns and e.event_id = c.event_id
    where (c.source, c.kind, c.outcome) is distinct from (e.source, e.kind, e.outcome)`,
  'events and sources of a trace': `
    select t.id::text as id from traces t cross join lateral (
      select count(*) as events, array_agg(distinct l.source order by l.source) as sources from timeline l
      where l.tenant_id = t.tenant_id and l.oid = t.owner_oid and l.is_owner and l.time_ns between t.start_ns and t.end_ns
    ) m where (t.events, t.sources) is distinct from (m.events, m.sources)`,
  'sessions that reach into a trace': `
    select t.id::text as id from traces t cross join lateral (
      select array_agg(distinct c.session_id order by c.session_id) filter (where c.session_id is not null) as sessions
      from timeline l join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id
      where l.tenant_id = t.tenant_id and l.oid = t.owner_oid and l.is_owner and l.time_ns between t.start_ns and t.end_ns
    ) m cross join lateral (
      select array_agg(s.session_id order by s.session_id) as sessions from session_spans s
      where s.tenant_id = t.tenant_id and s.owner_oid = t.owner_oid and s.start_ns between t.start_ns and t.end_ns
    ) s where m.sessions is distinct from s.sessions`,
}

/** The first thing that differs from what it repeats; null where nothing does. */
export async function repeatedWrongly(pool: pg.Pool): Promise<string | null> {
  for (const [what, query] of Object.entries(CHECKS)) {
    const { rows } = await pool.query<{ id: string }>(`${query} limit 1`)
    if (rows[0]) return `${what}: ${rows[0].id}`
  }
  return null
}
