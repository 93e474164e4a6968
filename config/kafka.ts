/** How this program reaches Kafka: brokers, TLS and SASL, from the environment. Secrets stay behind references until a client is made. */
import { z } from 'zod'
import type { SecretReference } from '#ingest/engine/secret.ts'

export interface KafkaConfig {
  /** `host:port` */
  readonly brokers: readonly string[]
  /** Topics are `<namespace>.records` and `<namespace>.rejected`. */
  readonly namespace: string
  /** Null: in clear. Files are PEM. */
  readonly tls: { readonly caFile: string | undefined; readonly certFile: string | undefined; readonly keyFile: string | undefined } | null
  /** Null: nobody asks who this is. */
  readonly sasl: KafkaSasl | null
}

export type KafkaSasl =
  | { readonly mechanism: (typeof PASSWORD_MECHANISMS)[number]; readonly username: string; readonly password: SecretReference }
  | { readonly mechanism: 'oauthbearer'; readonly token: SecretReference }

const PASSWORD_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const MECHANISMS = [...PASSWORD_MECHANISMS, 'oauthbearer'] as const

const brokers = z
  .string()
  .transform((text) => text.split(',').map((broker) => broker.trim()))
  .refine((list) => list.every((broker) => /^([^\s:/@]+|\[[\da-f:]+\]):\d{1,5}$/i.test(broker)), 'is no list of Kafka brokers: write host:9092,host2:9092')
const mechanism = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(MECHANISMS, `is none of ${MECHANISMS.join(', ')}`))
const onOff = z.enum(['true', 'false'], 'is neither true nor false').transform((text) => text === 'true')

/** The variables. Other programs have some of the same name: without KAFKA_BROKERS none of them is looked at. */
const Variables = z.object({
  KAFKA_BROKERS: brokers,
  KAFKA_NAMESPACE: z
    .string()
    // Kafka's own limit of a topic's name is 249 characters.
    .regex(/^[\w.-]{1,200}$/, 'is no beginning of a topic name: write letters, digits, dots, hyphens and underscores, 200 at most')
    .optional(),
  KAFKA_TLS: onOff.optional(),
  KAFKA_TLS_CA_FILE: z.string().optional(),
  KAFKA_TLS_CERT_FILE: z.string().optional(),
  KAFKA_TLS_KEY_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: mechanism.optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  KAFKA_SASL_PASSWORD_FILE: z.string().optional(),
  KAFKA_SASL_TOKEN_FILE: z.string().optional(),
})
type Variables = z.output<typeof Variables>
type Fault = (fault: { readonly variable: keyof Variables; readonly message: string }) => void

/**
 * What the variables say together; undefined without KAFKA_BROKERS.
 * @param environment without empty values
 * @param faults gets a line for each variable that is wrong; values are not repeated. What is returned then is of no use
 */
export function readKafka(environment: Readonly<Record<string, string | undefined>>, faults: string[]): KafkaConfig | undefined {
  if (environment['KAFKA_BROKERS'] === undefined) return undefined
  const result = Variables.safeParse(environment)
  if (!result.success) {
    faults.push(...result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`))
    return undefined
  }
  const given = result.data
  const fault: Fault = ({ variable, message }) => void faults.push(`${variable} ${message}`)
  const tls = tlsOf(given, fault)
  const sasl = saslOf(given, fault)
  // SCRAM proves a password without sending it; the other two send what they prove.
  if (sasl !== null && tls === null && !sasl.mechanism.startsWith('scram') && !given.KAFKA_BROKERS.every(isHere))
    fault({
      variable: 'KAFKA_SASL_MECHANISM',
      message: `is ${sasl.mechanism} without TLS: the ${sasl.mechanism === 'plain' ? 'password' : 'token'} would travel in clear. Set KAFKA_TLS=true`,
    })
  return { brokers: given.KAFKA_BROKERS, namespace: given.KAFKA_NAMESPACE ?? 'trailjoin', tls, sasl }
}

const isHere = (broker: string): boolean => /^(127\.0\.0\.1|\[::1\]|localhost):\d+$/.test(broker)

function tlsOf(given: Variables, fault: Fault): KafkaConfig['tls'] {
  const { KAFKA_TLS: on, KAFKA_TLS_CA_FILE: caFile, KAFKA_TLS_CERT_FILE: certFile, KAFKA_TLS_KEY_FILE: keyFile } = given
  const file = (['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'] as const).find((name) => given[name] !== undefined)
  if (on === false && file !== undefined) fault({ variable: file, message: 'is set, and KAFKA_TLS is false: one of them is wrong' })
  if (certFile !== undefined && keyFile === undefined) fault({ variable: 'KAFKA_TLS_KEY_FILE', message: 'is missing: the certificate needs its key' })
  if (keyFile !== undefined && certFile === undefined) fault({ variable: 'KAFKA_TLS_CERT_FILE', message: 'is missing: the key needs its certificate' })
  return on === true || (on === undefined && file !== undefined) ? { caFile, certFile, keyFile } : null
}

function saslOf(given: Variables, fault: Fault): KafkaSasl | null {
  const { KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, KAFKA_SASL_PASSWORD_FILE, KAFKA_SASL_TOKEN_FILE } = given
  if (KAFKA_SASL_MECHANISM === undefined) {
    const stray = (['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SASL_PASSWORD_FILE', 'KAFKA_SASL_TOKEN_FILE'] as const).find(
      (name) => given[name] !== undefined,
    )
    if (stray !== undefined) fault({ variable: 'KAFKA_SASL_MECHANISM', message: `is missing, and ${stray} is set: write one of ${MECHANISMS.join(', ')}` })
    return null
  }
  if (KAFKA_SASL_MECHANISM === 'oauthbearer') {
    if (KAFKA_SASL_TOKEN_FILE === undefined) {
      fault({ variable: 'KAFKA_SASL_TOKEN_FILE', message: 'is missing: the file of a token that somebody else renews' })
      return null
    }
    return { mechanism: 'oauthbearer', token: { file: KAFKA_SASL_TOKEN_FILE } }
  }
  if (KAFKA_SASL_USERNAME === undefined) fault({ variable: 'KAFKA_SASL_USERNAME', message: `is missing: ${KAFKA_SASL_MECHANISM} needs it` })
  if (KAFKA_SASL_PASSWORD === undefined && KAFKA_SASL_PASSWORD_FILE === undefined)
    fault({ variable: 'KAFKA_SASL_PASSWORD_FILE', message: 'is missing (or KAFKA_SASL_PASSWORD): the password' })
  if (KAFKA_SASL_PASSWORD !== undefined && KAFKA_SASL_PASSWORD_FILE !== undefined)
    fault({ variable: 'KAFKA_SASL_PASSWORD_FILE', message: 'is set beside KAFKA_SASL_PASSWORD: keep one of them' })
  return {
    mechanism: KAFKA_SASL_MECHANISM,
    username: KAFKA_SASL_USERNAME ?? '',
    password: KAFKA_SASL_PASSWORD_FILE === undefined ? { env: 'KAFKA_SASL_PASSWORD' } : { file: KAFKA_SASL_PASSWORD_FILE },
  }
}
