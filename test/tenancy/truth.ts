/** What each tenant may see, read by the owner of the tables from what the scope rests on, without the column and the policies that are tested. */
import type pg from 'pg'
import { NO_TENANT } from '#core/keys.ts'

export interface StoredIds {
  readonly tenants: readonly string[]
  /** Tenants that each event concerns; none where it belongs to nobody. */
  readonly events: ReadonlyMap<string, ReadonlySet<string>>
  readonly traces: ReadonlyMap<string, string>
  readonly findings: ReadonlyMap<string, string | null>
  /** Tenants in which each oid has a timeline, or is named by the directory. */
  readonly oids: ReadonlyMap<string, ReadonlySet<string>>
  /** `tenant/oid` → events in that timeline. */
  readonly timelines: ReadonlyMap<string, readonly string[]>
}

interface Pair {
  readonly id: string
  readonly tenant: string | null
}

/** Every id in the store with whose it is. */
export async function storedIds(pool: pg.Pool): Promise<StoredIds> {
  const pairs = async (query: string): Promise<readonly Pair[]> => (await pool.query<Pair>(query)).rows
  const events = byId(
    await pairs(
      `select event_id as id, tenant_id as tenant from events union select event_id, tenant_id from conclusions union select event_id, tenant_id from timeline`,
    ),
  )
  const oids = byId(
    await pairs(`select oid as id, tenant_id as tenant from timeline
      union select m[1]::uuid, tenant_id from directory_facts, regexp_matches(body::text, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') m`),
  )
  const { rows } = await pool.query<{ key: string; events: string[] }>(
    `select tenant_id || '/' || oid as key, array_agg(event_id::text order by time_ns desc, event_id desc) as events from timeline group by tenant_id, oid`,
  )
  return {
    tenants: [...new Set([...events.values(), ...oids.values()].flatMap((tenants) => [...tenants]))].toSorted(),
    events,
    oids,
    traces: new Map((await pairs('select id, tenant_id as tenant from traces')).map((row) => [row.id, row.tenant!])),
    findings: new Map((await pairs('select id, tenant_id as tenant from findings')).map((row) => [row.id, row.tenant])),
    timelines: new Map(rows.map((row) => [row.key, row.events])),
  }
}

function byId(pairs: readonly Pair[]): ReadonlyMap<string, ReadonlySet<string>> {
  const sets = new Map<string, Set<string>>()
  for (const { id, tenant } of pairs) {
    const set = sets.get(id) ?? new Set()
    sets.set(id, set)
    if (tenant !== null && tenant !== NO_TENANT) set.add(tenant)
  }
  return sets
}
