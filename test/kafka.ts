/** Kafka for tests: one broker for the run, or the cluster that KAFKA_BROKERS names. */
import { randomBytes } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { startKafka } from '../scripts/kafka-cluster.ts'
import { kafkaClassPath, MissingProgram } from '../scripts/kafka-programs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty when there is no Kafka here. */
    readonly kafkaBrokers: readonly string[]
    /** Clusters of several brokers can be started here. */
    readonly kafkaPrograms: boolean
  }
}

/** Vitest's global set-up. Without Java or Maven the tests of Kafka are skipped, and this says so; with CI set it throws. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const missing = await kafkaClassPath().then(
    () => null,
    (error: unknown) => error,
  )
  if (missing !== null && (process.env['CI'] || !(missing instanceof MissingProgram))) throw missing
  if (missing !== null) process.stderr.write(`\nSKIPPED: tests of Kafka. ${(missing as Error).message}\n\n`)
  project.provide('kafkaPrograms', missing === null)
  const given = process.env['KAFKA_BROKERS']?.split(',').map((broker) => broker.trim())
  if (given !== undefined || missing !== null) {
    project.provide('kafkaBrokers', given ?? [])
    return undefined
  }
  const cluster = await startKafka({ brokers: 1 })
  project.provide('kafkaBrokers', cluster.brokers)
  return () => cluster.stop()
}

/** A namespace that nobody else uses. */
export const testNamespace = (): string => `trailjoin-test-${randomBytes(6).toString('hex')}`
