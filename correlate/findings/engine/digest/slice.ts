/** The statement that sums up the events of some days: they are read once, with their conclusions, and every topic takes what it asks for. */
import { NO_TENANT } from '#core/keys.ts'
import { sha256 } from '#core/record.ts'
import { TOKEN_NS } from '../../../link/parents.ts'
import { daySql } from '../../../store/touched-days.ts'
import { MOST_EVIDENCE } from '../rule.ts'
import { TOPICS } from './topics.ts'
import type { Topic } from './topic.ts'

/** $1 and $2: from and to, nanoseconds. */
const BETWEEN = (alias: string): string => `${alias}.time_ns >= $1::bigint and ${alias}.time_ns < $2::bigint`

const SLICE = `slice as materialized (
  select ${daySql('e.time_ns')} as day, e.time_ns as t, e.event_id as id, e.source, e.kind, e.outcome, e.action, e.error_code, e.tenant_id as record_tenant, c.tenant_id as concluded_tenant,
    coalesce(c.tenant_id, e.tenant_id) as tenant, c.subject_oid as subject, c.agent_oid as agent, coalesce(c.confidence, 'none') as confidence, coalesce(c.candidates, '{}') as candidates,
    coalesce(c.basis, '{}') as basis, c.session_id as session, c.parent_id as parent, e.proof, e.proof_oid, e.proof_app_id, e.proof_kind, e.proof_subject, e.proof_entra, e.pool, e.resource,
    e.account, e.region, e.principal, e.model_id, e.model_name, e.model_provider, e.source_ip as ip, e.credential_type, e.audience, e.invoked_by, e.uses, e.asserted, e.secondary
  from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id and ${BETWEEN('c')} where ${BETWEEN('e')})`

/** What tokens an agent held when it exchanged one on Google Cloud, which logs no audience: of each resource the last token before it tells. */
const HELD = `asking as materialized (
    select id, t, tenant, subject from slice where kind = 'token.exchanged' and outcome = 'success' and source = 'gcp' and tenant is not null and subject = agent),
  tokens as materialized (
    select tenant, subject, coalesce(resource, '') as resource, t from (
      select coalesce(concluded_tenant, '${NO_TENANT}') as tenant, subject, resource, t from slice where kind = 'token.issued' and outcome = 'success' and subject is not null
      union all select coalesce(c.tenant_id, '${NO_TENANT}'), c.subject_oid, e.resource, e.time_ns
        from events e join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id and c.time_ns >= $1::bigint - ${TOKEN_NS} and c.time_ns < $1::bigint
        where e.kind = 'token.issued' and e.outcome = 'success' and e.time_ns >= $1::bigint - ${TOKEN_NS} and e.time_ns < $1::bigint and c.subject_oid is not null
    ) issued where (tenant, subject) in (select tenant, subject from asking)),
  moments as (
    select tenant, subject, resource, t, null::uuid as id from tokens
    union all select a.tenant, a.subject, r.resource, a.t, a.id from asking a join (select distinct tenant, subject, resource from tokens) r on r.tenant = a.tenant and r.subject = a.subject),
  lasts as (select id, resource, t, max(t) filter (where id is null) over (partition by tenant, subject, resource order by t) as last from moments),
  tokens_held as (select id, array_agg(resource order by resource) as held from lasts where id is not null and last >= t - ${TOKEN_NS} group by id)`

function insertOf({ name, where, profile, lists }: Topic<object>, index: number): string {
  const columns = Object.entries(profile as Readonly<Record<string, string>>)
  const list = (column: string, type: string): string =>
    lists === 'none' ? `null::${type}[]` : lists === 'all' ? `array_agg(${column} order by t, id)` : `(array_agg(${column} order by t, id))[1:${MOST_EVIDENCE}]`
  const usesHeld = columns.some(([, expression]) => expression === 'held')
  const names = columns.map((_, at) => `p${at}`)
  // The key is a hash that nobody can aim at: profiles hold what callers chose.
  return `topic${index} as (insert into digests (topic, key, day, profile, events, first_ns, last_ns, times, ids)
    select '${name}', left(encode(sha256(convert_to(profile::text, 'UTF8')), 'hex'), 32)::uuid, day, profile, events, first, last, times, ids from (
      select day, jsonb_build_object(${columns.map(([property], at) => `'${property}', p${at}`).join(', ')}) as profile, count(*) as events, min(t) as first, max(t) as last,
        ${list('t', 'bigint')} as times, ${list('id', 'uuid')} as ids
      from (select day, t, id, ${columns.map(([, expression], at) => `${expression} as p${at}`).join(', ')} from ${usesHeld ? 'slice left join tokens_held using (id)' : 'slice'} where ${where}) taken group by day, ${names.join(', ')}) summed)`
}

/** Sums up the events from $1 to $2, which must be whole days that `digests` does not hold. */
export const SUM_UP = `with ${SLICE}, ${HELD}, ${TOPICS.map(insertOf).join(', ')} select 1`

/** Sums that another statement made are not these. */
export const VERSION = sha256(SUM_UP).slice(0, 16)
