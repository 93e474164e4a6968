/**
 * Messages per second through the transports: published until durable, and consumed until handled. `node bench/transport.ts [messages] [rounds]`.
 * Starts a Kafka of one broker (its Java shares the processors), or uses KAFKA_BROKERS. The rounds of both alternate; the first is dropped.
 */
import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import type { RawRecord } from '#core/record.ts'
import type { Message, Transport } from '#core/transport.ts'
import { createKafkaTransport } from '#transport/kafka.ts'
import { createMemoryTransport } from '#transport/memory.ts'
import { messageToRecord, recordToMessage } from '#transport/record-codec.ts'
import { startKafka } from '../scripts/kafka-cluster.ts'

const BATCH = 2000
/** Publishes that are on their way at once, as several collectors would have. */
const IN_FLIGHT = 4

/** About the size and the entropy of a CloudTrail record: 1.7 KB, of which most repeats from record to record. */
function record(index: number): RawRecord {
  const value = {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      principalId: `AROA${randomBytes(8).toString('hex')}:agent`,
      arn: 'arn:aws:sts::111122223333:assumed-role/agent-role/agent',
      accessKeyId: `ASIA${randomBytes(8).toString('hex')}`,
    },
    eventTime: new Date(1_750_000_000_000 + index * 997).toISOString(),
    eventSource: 'bedrock.amazonaws.com',
    eventName: 'InvokeModel',
    awsRegion: 'eu-central-1',
    sourceIPAddress: `192.0.2.${index % 256}`,
    userAgent: 'aws-sdk-js/3.800.0 ua/2.1 os/linux#6.8 lang/js md/nodejs#24.1.0 api/bedrock-runtime#3.800.0 m/E,b'.repeat(6),
    requestParameters: { modelId: 'anthropic.claude-sonnet-4-20250514-v1:0' },
    requestID: crypto.randomUUID(),
    eventID: crypto.randomUUID(),
    tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: 'bedrock-runtime.eu-central-1.amazonaws.com' },
    padding: 'x'.repeat(300),
  }
  return { text: JSON.stringify(value), value, masked: [], origin: { file: 'bench', line: index, index }, context: {} }
}

interface Figures {
  readonly encoded: number
  readonly published: number
  readonly consumed: number
  /** Of this process, in µs a message, publishing and consuming together; unlike the others hardly touched by what else runs here. */
  readonly cpu: number
}

/** Published first and consumed after that, where the transport keeps messages; else both at once. */
async function measure(transport: Transport, batches: readonly (readonly RawRecord[])[], keeps: boolean): Promise<Figures> {
  const total = batches.reduce((sum, batch) => sum + batch.length, 0)
  const perSecond = (since: number): number => Math.round(total / ((performance.now() - since) / 1000))
  let started = performance.now()
  const messages: Message[][] = batches.map((batch) => batch.map(recordToMessage))
  const encoded = perSecond(started)

  const { promise: all, resolve } = Promise.withResolvers<undefined>()
  let handled = 0
  let first = 0
  const consume = (): Promise<void> =>
    transport.consume('records', 'bench', (batch) => {
      // Joining the group takes about half a second once: no part of the rate.
      first ||= performance.now()
      for (const message of batch) if ('poison' in messageToRecord(message)) throw new Error('a record did not survive')
      handled += batch.length
      if (handled >= total) resolve(undefined)
      return Promise.resolve()
    })
  if (!keeps) await consume()
  const cpuBefore = process.cpuUsage()
  started = performance.now()
  const queue = [...messages]
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) await transport.publish('records', batch)
    }),
  )
  const published = perSecond(started)
  if (keeps) await consume()
  await all
  const cpu = process.cpuUsage(cpuBefore)
  return { encoded, published, consumed: perSecond(keeps ? first : started), cpu: Math.round((cpu.user + cpu.system) / total) }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const total = Number(process.argv[2] ?? 60_000)
const rounds = Number(process.argv[3] ?? 5)
const batches = Array.from({ length: Math.ceil(total / BATCH) }, (_, batch) =>
  Array.from({ length: Math.min(BATCH, total - batch * BATCH) }, (_record, index) => record(batch * BATCH + index)),
)
const given = process.env['KAFKA_BROKERS']
const cluster = given ? null : await startKafka({ brokers: 1 })
try {
  const brokers = cluster?.brokers ?? given!.split(',')
  const results: Record<'kafka' | 'memory', Figures[]> = { kafka: [], memory: [] }
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? (['kafka', 'memory'] as const) : (['memory', 'kafka'] as const)) {
      const transport =
        name === 'kafka'
          ? createKafkaTransport({ brokers, namespace: `bench-${randomBytes(4).toString('hex')}`, retentionMs: 3_600_000 })
          : createMemoryTransport()
      const figures = await measure(transport, batches, name === 'kafka')
      await transport.close()
      if (round > 0) results[name].push(figures)
    }
  }
  console.log(
    `${total} records of ${Math.round(batches[0]![0]!.text.length / 100) / 10} KB, ${rounds} rounds; Node ${process.versions.node}, ${cpus().length} processors, ${given ? 'KAFKA_BROKERS' : 'one broker beside it'}`,
  )
  for (const part of ['encoded', 'published', 'consumed', 'cpu'] as const) {
    const of = (name: 'kafka' | 'memory'): number[] => results[name].map((figures) => figures[part])
    const [kafka, memory] = [of('kafka'), of('memory')]
    const ratio = median(kafka.map((value, index) => value / memory[index]!))
    const unit = part === 'cpu' ? ' µs' : '/s'
    const shown = (values: readonly number[]): string => `${median(values)}${unit} (${Math.min(...values)}–${Math.max(...values)})`
    console.log(`${part.padEnd(10)} kafka ${shown(kafka)}   memory ${shown(memory)}   kafka:memory ${ratio.toFixed(2)}`)
  }
} finally {
  await cluster?.stop()
}
