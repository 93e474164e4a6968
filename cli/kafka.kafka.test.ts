/** Kafka by TLS and SASL, against a broker that asks for them. Starts its own. */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Transport } from '#core/transport.ts'
import { readConfig } from '../config.ts'
import { kafkaClientSettings } from './kafka.ts'
import { startKafka } from '../scripts/kafka-cluster.ts'
import type { KafkaCluster } from '../scripts/kafka-cluster.ts'
import { testNamespace } from '../test/kafka.ts'
import { createTestDatabase } from '../test/postgres.ts'
import { inspectKafka } from '#transport/kafka-check.ts'
import { createKafkaTransport } from '#transport/kafka.ts'

const run = promisify(execFile)
const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')

/** A certificate authority and a certificate of 127.0.0.1 that it has signed, as files. */
async function makeCertificates(folder: string): Promise<{ readonly caFile: string; readonly keyAndCertificate: string }> {
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder })
  const key = ['-newkey', 'rsa:2048', '-noenc', '-days', '2']
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority')
  await openssl('req', ...key, '-keyout', 'broker.key', '-out', 'broker.csr', '-subj', '/CN=broker')
  await writeFile(join(folder, 'extensions'), 'subjectAltName=IP:127.0.0.1\n')
  await openssl(
    'x509',
    '-req',
    '-in',
    'broker.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'extensions',
    '-out',
    'broker.crt',
  )
  const parts = await Promise.all(['broker.key', 'broker.crt', 'ca.pem'].map((name) => readFile(join(folder, name), 'utf8')))
  return { caFile: join(folder, 'ca.pem'), keyAndCertificate: parts.join('') }
}

/** What Kafka's unsecured validator takes: no signature. */
function unsignedToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  return `${part({ alg: 'none' })}.${part({ sub: 'trailjoin', iat: now, exp: now + 3600 })}.`
}

