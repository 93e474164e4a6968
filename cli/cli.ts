/** What every command gets: settings, streams, the signal to stop, and the store. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { Config } from '../config.ts'
import { faultsOf } from '#api/query.ts'
import { concludeAll } from '#correlate/conclude-all.ts'
import { openDatabase } from '#database/open.ts'
import type { Database, Purpose } from '#database/open.ts'
import { WAIT_SECONDS } from '#database/waiting.ts'
import type { Output } from './output/output.ts'

export interface Cli {
  readonly config: Config
  /** Where references to secrets (`{env: NAME}`) are looked up; settings stand in `config`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly out: Output
  /** Messages for people: everything that is no answer. */
  readonly say: (line: string) => void
  /** Standard error, where it is a terminal: for progress that overwrites itself. */
  readonly terminal: NodeJS.WriteStream | null
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

export interface GlobalOptions {
  readonly dataDir?: string
}

/** A command of the program: builds itself from what it gets. */
export type CommandFactory = (cli: Cli) => Command

/** The request as typed cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command was understood but could not do its work: exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/**
 * Opens the store that the options and the environment name, does the work, and closes it whatever happens.
 * `--data-dir` on the command line wins over `DATABASE_URL` in the environment: the nearer word is the meant one.
 * What an interrupted command left behind in an embedded store is concluded first, so that no answer is half of one. (A server behind `DATABASE_URL` has
 * correlators of its own.)
 * @param purpose what the store is opened for; who only reads makes none
 */
export async function withStore<Result>(
  cli: Cli,
  options: GlobalOptions,
  work: (database: Database) => Promise<Result>,
  purpose: Purpose = 'read',
): Promise<Result> {
  const seconds = cli.config.waitSeconds ?? (purpose === 'role' ? ROLE_WAIT_SECONDS : WAIT_SECONDS)
  const patience = { waitMs: seconds * 1000, say: cli.say, signal: cli.signal }
  const database = await openDatabase({ ...storeOf(cli.config, options), purpose, patience })
  try {
    return await database.during(async () => {
      if (database.embedded && purpose !== 'look') await concludeAll(database.pool)
      return await work(database)
    })
  } finally {
    await database.close()
  }
}

/** A role is started together with its database, by a supervisor that has time. */
const ROLE_WAIT_SECONDS = 600

/** Which store is meant. */
export function storeOf(config: Config, options: GlobalOptions): { readonly databaseUrl: string | undefined; readonly dataDir: string | undefined } {
  if (options.dataDir !== undefined) return { databaseUrl: undefined, dataDir: options.dataDir }
  return { databaseUrl: config.databaseUrl, dataDir: config.dataDir }
}

/** Options or arguments through a schema of the API; what is wrong is told in the words of the command line. */
export function parseUsage<Schema extends z.ZodType>(
  schema: Schema,
  input: Readonly<Record<string, unknown>>,
  argumentNames: readonly string[] = [],
): z.output<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const faults = faultsOf(result.error).map(({ field, message }) => `${argumentNames.includes(field) ? field.toUpperCase() : `--${field}`}: ${message}`)
  throw new UsageError(faults.join('\n'))
}
