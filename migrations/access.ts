/**
 * Who may read what, as the migrations leave it: the two roles, their grants and their policies. Roles belong to the server and not to the database, so a dump that is
 * restored into another server has the tables without them (`pg_restore` skips each grant and policy whose role is missing). `migrate` repairs that from this list;
 * migrations/access.pg.test.ts holds the list against what the migrations make.
 */
import type pg from 'pg'

type Queries = Pick<pg.ClientBase, 'query'>

const READER = 'trailjoin_reader'
const READER_ALL = 'trailjoin_reader_all'

interface Policy {
  readonly name: string
  readonly to: string
  readonly using: string
  /** Default: to read. */
  readonly insert?: true
}

const BY_TENANT = 'tenant_id = ANY ((SELECT trailjoin_tenants())::uuid[])'
const seenWith = (condition: string): string => `EXISTS (SELECT FROM ${condition})`

/** What a caller who is bound to tenants sees of each table; null: nothing. */
const BOUND: Readonly<Record<string, string | null>> = {
  chunks: null,
  conclusions: `${BY_TENANT} OR other_tenants && (SELECT trailjoin_tenants())`,
  cursors: seenWith('source_status s WHERE s.source = cursors.source AND s.part = cursors.part'),
  directory_facts: BY_TENANT,
  events: seenWith('conclusions c WHERE c.time_ns = events.time_ns AND c.event_id = events.event_id'),
  files: null,
  finding_decisions: BY_TENANT,
  findings: BY_TENANT,
  heads: seenWith('conclusions c WHERE c.time_ns = heads.time_ns AND c.event_id = heads.event_id'),
  live_changes: BY_TENANT,
  live_departures: BY_TENANT,
  live_rounds: 'true',
  log_gaps: 'true',
  log_positions: null,
  pending: null,
  progress: 'true',
  rejected: null,
  revocations: BY_TENANT,
  session_spans: BY_TENANT,
  sessions: seenWith('session_spans s WHERE s.session_id = sessions.id'),
  shapes: null,
  source_status: BY_TENANT,
  timeline: BY_TENANT,
  trace_ids: seenWith('heads h WHERE h.event_id = trace_ids.first_event'),
  traces: BY_TENANT,
  usage_daily: BY_TENANT,
  usage_parts: seenWith('usage_daily u WHERE u.id = usage_parts.row_id'),
  variants: seenWith('heads h WHERE h.event_id = variants.event_id'),
}

/** Raw records and what was rejected: for who took the role, not for who inherits it (migration 0018). */
const FOR_TAKERS = `current_user = '${READER_ALL}'`
const TAKERS_ONLY: ReadonlySet<string> = new Set(['chunks', 'rejected'])

/** The policies of each table. */
const POLICIES: ReadonlyMap<string, readonly Policy[]> = new Map<string, readonly Policy[]>([
  ...Object.entries(BOUND).map(([table, using]): [string, readonly Policy[]] => [
    table,
    [
      { name: 'everything', to: READER_ALL, using: TAKERS_ONLY.has(table) ? FOR_TAKERS : 'true' },
      ...(using === null ? [] : [{ name: table === 'log_gaps' ? 'everybody' : 'tenants', to: READER, using }]),
      ...(table === 'finding_decisions' ? [{ name: 'decide', to: 'public', using: 'true', insert: true as const }] : []),
    ],
  ]),
  ['login_tenants', [{ name: 'own', to: `${READER}, ${READER_ALL}`, using: 'login = session_user' }]],
])

/** Of Kafka's positions only an unbound caller has the grant. */
const readersOf = (table: string): readonly string[] => (table === 'log_positions' ? [READER_ALL] : [READER, READER_ALL])

/** Functions that readers call; all but the first run as their owner, so nobody else may. */
const OPEN_FUNCTION = 'trailjoin_tenants()'
const FUNCTIONS = ['trailjoin_chunk(uuid, bigint)', 'trailjoin_file(uuid, integer)'] as const
const INNER_FUNCTION = 'trailjoin_sees(uuid)'

/**
 * What of it the database lacks, in words; empty where nothing is missing. Wants a schema that is up to date, and changes nothing. Whoever may connect may ask.
 */
