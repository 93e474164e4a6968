/** What an operator does with the Kafka topics between collectors and correlators, whether correlators run or not. */
import { Command, Option } from 'commander'
import pino from 'pino'
import { closeGap, createLogPositions, moveLogs, setPaused } from '#correlate/store/log-positions.ts'
import type { Database } from '#database/open.ts'
import { TOPICS, topicNames } from '#transport/kafka-topics.ts'
import { type DeadLetter, type KafkaAdmin, type PartitionEnds, openKafkaAdmin } from '#transport/kafka-admin.ts'
import { toMessage } from '#transport/kafka-message.ts'
import { CommandError, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { kafkaClientSettings, openKafka } from '../kafka.ts'
import { formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { LOG_HOOKS } from '../log-hooks.ts'

interface Scope extends GlobalOptions {
  readonly topic?: string
  readonly partition?: number
}

export const kafkaCommand: CommandFactory = (cli) =>
  new Command('kafka')
    .description('looks after the Kafka topics: how far they are stored, pause and resume, skip and rewind, what was lost')
    .addCommand(statusCommand(cli))
    .addCommand(scoped(new Command('pause').description('stops the reading of partitions; correlators follow within seconds')).action(pauses(cli, true)))
    .addCommand(scoped(new Command('resume').description('reads paused partitions again')).action(pauses(cli, false)))
    .addCommand(
      moving(
        new Command('skip'),
        'leaves out what lies before; what is left out becomes a gap that coverage tells',
        'end, an offset, or a time (2026-09-01T10:00:00Z)',
      ).action(moves(cli, 'skip')),
    )
    .addCommand(
      moving(new Command('rewind'), 'reads again what is stored already, which changes nothing', 'start, an offset, or a time (2026-09-01T10:00:00Z)').action(
        moves(cli, 'rewind'),
      ),
    )
    .addCommand(
      new Command('replay')
        .description('reads the batches again that were set aside as unreadable, and hands over those that can be read now')
        .action(async (_options: unknown, command: Command) =>
          inKafka(cli, command.optsWithGlobals<GlobalOptions>(), (kafka, { pool }) => replay(cli, kafka, pool)),
        ),
    )

const scoped = (command: Command): Command =>
  command
    .addOption(new Option('--topic <topic>', 'only this one of the topics').choices(TOPICS))
    .option('--partition <number>', 'only this partition of the topic', wholeNumber)

const moving = (command: Command, description: string, to: string): Command => scoped(command.description(description)).requiredOption('--to <place>', to)

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--partition must be a whole number, got "${text}"`)
  return Number(text)
}

async function inKafka(cli: Cli, options: GlobalOptions, work: (kafka: KafkaAdmin, database: Database, namespace: string) => Promise<void>): Promise<void> {
  const { kafka } = cli.config
  if (kafka === undefined) throw new UsageError('`kafka` looks after the topics of a cluster: set KAFKA_BROKERS, e.g. KAFKA_BROKERS=kafka:9092.')
  const settings = await kafkaClientSettings(kafka, cli.environment).catch((error: unknown) => {
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error })
  })
  const admin = await openKafkaAdmin({ ...settings, namespace: kafka.namespace }).catch((error: unknown) => {
    throw new CommandError((error as Error).message, { cause: error })
  })
  try {
    await withStore(cli, options, (database) => work(admin, database, kafka.namespace))
  } finally {
    await admin.close()
  }
}

/** The partitions that a command is about. @throws UsageError where there is none */
function chosen(ends: readonly PartitionEnds[], { topic, partition }: Scope, namespace: string): readonly PartitionEnds[] {
  if (partition !== undefined && topic === undefined) throw new UsageError('--partition goes with --topic: partitions are numbered by topic')
  const names = topicNames(namespace)
  const log = topic === undefined ? undefined : names[TOPICS.findIndex((one) => one === topic)]
  const found = ends.filter((one) => (log === undefined || one.log === log) && (partition === undefined || one.partition === partition))
  if (found.length === 0)
    throw new CommandError(partition === undefined ? `There is no topic ${log ?? names.join(' or ')} yet.` : `${log} has no partition ${partition}.`)
  return found
}

interface Row {
  readonly log: string
  readonly partition: number
  readonly next: string
  readonly low: string
  readonly high: string
  readonly behind: string
  readonly paused: boolean
  readonly lost: string
}

const TABLE: readonly Column<Row>[] = [
  { title: 'topic', width: 28, text: (row) => row.log },
  { title: 'partition', width: 9, text: (row) => String(row.partition) },
  { title: 'stored up to', width: 14, text: (row) => row.next },
  { title: 'behind', width: 12, text: (row) => row.behind, style: (row) => (row.behind === '0' ? null : 'yellow') },
  { title: 'lost', width: 10, text: (row) => (row.lost === '0' ? '' : row.lost), style: () => 'red' },
  { title: '', width: 7, text: (row) => (row.paused ? 'paused' : '') },
]
const CSV: Readonly<Record<string, (row: Row) => string | number>> = {
  log: (row) => row.log,
  partition: (row) => row.partition,
  next: (row) => row.next,
  low: (row) => row.low,
  high: (row) => row.high,
  behind: (row) => row.behind,
  paused: (row) => String(row.paused),
  lost: (row) => row.lost,
}

function statusCommand(cli: Cli): Command {
  return new Command('status')
    .description('each partition: stored up to which offset, how many messages are behind it, how many were lost')
    .addOption(formatOption())
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      await inKafka(cli, options, async (kafka, { pool }) => {
        const rows = await statusRows(kafka, pool)
        async function* pages(): AsyncGenerator<readonly Row[]> {
          await Promise.resolve()
          if (rows.length > 0) yield rows
        }
        if ((await printListing(cli.out, options.format, { pages: pages(), table: TABLE, csv: CSV }, cli.signal)) === 0) cli.say('There are no topics yet.')
      })
    })
}

async function statusRows(kafka: KafkaAdmin, pool: Database['pool']): Promise<readonly Row[]> {
  const ends = await kafka.ends()
  const positions = createLogPositions(pool)
  const stored = new Map(await Promise.all([...new Set(ends.map(({ log }) => log))].map(async (log) => [log, await positions.read(log)] as const)))
  const { rows: lost } = await pool.query<{ log: string; partition: number; messages: bigint }>(
    'select log, partition, sum(coalesce(last_offset - first_offset + 1, 1))::bigint as messages from log_gaps where closed_at is null group by log, partition',
  )
  return ends.map(({ log, partition, low, high }) => {
    const position = stored.get(log)?.get(partition)
    const next = position?.next ?? 0n
    return {
      log,
      partition,
      next: String(next),
      low: String(low),
      high: String(high),
      behind: String(high - (next < low ? low : next > high ? high : next)),
      paused: position?.paused ?? false,
      lost: String(lost.find((one) => one.log === log && one.partition === partition)?.messages ?? 0n),
    }
  })
}

function pauses(cli: Cli, paused: boolean) {
  return async (_options: unknown, command: Command): Promise<void> => {
    const options = command.optsWithGlobals<Scope>()
    await inKafka(cli, options, async (kafka, { pool }, namespace) => {
      const partitions = chosen(await kafka.ends(), options, namespace)
      await setPaused(
        pool,
        // Of a partition that nobody has read: from its beginning on, so that what was removed before is noticed.
        partitions.map(({ log, partition }) => ({ log, partition, next: 0n })),
        paused,
      )
      cli.say(
        `${partitions.length} partition${partitions.length === 1 ? '' : 's'} ${paused ? 'paused: messages wait in Kafka as long as its retention lasts' : 'resumed'}.`,
      )
    })
  }
}

function moves(cli: Cli, how: 'skip' | 'rewind') {
  return async (_options: unknown, command: Command): Promise<void> => {
    const options = command.optsWithGlobals<Scope & { readonly to: string }>()
    const target = placeOf(options.to, how)
    await inKafka(cli, options, async (kafka, { pool }, namespace) => {
      const partitions = chosen(await kafka.ends(), options, namespace)
      if (typeof target === 'bigint' && options.partition === undefined && partitions.length > 1)
        throw new UsageError('--to with an offset goes with --topic and --partition: each partition counts by itself')
      const times =
        target instanceof Date
          ? new Map(await Promise.all([...new Set(partitions.map(({ log }) => log))].map(async (log) => [log, await kafka.offsetsAt(log, target)] as const)))
          : null
      const positions = createLogPositions(pool)
      const wanted: { log: string; partition: number; from: bigint; next: bigint }[] = []
      for (const { log, partition, low, high } of partitions) {
        const at = target === 'start' ? low : target === 'end' ? high : target instanceof Date ? (times?.get(log)?.get(partition) ?? high) : target
        if (at < low || at > high) throw new CommandError(`${log}, partition ${partition}, has the offsets ${low} to ${high}, not ${at}.`)
        const from = (await positions.read(log)).get(partition)?.next ?? low
        // Each command goes one way only: a slip of the pen must not leave messages out.
        if (how === 'skip' ? at > from : at < from) wanted.push({ log, partition, from, next: at })
      }
      await moveLogs(pool, wanted, `trailjoin kafka skip --to ${options.to}`)
      const messages = wanted.reduce((sum, { from, next }) => sum + (next > from ? next - from : from - next), 0n)
      cli.say(
        how === 'skip'
          ? `${messages} messages of ${wanted.length} partitions are skipped; \`trailjoin kafka rewind\` reads them while Kafka has them.`
          : `${messages} messages of ${wanted.length} partitions are read again.`,
      )
    })
  }
}

