/** Starts, breaks and stops a small Kafka cluster (KRaft, every node broker and controller) on free ports of 127.0.0.1. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { kafkaClassPath } from './kafka-programs.ts'

const run = promisify(execFile)

export interface KafkaOptions {
  readonly brokers: 1 | 3
  /** Where data and logs go; a temporary folder that `stop` removes when absent. */
  readonly dir?: string
  /** The brokers outlive this process (`stopPids` ends them). */
  readonly detached?: boolean
  /** Two more listeners on each broker, which ask who this is: one in clear, one over TLS. */
  readonly secured?: SecuredListeners
}

export interface SecuredListeners {
  /** May sign in by PLAIN and SCRAM. */
  readonly username: string
  /** Letters and digits. */
  readonly password: string
  /** PEM: private key and certificate of the brokers, for 127.0.0.1. */
  readonly keyAndCertificate: string
}

export interface KafkaCluster {
  /** `127.0.0.1:port` of each broker. */
  readonly brokers: readonly string[]
  /** The same brokers by SASL (PLAIN, SCRAM, OAUTHBEARER with unsigned tokens); empty without `secured`. */
  readonly saslBrokers: readonly string[]
  /** The same over TLS. */
  readonly tlsBrokers: readonly string[]
  readonly dir: string
  /** Process ids of the brokers as they are now. */
  pids(): readonly number[]
  /** kill -9 of one broker, counted from 0; resolves when it is gone. */
  kill(index: number): Promise<void>
  /** Starts a killed broker on its port and data again; resolves when it serves. */
  restart(index: number): Promise<void>
  /** Ends every broker; resolves when they are gone. */
  stop(): Promise<void>
}

/** A 3-broker cluster on a busy machine of two cores takes about 20 s. */
const READY_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 20_000
const JVM = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Djava.awt.headless=true']

