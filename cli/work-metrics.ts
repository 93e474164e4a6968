import { Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Database } from '#database/open.ts'
import { LOG_GAP_CAUSES } from '#core/transport.ts'
import { askedBeside } from './asked-beside.ts'

/** What a process that correlates measures of its own work. Times in seconds. */
export interface WorkMetrics {
  /** A round of the deriver was committed. */
  readonly concluded: (seconds: number) => void
  /** Findings were brought up to date. */
  readonly foundOut: (seconds: number) => void
}

interface State {
  readonly pending: number
  readonly conclusions: number
  readonly findings: number
  readonly waiting: number
  readonly givenUp: number
  readonly lost: Readonly<Record<string, number>>
  /** By the database's clock, in seconds since 1970. */
  readonly readAt: number
}

/** One scrape reads once, and two processes that ask together do no harm: counting what waits takes as long as that is much, and is told as of before meanwhile. */
const TIMES = { every: 5_000, goodFor: 300_000, patience: 3_000 }

/**
 * Metrics of conclusions, findings and webhooks. The gauges are numbers of the store, read when the registry is scraped: every process of one store gives the same. Where the store
 * takes long or does not answer they are told as it answered last, with the time of that, for five minutes; then they are left out.
 */
export function createWorkMetrics(registry: Registry, pool: Database['pool']): WorkMetrics {
  const read = askedBeside(() => readState(pool), TIMES)
  const gauge = (name: string, help: string, value: (state: State) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const state = await read()
        if (state === null) this.remove()
        else this.set(value(state))
      },
    })
  gauge('trailjoin_pending_events', 'Events stored that no conclusions are drawn from yet.', ({ pending }) => pending)
  gauge('trailjoin_conclusions_round', 'Rounds of conclusions drawn since the store was made.', ({ conclusions }) => conclusions)
  gauge('trailjoin_findings_round', 'Up to which round of conclusions findings are computed.', ({ findings }) => findings)
  gauge('trailjoin_work_read_timestamp_seconds', 'When the numbers of the store were read: conclusions, findings, webhook messages.', ({ readAt }) => readAt)
  const messages = new Gauge({
    name: 'trailjoin_webhook_messages',
    help: 'Messages to webhooks that wait to be taken, or that were given up after four days.',
    labelNames: ['state'],
    registers: [],
    async collect() {
      const state = await read()
      this.reset()
      if (state === null) return
      this.set({ state: 'waiting' }, state.waiting)
      this.set({ state: 'given_up' }, state.givenUp)
    },
  })
  registry.registerMetric(messages)
  const lost = new Gauge({
    name: 'trailjoin_log_lost_messages',
    help: 'Messages between collectors and store that were not stored, by cause.',
    labelNames: ['cause'],
    registers: [],
    async collect() {
      const state = await read()
      this.reset()
      for (const cause of state === null ? [] : LOG_GAP_CAUSES) this.set({ cause }, state?.lost[cause] ?? 0)
    },
  })
  registry.registerMetric(lost)
  const rounds = new Histogram({
    name: 'trailjoin_conclusions_round_seconds',
    help: 'How long the rounds of conclusions of this process took, with the wait for the round of another.',
    buckets: [0.1, 0.5, 2, 10, 30, 120, 600],
    registers: [registry],
  })
  const findings = new Histogram({
    name: 'trailjoin_findings_refresh_seconds',
    help: 'How long this process took to bring findings up to date.',
    buckets: [0.5, 2, 10, 30, 120, 600, 3600],
    registers: [registry],
  })
  return { concluded: (seconds) => rounds.observe(seconds), foundOut: (seconds) => findings.observe(seconds) }
}

async function readState(pool: Database['pool']): Promise<State> {
  // As doubles: the pool gives bigint, and these are far from 2^53.
  const { rows } = await pool.query<State>(
    `select (select coalesce(sum(cardinality(times)), 0) from pending)::float8 as pending,
       coalesce((select round from progress where name = 'conclusions'), 0)::float8 as conclusions,
       coalesce((select round from progress where name = 'findings'), 0)::float8 as findings,
       (select count(*) from webhook_outbox where failed_at is null)::float8 as waiting,
       (select count(*) from webhook_outbox where failed_at is not null)::float8 as "givenUp",
       (select coalesce(jsonb_object_agg(cause, messages), '{}') from
         (select cause, sum(coalesce(last_offset - first_offset + 1, 1))::float8 as messages from log_gaps where closed_at is null group by cause) g) as lost,
       extract(epoch from now())::float8 as "readAt"`,
  )
  return rows[0]!
}
