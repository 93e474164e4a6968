import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { CORRELATORS } from '#transport/deliver.ts'
import { inspectKafka } from '#transport/kafka-check.ts'
import type { KafkaConfig } from '../config/kafka.ts'
import { askedBeside } from './asked-beside.ts'
import type { Cli } from './cli.ts'
import { kafkaClientSettings } from './kafka.ts'

/** Asking takes a connection of its own, so Kafka is not asked at every scrape, and no scrape waits for it. An answer of more than two minutes ago says nothing any more. */
const TIMES = { every: 20_000, goodFor: 120_000, patience: 0 }

/** A gauge of how many messages the correlators, all together, have not handled; left out until an answer is there. */
export function createKafkaLag(registry: Registry, kafka: KafkaConfig, environment: Cli['environment']): void {
  const read = askedBeside(async () => {
    const settings = await kafkaClientSettings(kafka, environment)
    const { behind } = await inspectKafka({ ...settings, namespace: kafka.namespace, group: CORRELATORS })
    if (behind === null) throw new Error('Kafka does not say how far the correlators are')
    return Number(behind)
  }, TIMES)
  const gauge = new Gauge({
    name: 'trailjoin_kafka_behind_messages',
    help: 'Messages in Kafka that the correlators, all together, have not handled.',
    registers: [],
    async collect() {
      const behind = await read()
      if (behind === null) this.remove()
      else this.set(behind)
    },
  })
  registry.registerMetric(gauge)
}
