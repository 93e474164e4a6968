/** The settings from the environment. Only the program's start reads them; everything else receives values. */
import { z } from 'zod'
import { readKafka } from './config/kafka.ts'
import type { KafkaConfig } from './config/kafka.ts'

export interface Config {
  /** Any PostgreSQL server, in the place of the embedded one. */
  readonly databaseUrl: string | undefined
  /** Folder of the embedded database and of the local token. */
  readonly dataDir: string | undefined
  /** With it the roles run as separate processes. */
  readonly kafka: KafkaConfig | undefined
  readonly port: number
  /** How long to wait for locks and for a server that does not answer; undefined: what the command has by itself. */
  readonly waitSeconds: number | undefined
  /** File that names the live sources. */
  readonly configFile: string | undefined
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  readonly noColor: boolean
  /** Show stack traces of errors. */
  readonly debug: boolean
}

/** A setting that cannot be used. The message lists every faulty one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** No well-known program listens there. */
const DEFAULT_PORT = 8417

const postgresUrl = z
  .string()
  .refine(
    (text) => ['postgres:', 'postgresql:'].includes(URL.parse(text)?.protocol ?? ''),
    'is no PostgreSQL address: write postgresql://user:password@host:5432/database',
  )
const port = z
  .string()
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, 'is no port: write a whole number from 0 (any free one) to 65535')
  .transform(Number)
const waitSeconds = z
  .string()
  .refine((text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= 3600, 'must be a whole number of seconds from 1 to 3600')
  .transform(Number)
const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'is none of fatal, error, warn, info, debug, trace, silent')

const Environment = z.object({
  DATABASE_URL: postgresUrl.optional(),
  TRAILJOIN_DATA_DIR: z.string().optional(),
  TRAILJOIN_PORT: port.optional(),
  TRAILJOIN_WAIT_SECONDS: waitSeconds.optional(),
  TRAILJOIN_CONFIG: z.string().optional(),
  TRAILJOIN_DEBUG: z.string().optional(),
  LOG_LEVEL: logLevel.optional(),
  NO_COLOR: z.string().optional(),
})

/**
 * Reads the settings.
 * @param environment usually `process.env`; an empty value counts as absent
 * @throws ConfigError naming every variable that is wrong; values are not repeated, they may hold passwords
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  const result = Environment.safeParse(given)
  const faults = result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`)
  const kafka = readKafka(given, faults)
  if (!result.success || faults.length > 0) throw new ConfigError(faults.join('\n'))
  const { DATABASE_URL, TRAILJOIN_CONFIG, TRAILJOIN_DATA_DIR, TRAILJOIN_PORT, TRAILJOIN_WAIT_SECONDS, TRAILJOIN_DEBUG, LOG_LEVEL, NO_COLOR } = result.data
  return {
    databaseUrl: DATABASE_URL,
    dataDir: TRAILJOIN_DATA_DIR,
    kafka,
    port: TRAILJOIN_PORT ?? DEFAULT_PORT,
    waitSeconds: TRAILJOIN_WAIT_SECONDS,
    configFile: TRAILJOIN_CONFIG,
    // A person at a terminal reads the printed address; requests are logged from `info` on.
    logLevel: LOG_LEVEL ?? 'warn',
    noColor: NO_COLOR !== undefined,
    debug: TRAILJOIN_DEBUG !== undefined,
  }
}

/** The port that an option names. @throws ConfigError */
export function parsePort(text: string): number {
  const result = port.safeParse(text)
  if (!result.success) throw new ConfigError(`"${text}" ${result.error.issues[0]?.message ?? ''}`)
  return result.data
}
