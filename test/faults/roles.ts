/** The product's own processes, as an operator's supervisor runs them: started, killed, stopped, and started again when they end by themselves. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createWriteStream, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'trailjoin.ts')
/** Its database and its brokers may be away, and the machine busy. */
const READY_TIMEOUT_MS = 300_000
const STOP_TIMEOUT_MS = 120_000
/** One attempt: a process that neither works nor ends by then hangs, and a supervisor would not look on. */
const ATTEMPT_TIMEOUT_MS = 120_000
/** What each says when it works. */
const READY = { ingest: 'Collecting from ', correlate: '"msg":"correlating"' } as const

export interface RoleOptions {
  readonly role: keyof typeof READY
  readonly name: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Folder of the logs. */
  readonly logs: string
  /** Told when the process ends although nobody asked it to. */
  readonly surprised: (what: string) => void
  /** For the test of this file: another program, and another time for an attempt (ms). */
  readonly program?: string
  readonly attemptMs?: number
}

export interface Role {
  readonly name: string
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again; resolves when it says that it works. */
  start(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** kill -9, and nobody starts it again. */
  close(): Promise<void>
}

/** A role, not started yet. */
export function createRole(options: RoleOptions): Role {
  const { role, name, args, environment, logs, surprised, program = PROGRAM, attemptMs = ATTEMPT_TIMEOUT_MS } = options
  let child: ChildProcess | null = null
  let wanted = false
  let closed = false
  const running = (): boolean => child !== null && child.exitCode === null && child.signalCode === null

  async function start(): Promise<void> {
    if (closed) return
    wanted = true
    const until = performance.now() + READY_TIMEOUT_MS
    while (!(await attempt())) {
      if (!wanted) return
      if (performance.now() > until) throw new Error(`${name} does not come up: see ${join(logs, `${name}.log`)}`)
      await sleep(500)
    }
  }

  /** True when it works; false when it ended before, or hung and was killed (its database may be away: a supervisor tries again). */
  async function attempt(): Promise<boolean> {
    const started = spawn(process.execPath, [program, role, ...args], { env: { ...environment }, stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    const log = createWriteStream(join(logs, `${name}.log`), { flags: 'a' })
    const { promise, resolve } = Promise.withResolvers<boolean>()
    let tail = ''
    let works = false
    const late = setTimeout(() => {
      log.write(`--- killed: it did not say within ${attemptMs / 1000} s that it works\n`)
      started.kill('SIGKILL')
    }, attemptMs)
    started.stderr.on('data', (chunk: Buffer) => {
      log.write(chunk)
      tail = (tail + chunk.toString()).slice(-4000)
      if (works || !tail.includes(READY[role])) return
      works = true
      clearTimeout(late)
      resolve(true)
    })
    started.on('exit', (code, signal) => {
      clearTimeout(late)
      log.end(`--- ended with ${signal ?? code}\n`)
      resolve(false)
      if (!works || !wanted || child !== started) return
      surprised(`${name} ended by itself with ${signal ?? code}: ${tail.trim().split('\n').slice(-3).join(' | ')}`)
      void sleep(1000).then(() => (wanted && child === started ? start().catch((error: unknown) => surprised(String(error))) : undefined))
    })
    return promise
  }

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    wanted = false
    if (child === null || !running()) return child?.exitCode ?? null
    const ending = child
    const gone = once(ending, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    ending.kill(signal)
    const timer = setTimeout(() => {
      surprised(`${name} did not stop within ${STOP_TIMEOUT_MS / 1000} s of SIGTERM`)
      ending.kill('SIGKILL')
    }, STOP_TIMEOUT_MS)
    const [code] = await gone
    clearTimeout(timer)
    return code
  }

  return {
    name,
    start,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    close: async () => {
      closed = true
      await end('SIGKILL')
    },
  }
}

/** Runs a command to its end; what it prints goes into the file. @throws when its exit code is not 0 */
export async function runCommand(args: readonly string[], environment: Readonly<Record<string, string>>, output: string): Promise<void> {
  const file = openSync(output, 'w')
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...environment }, stdio: ['ignore', file, 'pipe'] })
  closeSync(file)
  const said: Buffer[] = []
  child.stderr!.on('data', (chunk: Buffer) => said.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`trailjoin ${args.join(' ')} ended with ${code}: ${Buffer.concat(said).toString().trim().slice(-2000)}`)
}
