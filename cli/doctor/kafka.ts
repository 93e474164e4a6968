import type pg from 'pg'
import { CORRELATORS } from '#transport/deliver.ts'
import { inspectKafka } from '#transport/kafka-check.ts'
import type { Finding } from '#ingest/engine/source.ts'
import type { Cli } from '../cli.ts'
import { kafkaClientSettings } from '../kafka.ts'
import { ok, problem, warning, wordsOf } from './report.ts'
import type { Report } from './report.ts'

/** Behind by more than this, the correlators are too few, or none runs. */
const BEHIND_WARNING = 100_000n

/** What Kafka says, where brokers are named. */
export async function kafkaReport(cli: Pick<Cli, 'config' | 'environment'>): Promise<readonly Report[]> {
  const { kafka } = cli.config
  if (kafka === undefined) return []
  const report = (finding: Finding): readonly Report[] => [{ subject: 'kafka', part: '', findings: [finding] }]
  try {
    const settings = await kafkaClientSettings(kafka, cli.environment)
    const { brokers, missing, behind } = await inspectKafka({ ...settings, namespace: kafka.namespace, group: CORRELATORS })
    if (missing.length > 0)
      return report(
        ok('kafka', `${brokers} broker${brokers === 1 ? '' : 's'} answer${brokers === 1 ? 's' : ''}; ${missing.join(' and ')} will be made on first use`),
      )
    const message = `${brokers} broker${brokers === 1 ? '' : 's'} answer${brokers === 1 ? 's' : ''}; the correlators are ${behind ?? 0n} messages behind`
    if ((behind ?? 0n) <= BEHIND_WARNING) return report(ok('kafka', message))
    return report(warning('kafka', message, 'Is `trailjoin correlate` running? Any number of them share the work.'))
  } catch (error) {
    return report(problem('kafka', wordsOf(error), 'docs/operators/kafka.md lists the settings and the rights that are needed.'))
  }
}

interface Lost {
  readonly cause: string
  readonly gaps: bigint
  /** Null where a topic was made anew. */
  readonly messages: bigint | null
  readonly paused: bigint
}

/** What was lost between collectors and store, and what somebody has paused. @throws when the store cannot be read */
export async function logFindings(store: Pick<pg.Pool, 'query'>): Promise<readonly Finding[]> {
  const { rows } = await store.query<Lost>(
    `select cause::text as cause, count(*) as gaps, sum(last_offset - first_offset + 1) as messages from log_gaps where closed_at is null group by cause order by cause`,
  )
  const { rows: paused } = await store.query<{ log: string; partition: number }>(
    'select log, partition from log_positions where paused order by log, partition',
  )
  const lost = rows.map(({ cause, gaps, messages }) =>
    problem(
      'gaps',
      `${gaps} stretch${gaps === 1n ? '' : 'es'} of messages lost (${CAUSES[cause] ?? cause}${messages === null ? '' : `, ${messages} messages`})`,
      NEXT[cause] ?? null,
    ),
  )
  return [
    ...lost,
    ...(paused.length === 0
      ? []
      : [warning('paused', `nobody reads ${paused.map(({ log, partition }) => `${log}/${partition}`).join(', ')}`, '`trailjoin kafka resume` goes on.')]),
  ]
}

const CAUSES: Readonly<Record<string, string>> = {
  retention: 'Kafka removed them before they were read',
  recreated: 'a topic was made anew',
  unreadable: 'they could not be decoded',
  skipped: 'somebody skipped them',
}
const NEXT: Readonly<Record<string, string>> = {
  retention: 'GET /v1/coverage says from when to when. Import that time from the clouds, and let the topics keep messages for longer, or run more correlators.',
  recreated: 'Import the time that is missing from the clouds.',
  unreadable: '`trailjoin kafka replay` reads them again, for example after an update.',
  skipped: '`trailjoin kafka rewind` reads them again while Kafka still has them.',
}
