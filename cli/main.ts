/** The command line: builds the program, runs one command, turns what went wrong into a message and an exit code. */
import { Command, CommanderError } from 'commander'
import { ConfigError, readConfig } from '../config.ts'
import type { Config } from '../config.ts'
import { maskMessage } from '#core/secrets/message.ts'
import { DatabaseError } from '#database/errors.ts'
import { CommandError, UsageError } from './cli.ts'
import type { Cli } from './cli.ts'
import { COMMANDS } from './commands/index.ts'
import { createOutput, OutputClosed } from './output/output.ts'
import { VERSION } from './version.ts'

const FAILED = 1
const MISUSED = 2
/** What a shell reports for a program that a signal ended. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Runs the program with the arguments of the process and ends the process with its exit code. */
export async function main(): Promise<void> {
  process.exitCode = await run(process.argv.slice(2))
  // What still holds the process open is not needed any more: keep-alive sockets, an unread standard input.
  process.stdin.unref?.()
  setTimeout(leave, LEAVE_AFTER_MS).unref()
}

const LEAVE_AFTER_MS = 5000

/**
 * Ends a process that has done its work and is held open all the same: kafkajs leaves sockets behind when a broker dies while a consumer connects, and a collector then never
 * ended (found by `npm run test:faults`). Output that somebody still reads is waited for.
 */
function leave(): void {
  if (process.stdout.writableLength === 0) process.exit()
  setTimeout(leave, LEAVE_AFTER_MS).unref()
}

async function run(args: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  // A closed standard error leaves nobody to tell.
  process.stderr.on('error', () => undefined)
  let config: Config
  try {
    config = readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    say(error.message)
    return MISUSED
  }
  const stop = new AbortController()
  let signalCode: number | null = null
  for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
    process.on(signal, () => {
      // The second one does not wait: embedded Postgres recovers from that like from a kill.
      if (signalCode !== null) process.exit(code)
      signalCode = code
      stop.abort(new Error('Stopped.'))
    })
  }
  const cli: Cli = {
    config,
    environment: process.env,
    out: createOutput(process.stdout, { noColor: config.noColor }),
    say,
    terminal: process.stderr.isTTY ? process.stderr : null,
    signal: stop.signal,
  }
  // Work that ends well after a signal has ended well: Ctrl-C is how `up` is stopped.
  return await outcomeOf(
    () => buildProgram(cli).parseAsync(args, { from: 'user' }),
    cli,
    () => signalCode,
  )
}

/** The program with all its commands; nothing runs yet. */
function buildProgram(cli: Cli): Command {
  const program = new Command('trailjoin')
    .description('What did this AI agent do, across Azure, AWS and Google Cloud?')
    .version(VERSION)
    .option('--data-dir <folder>', 'folder of the embedded database (or set DATABASE_URL to use another PostgreSQL)')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .exitOverride()
  for (const create of COMMANDS) program.addCommand(create(cli).exitOverride().configureHelp({ showGlobalOptions: true }))
  return program
}

async function outcomeOf(work: () => Promise<unknown>, cli: Pick<Cli, 'say' | 'config'>, stopped: () => number | null): Promise<number> {
  try {
    await work()
    return 0
  } catch (error) {
    if (error instanceof OutputClosed) return 0
    const signalCode = stopped()
    if (signalCode !== null) {
      cli.say('Stopped. What was stored stays; the same command run again goes on from there.')
      return signalCode
    }
    // Commander has printed its own message; help and version come this way, too, with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED
    if (error instanceof UsageError || error instanceof ConfigError) return told(cli, error, MISUSED)
    return told(cli, error, FAILED)
  }
}

function told({ say, config }: Pick<Cli, 'say' | 'config'>, error: unknown, code: number): number {
  const expected =
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof CommandError ||
    error instanceof DatabaseError ||
    (error instanceof Error && error.constructor === Error)
  const message = error instanceof Error ? error.message : String(error)
  // A fault of the program is shown whole: its report needs the place.
  say(maskMessage(error instanceof Error && (config.debug || !expected) ? `trailjoin: ${error.stack ?? message}` : `trailjoin: ${message}`))
  return code
}