/**
 * Starts a cluster and resolves when every broker serves.
 * @throws MissingProgram, or an Error with the end of the broker's log
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  const classPath = await kafkaClassPath()
  const temporary = options.dir === undefined
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'trailjoin-kafka-')))
  await mkdir(dir, { recursive: true })
  const ports = await freePorts(options.brokers * 4)
  const nodes = Array.from({ length: options.brokers }, (_, index) => ({
    id: index + 1,
    folder: join(dir, `broker-${index + 1}`),
    port: ports[index * 4]!,
    controllerPort: ports[index * 4 + 1]!,
    saslPort: ports[index * 4 + 2]!,
    tlsPort: ports[index * 4 + 3]!,
    starts: 0,
    process: null as ChildProcess | null,
  }))
  type Node = (typeof nodes)[number]
  const voters = nodes.map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`).join(',')
  // One in sixty-four begins with a hyphen and would be taken for an option, were it an argument of its own.
  const clusterId = randomBytes(16).toString('base64url')
  const settings = (node: Node): string => join(node.folder, 'server.properties')

  async function format(node: Node): Promise<void> {
    await rm(node.folder, { recursive: true, force: true })
    await mkdir(node.folder, { recursive: true })
    const { secured } = options
    const lines = [...properties(node, voters, nodes.length, secured !== undefined), ...(secured === undefined ? [] : securedProperties(node.folder, secured))]
    await writeFile(settings(node), `${lines.join('\n')}\n`)
    if (secured !== undefined) await writeFile(join(node.folder, 'broker.pem'), secured.keyAndCertificate, { mode: 0o600 })
    const scram =
      secured === undefined ? [] : ['256', '512'].flatMap((bits) => ['-S', `SCRAM-SHA-${bits}=[name=${secured.username},password=${secured.password}]`])
    await run('java', [...JVM, '-cp', classPath, 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', settings(node), ...scram])
  }

  async function start(node: Node): Promise<void> {
    const log = join(node.folder, `start-${++node.starts}.log`)
    const file = openSync(log, 'w')
    const child = spawn('java', [...JVM, '-cp', classPath, 'kafka.Kafka', settings(node)], {
      stdio: ['ignore', file, file],
      detached: options.detached === true,
      cwd: node.folder,
    })
    closeSync(file)
    node.process = child
    if (options.detached) child.unref()
    await ready(child, log)
  }

  async function end(node: Node, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = node.process
    if (child === null || !isRunning(child)) return
    const gone = once(child, 'exit')
    child.kill(signal)
    const late = new AbortController()
    await Promise.race([
      gone,
      sleep(STOP_TIMEOUT_MS, undefined, { signal: late.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      ),
    ])
    late.abort()
    if (isRunning(child)) await gone
  }

  const stop = async (): Promise<void> => {
    // Brokers of a majority that is gone would wait for it: a controller quorum that ends together is quicker killed than asked.
    await Promise.all(nodes.map((node) => end(node, nodes.length > 1 ? 'SIGKILL' : 'SIGTERM')))
    if (temporary) await rm(dir, { recursive: true, force: true, maxRetries: 3 })
  }
  const nodeAt = (index: number): Node => {
    const node = nodes[index]
    if (node === undefined) throw new RangeError(`There is no broker ${index}: the cluster has ${nodes.length}.`)
    return node
  }

  try {
    await Promise.all(nodes.map(format))
    await Promise.all(nodes.map(start))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    brokers: nodes.map((node) => `127.0.0.1:${node.port}`),
    saslBrokers: options.secured === undefined ? [] : nodes.map((node) => `127.0.0.1:${node.saslPort}`),
    tlsBrokers: options.secured === undefined ? [] : nodes.map((node) => `127.0.0.1:${node.tlsPort}`),
    dir,
    pids: () => nodes.flatMap(({ process: child }) => (child?.pid !== undefined && isRunning(child) ? [child.pid] : [])),
    kill: (index) => end(nodeAt(index), 'SIGKILL'),
    restart: (index) => start(nodeAt(index)),
    stop,
  }
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

interface NodeAddress {
  readonly id: number
  readonly folder: string
  readonly port: number
  readonly controllerPort: number
  readonly saslPort: number
  readonly tlsPort: number
}

function properties({ id, folder, port, controllerPort, saslPort, tlsPort }: NodeAddress, voters: string, brokers: number, secured: boolean): string[] {
  const clients = [`PLAINTEXT://127.0.0.1:${port}`, ...(secured ? [`SASL_PLAINTEXT://127.0.0.1:${saslPort}`, `SASL_SSL://127.0.0.1:${tlsPort}`] : [])].join(',')
  const replicas = Math.min(3, brokers)
  const inSync = replicas === 3 ? 2 : 1
  return [
    'process.roles=broker,controller',
    `node.id=${id}`,
    `controller.quorum.voters=${voters}`,
    `listeners=${clients},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=${clients}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    `default.replication.factor=${replicas}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${replicas}`,
    'offsets.topic.num.partitions=4',
    `transaction.state.log.replication.factor=${replicas}`,
    `transaction.state.log.min.isr=${inSync}`,
    'transaction.state.log.num.partitions=4',
    // Small, so that tests meet more than one segment; and a disk that fills slowly.
    `log.segment.bytes=${16 * 1024 * 1024}`,
    // 128 MiB unless told otherwise: a quarter of the heap.
    `log.cleaner.dedupe.buffer.size=${16 * 1024 * 1024}`,
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=2000',
    // A killed broker is noticed after 3 s in the place of 9.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    'num.network.threads=2',
    'num.io.threads=4',
  ]
}

/** Who may sign in at the two listeners, and the brokers' certificate. PEM spares Java's own key stores. */
function securedProperties(folder: string, { username, password }: SecuredListeners): string[] {
  const security = 'org.apache.kafka.common.security'
  const listeners = ['listener.name.sasl_plaintext', 'listener.name.sasl_ssl']
  return [
    ...listeners.flatMap((listener) => [
      `${listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER`,
      `${listener}.plain.sasl.jaas.config=${security}.plain.PlainLoginModule required user_${username}="${password}";`,
      `${listener}.scram-sha-256.sasl.jaas.config=${security}.scram.ScramLoginModule required;`,
      `${listener}.scram-sha-512.sasl.jaas.config=${security}.scram.ScramLoginModule required;`,
      `${listener}.oauthbearer.sasl.jaas.config=${security}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    ]),
    'listener.name.sasl_ssl.ssl.keystore.type=PEM',
    `listener.name.sasl_ssl.ssl.keystore.location=${join(folder, 'broker.pem')}`,
  ]
}

/** Waits for the line that a broker writes once it is part of the cluster and takes requests. */
async function ready(child: ChildProcess, log: string): Promise<void> {
  const until = performance.now() + READY_TIMEOUT_MS
  let failed: Error | null = null
  child.once('error', (error) => (failed = error))
  while (performance.now() < until) {
    const text = await readFile(log, 'utf8')
    if (text.includes('Kafka Server started')) return
    if (failed !== null || !isRunning(child)) throw new Error(`A Kafka broker did not start: ${failed === null ? lastLines(text) : String(failed)}`)
    await sleep(100)
  }
  throw new Error(`A Kafka broker was not ready after ${READY_TIMEOUT_MS / 1000} s: ${lastLines(await readFile(log, 'utf8'))}`)
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-10).join('\n')

/** Ports that were free a moment ago, all different because they are held together. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
