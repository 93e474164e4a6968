import { describe, inject } from 'vitest'
import { transportContract } from './contract.ts'
import { createKafkaTransport } from './kafka.ts'
import { testNamespace } from '../test/kafka.ts'

const brokers = inject('kafkaBrokers')

describe.skipIf(brokers.length === 0)('over Kafka', () => {
  transportContract({
    open: () => {
      const options = { brokers, namespace: testNamespace(), partitions: 3, retryPause: { first: 5, longest: 50 }, retentionMs: 3_600_000 }
      return { transport: createKafkaTransport(options), again: () => createKafkaTransport(options) }
    },
    durable: true,
    patience: 30_000,
  })
})
