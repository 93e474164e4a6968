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
