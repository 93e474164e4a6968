/**
 * What a refresh of all findings costs as a store grows: of everything (every day summed up anew), with nothing new, and after a change on the last day; and where the time of the last goes. `node
 * bench/findings.ts [--events 20000] [--copies 4,9] [--data-dir DIR]`: a simulated world is imported, then copied as a whole under new ids and earlier times (later ones would lie after the deletions of
 * its agents), so many times at each stage. With --data-dir an existing embedded store is measured as it is, and left as a refresh leaves it. bench/README.md has the figures.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { createCorrelator } from '#correlate/index.ts'
import { openContext } from '#correlate/findings/engine/context.ts'
import { refreshFindings, rules } from '#correlate/findings/index.ts'
import { DAY } from '#core/time.ts'
import { openDatabase } from '#database/open.ts'
import { ensurePartitions } from '#database/partitions.ts'
import { importPaths } from '#ingest/import.ts'
import { writeWorld } from '../simulate/write.ts'
import { copyEvents } from './copy-events.ts'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '20000' }, copies: { type: 'string', default: '4,9' }, 'data-dir': { type: 'string' } },
})

if (values['data-dir'] === undefined) await grown(Number(values.events), values.copies.split(',').map(Number))
else {
  const database = await openDatabase({ databaseUrl: undefined, dataDir: values['data-dir'] })
  await measure(database.pool)
  await database.close()
}

async function grown(events: number, copies: readonly number[]): Promise<void> {
  const folder = await mkdtemp(join(process.platform === 'win32' ? tmpdir() : '/tmp', 'trailjoin-bench-'))
  await chmod(folder, 0o755)
  const database = await openDatabase({ databaseUrl: undefined, dataDir: join(folder, 'data') })
  try {
    await writeWorld(join(folder, 'world'), { seed: 1, agents: 40, events, rollMinutes: 1440, truth: false })
    const sink = createCorrelator(database.pool)
    await importPaths([join(folder, 'world', 'records')], { sink })
    await sink.drain()
    await measure(database.pool)
    for (const [stage, more] of copies.entries()) {
      const { rows } = await database.pool.query<{ from: bigint }>('select min(time_ns) as from from events')
      await ensurePartitions(
        database.pool,
        Array.from({ length: Math.ceil(more / 2) + 1 }, (_, day) => rows[0]!.from - BigInt(day) * DAY),
      )
      await copyEvents(database.pool, { copies: more, label: `findings ${stage}`, first: -more })
      await measure(database.pool)
    }
  } finally {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ n: bigint; exchanges: bigint }>(
    `select count(*) as n, count(*) filter (where kind = 'token.exchanged') as exchanges from events`,
  )
  const whole = await timed(() => refreshFindings(pool, { whole: true }))
  const nothing = await timed(() => refreshFindings(pool))
  const day = await timed(async () => {
    // The refresh puts the round right.
    await pool.query('update digest_days set round = -1 where day = (select max(day) from digest_days)')
    return refreshFindings(pool)
  })
  const client = await pool.connect()
  await client.query('begin transaction isolation level repeatable read')
  await client.query(`set local jit = off; set local work_mem = '64MB'`)
  const context = await openContext(client)
  const times: [string, number][] = []
  for (const rule of rules) {
    const begun = performance.now()
    await rule.evaluate(context)
    times.push([rule.id, performance.now() - begun])
  }
  await client.query('rollback')
  client.release()
  const slowest = times.toSorted((a, b) => b[1] - a[1]).slice(0, 5)
  console.log(
    `${rows[0]!.n} events (${rows[0]!.exchanges} exchanges), ${whole.result.findings} findings, load ${loadavg()[0]!.toFixed(1)}: of ${whole.result.days} days ${whole.s} s, of ${nothing.result.days} ${nothing.s} s, of ${day.result.days} ${day.s} s; ${slowest.map(([rule, ms]) => `${rule} ${(ms / 1000).toFixed(2)}`).join(', ')}`,
  )
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly s: string }> {
  const started = performance.now()
  const result = await work()
  return { result, s: ((performance.now() - started) / 1000).toFixed(2) }
}