describe.skipIf(!inject('kafkaPrograms'))('a Kafka that asks who this is', () => {
  let folder = ''
  let cluster: KafkaCluster
  let caFile = ''
  const transports: Transport[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailjoin-tls-'))
    const made = await makeCertificates(folder)
    caFile = made.caFile
    cluster = await startKafka({ brokers: 1, secured: { username: 'trailjoin', password: 'hunter2', keyAndCertificate: made.keyAndCertificate } })
    await writeFile(join(folder, 'token'), unsignedToken())
    await writeFile(join(folder, 'password'), 'hunter2\n')
  })
  afterAll(async () => {
    await Promise.all(transports.map((transport) => transport.close()))
    await cluster?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const tls = (): Record<string, string> => ({ KAFKA_BROKERS: cluster.tlsBrokers.join(','), KAFKA_TLS_CA_FILE: caFile })
  const clear = (): Record<string, string> => ({ KAFKA_BROKERS: cluster.saslBrokers.join(',') })
  const account = (mechanism: string, password = 'hunter2'): Record<string, string> => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: 'trailjoin',
    KAFKA_SASL_PASSWORD: password,
  })
  async function open(environment: Record<string, string>): Promise<Transport> {
    const settings = await kafkaClientSettings(readConfig(environment).kafka!, environment)
    const transport = createKafkaTransport({ ...settings, namespace: testNamespace(), partitions: 1 })
    transports.push(transport)
    return transport
  }
  async function roundTrip(transport: Transport): Promise<void> {
    const got: string[] = []
    await transport.publish('records', [{ key: 'k', value: 'v', headers: {} }])
    await transport.consume('records', 'g', async (batch) => void got.push(...batch.map(({ value }) => value)))
    await vi.waitFor(() => expect(got).toEqual(['v']), { timeout: 60_000, interval: 50 })
  }

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('takes and gives records by %s over TLS', async (mechanism) =>
    roundTrip(await open({ ...tls(), ...account(mechanism) })),
  )
  test('takes and gives records by a token from a file', async () =>
    roundTrip(await open({ ...tls(), KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_TOKEN_FILE: join(folder, 'token') })))
  test('takes and gives records by SCRAM in clear', async () => roundTrip(await open({ ...clear(), ...account('scram-sha-512') })))

  const refusal = async (environment: Record<string, string>): Promise<string> => {
    const error = await (await open(environment)).publish('records', [{ key: 'k', value: 'v', headers: {} }]).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    return (error as Error).message
  }
  test('refuses a wrong password, and the message names the settings and not the password', async () => {
    const message = await refusal({ ...tls(), ...account('scram-sha-512', 'hunter3') })
    expect(message).toMatch(/refused.*KAFKA_SASL_/)
    expect(message).not.toContain('hunter3')
  })
  test('refuses a client without a name, and the message says which setting is missing', async () => {
    expect(await refusal(clear())).toMatch(/KAFKA_SASL_MECHANISM/)
  })
  test('is not believed without its authority, and the message says which setting is missing', async () => {
    const { KAFKA_TLS_CA_FILE: _, ...without } = { ...tls(), ...account('plain') }
    expect(await refusal({ ...without, KAFKA_TLS: 'true' })).toMatch(/KAFKA_TLS_CA_FILE/)
  })
  test('is not reached in clear where it wants TLS, nor by TLS where it is in clear', async () => {
    expect(await refusal({ ...account('plain'), KAFKA_BROKERS: cluster.tlsBrokers.join(',') })).toMatch(/KAFKA_TLS=true/)
    expect(await refusal({ ...account('plain'), KAFKA_BROKERS: cluster.saslBrokers.join(','), KAFKA_TLS: 'true' })).toMatch(/KAFKA_TLS/)
  })

  test('is looked at by doctor: who answers, and how far the correlators are behind', async () => {
    const environment = { ...tls(), ...account('scram-sha-512') }
    const settings = await kafkaClientSettings(readConfig(environment).kafka!, environment)
    const namespace = testNamespace()
    const look = () => inspectKafka({ ...settings, namespace, group: 'g' })
    expect(await look()).toEqual({ brokers: 1, missing: [`${namespace}.records`, `${namespace}.rejected`], behind: null })
    const transport = createKafkaTransport({ ...settings, namespace, partitions: 2 })
    transports.push(transport)
    await transport.publish(
      'records',
      [1, 2, 3].map((index) => ({ key: `${index}`, value: 'v', headers: {} })),
    )
    expect(await look()).toEqual({ brokers: 1, missing: [], behind: 3n })
    await transport.consume('records', 'g', () => Promise.resolve())
    await expect.poll(look, { timeout: 60_000 }).toMatchObject({ behind: 0n })
    await expect(
      inspectKafka({ ...settings, sasl: { mechanism: 'plain', username: 'trailjoin', password: 'hunter3' }, namespace, group: 'g' }),
    ).rejects.toThrow(/refused.*KAFKA_SASL/)
  })

  test('is what the command correlate reaches with these variables, without a secret in its log', async () => {
    const database = await createTestDatabase()
    const { PATH, HOME } = process.env
    const { KAFKA_SASL_PASSWORD: _, ...named } = account('scram-sha-256')
    const env = {
      PATH,
      HOME,
      ...tls(),
      ...named,
      KAFKA_SASL_PASSWORD_FILE: join(folder, 'password'),
      KAFKA_NAMESPACE: testNamespace(),
      DATABASE_URL: database.url,
      LOG_LEVEL: 'debug',
    }
    const child = spawn(process.execPath, [PROGRAM, 'correlate'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
    const ended = new Promise((resolve) => child.on('close', resolve))
    try {
      await vi.waitFor(() => expect(log).toContain('"correlating"'), { timeout: 100_000, interval: 100 })
      child.kill('SIGTERM')
      expect(await ended, log).toBe(0)
      expect(log).not.toContain('hunter2')
    } finally {
      child.kill('SIGKILL')
      await ended
      await database.drop()
    }
  })
})
