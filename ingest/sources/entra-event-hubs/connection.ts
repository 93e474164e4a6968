import type { TokenCredential } from '@azure/core-auth'
import { z } from 'zod'
import { type Kafka, type KafkaClientSettings, createKafkaClient } from '#transport/kafka-client.ts'
import { isLoopback } from '../../engine/endpoint.ts'
import { secretReference } from '../../engine/secret.ts'
import type { SourceContext } from '../../engine/source.ts'
import { ADDRESSES } from '../entra/clouds.ts'
import type { AzureCloud } from '../entra/clouds.ts'

/** The Event Hubs emulator, or a Kafka of a test: without TLS, therefore on this machine only. */
export const emulator = z
  .string()
  .regex(/^[^/@\s]+:\d{1,5}$/, 'is no broker: write host:port')
  .refine((broker) => isLoopback(`http://${broker}`), 'is not on this machine: only 127.0.0.1, [::1] and localhost are reached without TLS')

export const connectionString = secretReference.optional()

export interface HubConnection {
  /** The namespace's host, without a port. */
  readonly host: string
  readonly connectionString: z.output<typeof connectionString>
  /** Used where there is no connection string; null: none at all, which only an emulator accepts. */
  readonly credential: TokenCredential | null
  readonly emulator?: string | undefined
  readonly context: Pick<SourceContext, 'secret' | 'log'>
}

/** Event Hubs speaks Kafka there, over TLS. */
const PORT = 9093

/** `weather` or `weather.servicebus.windows.net` → the host. */
export function hostOf(namespace: string, cloud: AzureCloud): string {
  return namespace.includes('.') ? namespace : `${namespace}.${ADDRESSES[cloud].eventHubs}`
}

/** A client of the namespace's Kafka endpoint. The secret is read now, tokens are asked for as they are needed; nothing is connected yet. */
export async function connectHub(connection: HubConnection): Promise<Kafka> {
  const { host, emulator: local, context } = connection
  const sasl = await saslOf(connection)
  return createKafkaClient({
    brokers: [local ?? `${host}:${PORT}`],
    clientId: 'trailjoin',
    ssl: local === undefined,
    ...(sasl === null ? {} : { sasl }),
    log: (level, message, { error }) =>
      context.log(level === 'error' ? 'warn' : level === 'info' ? 'debug' : level, message, typeof error === 'string' ? { error } : {}),
  })
}

async function saslOf({ host, connectionString, credential, context }: HubConnection): Promise<NonNullable<KafkaClientSettings['sasl']> | null> {
  // The user name is this very word; the endpoint takes the connection string for the password.
  if (connectionString !== undefined) return { mechanism: 'plain', username: '$ConnectionString', password: await context.secret(connectionString) }
  if (credential === null) return null
  return {
    mechanism: 'oauthbearer',
    // Asked for before a token runs out; the SDK's credential keeps and renews it.
    oauthBearerProvider: async () => {
      const token = await credential.getToken(`https://${host}/.default`)
      if (token === null) throw new Error('the credential gave no token')
      return { value: token.token }
    },
  }
}
