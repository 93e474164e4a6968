import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { CORRELATORS } from '#transport/deliver.ts'
import { inspectKafka } from '#transport/kafka-check.ts'
import type { KafkaConfig } from '../config/kafka.ts'
import type { Cli } from './cli.ts'
import { kafkaClientSettings } from './kafka.ts'

/** Asking takes a connection of its own, so Kafka is not asked at every scrape. */
const EVERY_MS = 20_000
/** An answer that is older says nothing any more. */
const GOOD_FOR_MS = 120_000

/** A gauge of how many messages the correlators, all together, have not handled. Kafka is asked beside the scrape, which never waits for it; the gauge is left out until an answer is there. */
export function createKafkaLag(registry: Registry, kafka: KafkaConfig, environment: Cli['environment']): void {
  let known: { readonly at: number; readonly behind: number } | null = null
  let asked = -Infinity
  let asking = false
  const ask = async (): Promise<void> => {
    const settings = await kafkaClientSettings(kafka, environment)
    const { behind } = await inspectKafka({ ...settings, namespace: kafka.namespace, group: CORRELATORS })
    if (behind !== null) known = { at: performance.now(), behind: Number(behind) }
  }
  const gauge = new Gauge({
    name: 'trailjoin_kafka_behind_messages',
    help: 'Messages in Kafka that the correlators, all together, have not handled.',
    registers: [],
    collect() {
      if (!asking && performance.now() - asked > EVERY_MS) {
        asking = true
        asked = performance.now()
        // That Kafka does not answer is told by the consumer's log.
        void ask()
          .catch(() => undefined)
          .finally(() => (asking = false))
      }
      if (known === null || performance.now() - known.at > GOOD_FOR_MS) this.remove()
      else this.set(known.behind)
    },
  })
  registry.registerMetric(gauge)
}