export async function missingAccess(client: Queries): Promise<readonly string[]> {
  const { rows: roles } = await client.query<{ name: string }>('select rolname::text as name from pg_roles where rolname = any ($1)', [[READER, READER_ALL]])
  const there = new Set(roles.map(({ name }) => name))
  const missing = [READER, READER_ALL].filter((role) => !there.has(role)).map((role) => `the role ${role}`)
  // Nothing can be granted to a role that is not there.
  if (missing.length > 0) return missing
  const tables = [...POLICIES.keys()]
  const policies = [...POLICIES].flatMap(([table, list]) => list.map(({ name }) => ({ table, name })))
  const grants = tables.flatMap((table) => readersOf(table).map((role) => ({ table, role })))
  const { rows } = await client.query<{ what: string }>(
    `select format('the policy %s of %s', t.name, t."table") as what from json_to_recordset($1::json) as t("table" text, name text)
       where not exists (select from pg_policy p where p.polrelid = to_regclass(t."table") and p.polname = t.name)
     union all
     select format('the grant of %s to %s', g."table", g.role) from json_to_recordset($2::json) as g("table" text, role text)
       where not coalesce(has_table_privilege(g.role, to_regclass(g."table")::oid, 'SELECT'), false)
     union all
     select format('row-level security of %s', c.oid::regclass) from pg_class c left join pg_inherits i on i.inhrelid = c.oid
       where coalesce(i.inhparent, c.oid) = any (select to_regclass(n)::oid from unnest($3::text[]) n) and c.relkind in ('r', 'p') and not c.relrowsecurity
     union all
     select format('the grant of %s to %s', f, r) from unnest($4::text[]) f, unnest($5::text[]) r where not coalesce(has_function_privilege(r, to_regprocedure(f)::oid, 'EXECUTE'), false)
     union all
     select format('the bar of %s to everybody', f) from unnest($6::text[]) f join pg_proc p on p.oid = to_regprocedure(f)::oid
       where p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0)
     union all
     select format('the use of the schema by %s', r) from unnest($5::text[]) r where not has_schema_privilege(r, current_schema()::text, 'USAGE')`,
    [JSON.stringify(policies), JSON.stringify(grants), tables, [OPEN_FUNCTION, ...FUNCTIONS], [READER, READER_ALL], [...FUNCTIONS, INNER_FUNCTION]],
  )
  return rows.map(({ what }) => what)
}

/** Whether the login may take both roles, as the API does. */
export async function mayBecomeReaders(client: Queries): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `select bool_and(pg_has_role(r, case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end)) as may from unnest($1::name[]) r`,
    [[READER, READER_ALL]],
  )
  return rows[0]?.may === true
}

/**
 * Makes the roles where they are missing, and lets the login take them.
 * @throws what `repairAccess` throws
 */
export async function makeReaders(client: Queries): Promise<void> {
  await client.query(ROLES)
}

/**
 * Makes the roles, grants and policies anew; what is right stays as it is. Run it in a transaction, as the owner of the tables.
 * @throws what PostgreSQL says where the owner may not make the roles: it names what an administrator must run
 */
export async function repairAccess(client: Queries): Promise<void> {
  await makeReaders(client)
  const lines = [
    `DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO ${READER}, ${READER_ALL}', current_schema()); END $$`,
    ...[...POLICIES].flatMap(([table, policies]) => [
      `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
      `GRANT SELECT ON ${table} TO ${readersOf(table).join(', ')}`,
      ...policies.flatMap(({ name, to, using, insert }) => [
        `DROP POLICY IF EXISTS ${name} ON ${table}`,
        `CREATE POLICY ${name} ON ${table} ${insert ? `FOR INSERT TO ${to} WITH CHECK` : `FOR SELECT TO ${to} USING`} (${using})`,
      ]),
    ]),
    `DO $$ DECLARE part regclass; BEGIN
       FOR part IN SELECT inhrelid FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE NOT c.relrowsecurity AND inhparent = ANY ('{events,conclusions,timeline}'::regclass[]) LOOP
         EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part);
       END LOOP;
     END $$`,
    `REVOKE EXECUTE ON FUNCTION ${[...FUNCTIONS, INNER_FUNCTION].join(', ')} FROM PUBLIC`,
    `GRANT EXECUTE ON FUNCTION ${[OPEN_FUNCTION, ...FUNCTIONS].join(', ')} TO ${READER}, ${READER_ALL}`,
  ]
  await client.query(lines.join(';\n'))
}

/** As in migration 0006: another database of the server may have the roles already, or may be making them at this moment. */
const ROLES = `
DO $$
DECLARE
  reader text;
  how text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
  advice text := format('let an administrator of the server run: CREATE ROLE trailjoin_reader NOLOGIN; CREATE ROLE trailjoin_reader_all NOLOGIN; GRANT trailjoin_reader, trailjoin_reader_all TO %I%s; then migrate again', current_user, how);
BEGIN
  FOREACH reader IN ARRAY ARRAY['trailjoin_reader', 'trailjoin_reader_all'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', reader);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN RAISE EXCEPTION 'the role % is missing, and % may not create it: %', reader, current_user, advice;
      END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader AND (rolsuper OR rolbypassrls)) THEN
      RAISE EXCEPTION 'the role % is a superuser or bypasses row-level security: it would see the records of every tenant', reader;
    END IF;
    -- Whoever made a role may give it away, but is no member of it yet; a superuser may take any.
    IF NOT pg_has_role(current_user, reader, CASE WHEN how = '' THEN 'MEMBER' ELSE 'SET' END) THEN
      BEGIN
        EXECUTE format('GRANT %I TO %I', reader, current_user) || how;
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION '% is no member of the role %: %', current_user, reader, advice;
      END;
    END IF;
  END LOOP;
END $$;
`
