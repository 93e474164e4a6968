/** Kafka as the environment describes it, for the roles that use it. */
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Transport } from '#core/transport.ts'
import { readSecret } from '#ingest/engine/secret.ts'
import type { KafkaClientSettings } from '#transport/kafka-client.ts'
import { createKafkaTransport } from '#transport/kafka.ts'
import type { KafkaConfig, KafkaSasl } from '../config/kafka.ts'
import { CommandError } from './cli.ts'
import type { Cli } from './cli.ts'

type Environment = Cli['environment']

/** Connects to nothing yet. @throws CommandError when a file of certificates or a secret cannot be read */
export async function openKafka(kafka: KafkaConfig, { environment }: Pick<Cli, 'environment'>, clientId: string, log: Logger): Promise<Transport> {
  const settings = await kafkaClientSettings(kafka, environment).catch((error: unknown) => {
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error })
  })
  return createKafkaTransport({ ...settings, namespace: kafka.namespace, clientId, log: (level, message, fields) => log[level](fields, message) })
}

/**
 * What a client is made from: certificates and the password are read now, a token each time that it is asked for.
 * @throws Error naming the variable or the file that cannot be read; no secret is in the message
 */
export async function kafkaClientSettings(
  { brokers, tls, sasl }: KafkaConfig,
  environment: Environment,
): Promise<Pick<KafkaClientSettings, 'brokers' | 'ssl' | 'sasl'>> {
  return {
    brokers,
    ...(tls === null ? {} : { ssl: await tlsSettings(tls) }),
    ...(sasl === null ? {} : { sasl: await saslSettings(sasl, environment) }),
  }
}

async function tlsSettings({ caFile, certFile, keyFile }: NonNullable<KafkaConfig['tls']>) {
  const ca = await readPem('KAFKA_TLS_CA_FILE', caFile)
  const cert = await readPem('KAFKA_TLS_CERT_FILE', certFile)
  const key = await readPem('KAFKA_TLS_KEY_FILE', keyFile)
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
}

async function readPem(variable: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`${variable} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  })
  if (!text.includes('-----BEGIN ')) throw new Error(`${variable}: ${file} is no PEM file (it has no line "-----BEGIN …-----")`)
  return text
}

async function saslSettings(sasl: KafkaSasl, environment: Environment): Promise<NonNullable<KafkaClientSettings['sasl']>> {
  if (sasl.mechanism === 'oauthbearer')
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await readSecret(sasl.token, environment) }) }
  const account = { username: sasl.username, password: await readSecret(sasl.password, environment) }
  // One object for each mechanism: the union of the library's types wants the word itself.
  if (sasl.mechanism === 'plain') return { mechanism: 'plain', ...account }
  return sasl.mechanism === 'scram-sha-256' ? { mechanism: 'scram-sha-256', ...account } : { mechanism: 'scram-sha-512', ...account }
}