/** @throws UsageError */
function placeOf(text: string, how: 'skip' | 'rewind'): bigint | Date | 'start' | 'end' {
  if (text === 'start' && how === 'rewind') return 'start'
  if (text === 'end' && how === 'skip') return 'end'
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  const time = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime()))
    throw new UsageError(`--to must be ${how === 'skip' ? 'end' : 'start'}, an offset or a time such as 2026-09-01T10:00:00Z, got "${text}"`)
  return time
}

async function replay(cli: Cli, kafka: KafkaAdmin, pool: Database['pool']): Promise<void> {
  const log = pino({ name: 'trailjoin', hooks: LOG_HOOKS, level: cli.config.logLevel }, pino.destination(2))
  const transport = await openKafka(cli.config.kafka!, cli, 'trailjoin-replay', log)
  const names = topicNames(cli.config.kafka!.namespace)
  const count = { batches: 0, messages: 0, left: 0 }
  try {
    await kafka.deadLetters(async (letter: DeadLetter) => {
      count.batches++
      const topic = TOPICS[names.indexOf(letter.log)]
      if (topic === undefined || 'unreadable' in letter.content) {
        count.left++
        const why = 'unreadable' in letter.content ? letter.content.unreadable : 'its topic is not of this namespace'
        cli.say(`${letter.log}, partition ${letter.partition}, offsets ${letter.firstOffset} to ${letter.lastOffset}: ${why}`)
        return
      }
      await transport.publish(topic, letter.content.messages.map(toMessage))
      await closeGap(pool, letter)
      count.messages += letter.content.messages.length
    })
  } finally {
    await transport.close()
  }
  cli.say(
    `${count.batches} batches had been set aside: ${count.batches - count.left} were read (${count.messages} messages), ${count.left} still cannot be read.`,
  )
  if (count.left > 0) throw new CommandError(`${count.left} batches cannot be read yet; they stay in the dead-letter topic.`)
}
