/**
 * What a month's usage report costs over ten million events, against a plain SQL sum over the roll-up table and over what each event added to it.
 * `node bench/report.ts [--events 10000000] [--agents 300] [--rounds 5]`. Rows are made in SQL: 30 days, agents × two clouds × two models × two regions,
 * some of it ambiguous and unattributed. Prints medians with the least and the most.
 */
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { llmUsage } from '#api/read-models/llm-usage.ts'
import { inWholeSnapshot, wholeStore } from '#api/read-models/store.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { FILE_FORMATS, reportFile } from '../cli/report/make.ts'
import { testDataDir } from '../test/postgres.ts'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '10000000' }, agents: { type: 'string', default: '300' }, rounds: { type: 'string', default: '5' } },
})
const [EVENTS, AGENTS, ROUNDS] = [Number(values.events), Number(values.agents), Number(values.rounds)]
const MONTH = { from: '2026-09-01', to: '2026-10-01' }
const SUMS = 'sum(calls), sum(errors), sum(throttles), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens)'

const folder = await testDataDir()
const server = await startEmbedded(folder)
const pool = await openPool(server.url)
try {
  await migrate(pool)
  await fill()
  const { rows } = await pool.query<{ parts: bigint; daily: bigint }>(
    'select (select count(*) from usage_parts) as parts, (select count(*) from usage_daily) as daily',
  )
  console.log(`${rows[0]!.parts} events in ${rows[0]!.daily} rows of the roll-up\n`)
  const request = { filters: MONTH, prices: null, madeBy: null }
  const works: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['plain sum of usage_daily', () => pool.query(`select ${SUMS} from usage_daily where day >= '2026-09-01' and day < '2026-10-01'`)],
    ['plain sum of usage_parts', () => pool.query(`select ${SUMS} from usage_parts`)],
    ['report by agent', () => llmUsage(wholeStore(pool), { ...MONTH, groupBy: ['agent'] })],
    ['report by agent, model, cloud, day', () => llmUsage(wholeStore(pool), { ...MONTH, groupBy: ['day', 'agent', 'cloud', 'model'] })],
    ['report by everything', () => llmUsage(wholeStore(pool), MONTH)],
    ...FILE_FORMATS.map((format) => [`the same as ${format}`, () => inWholeSnapshot(pool, (store) => reportFile(store, format, request))] as const),
  ]
  const times = new Map<string, number[]>(works.map(([name]) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    // Each round begins with another one; the first is not counted.
    for (const [name, work] of works.map((_, index) => works[(index + round) % works.length]!)) {
      const began = performance.now()
      await work()
      if (round > 0) times.get(name)!.push(performance.now() - began)
    }
  }
  const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!
  const base = median(times.get('plain sum of usage_daily')!)
  console.log('what                               |   median ms |   least |     most | of a plain sum')
  for (const [name, list] of times)
    console.log(
      [
        name.padEnd(34),
        median(list).toFixed(1).padStart(11),
        Math.min(...list)
          .toFixed(1)
          .padStart(7),
        Math.max(...list)
          .toFixed(1)
          .padStart(8),
        (median(list) / base).toFixed(1).padStart(14),
      ].join(' | '),
    )
} finally {
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** The rows of the roll-up, then the part of each event: every row gets the same number of events. */
async function fill(): Promise<void> {
  await pool.query(
    `insert into usage_daily (id, day, tenant_id, share, agent_oid, confidence, candidates, cloud, account, region, model, model_id, token_basis)
     select md5(concat_ws('/', d, a, c, m, r))::uuid, date '2026-09-01' + d, '11111111-0000-4000-8000-000000000001', share, case when share = 'agent' then oid end,
       (case share when 'agent' then case when a % 3 = 0 then 'derived' else 'exact' end when 'ambiguous' then 'ambiguous' else 'none' end)::confidence,
       case when share = 'ambiguous' then array[oid, md5(oid::text)::uuid] else '{}' end, c::source, c || '-1', c || '-region-' || r, 'model-' || m, 'vendor.model-' || m || '-v1:0',
       case when c = 'aws' then 'metered' else 'none' end
     from generate_series(0, 29) d, generate_series(1, $1::int) a, unnest(array['aws', 'gcp']) c, generate_series(1, 2) m, generate_series(1, 2) r,
       lateral (select md5('agent ' || a)::uuid as oid, case a % 20 when 0 then 'ambiguous' when 1 then 'unattributed' else 'agent' end as share) w`,
    [AGENTS],
  )
  const { rows } = await pool.query<{ count: bigint }>('select count(*) as count from usage_daily')
  await pool.query(
    `insert into usage_parts (event_id, row_id, calls, errors, throttles, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
     select md5(id::text || '/' || k)::uuid, id, 1, (k % 50 = 0)::int, (k % 100 = 0)::int, case when cloud = 'aws' then 800 + k % 400 else 0 end, case when cloud = 'aws' then 100 + k % 90 else 0 end, 0, 0
     from usage_daily, generate_series(1, $1::int) k`,
    [Math.ceil(EVENTS / Number(rows[0]!.count))],
  )
  await pool.query(
    `update usage_daily u set calls = p.c, errors = p.e, throttles = p.t, input_tokens = p.i, output_tokens = p.o, parts = p.n
     from (select row_id, sum(calls) c, sum(errors) e, sum(throttles) t, sum(input_tokens) i, sum(output_tokens) o, count(*) n from usage_parts group by 1) p where p.row_id = u.id`,
  )
  await pool.query('vacuum analyze usage_daily')
  await pool.query('vacuum analyze usage_parts')
}
