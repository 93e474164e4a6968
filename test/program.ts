/** The program as a user runs it: a process of its own, with nothing of this one's environment but PATH. */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartedProgram {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  readonly stdoutSoFar: () => string
  readonly stderrSoFar: () => string
}

/** Starts it in a folder, which is its home, too. */
export function startProgram(args: readonly string[], folder: string, env: Readonly<Record<string, string>>): StartedProgram {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...env } })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part))
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part))
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
  return { child, ended, stdoutSoFar: () => stdout, stderrSoFar: () => stderr }
}
