/** What doctor says: findings, each below what it is about. */
import type { Finding } from '#ingest/engine/source.ts'
import { printable } from '../output/table.ts'

export interface Report {
  /** The source's name, or what stands beside the sources: `configuration`, `store`, `kafka`, `access`, `webhooks`, `reports`. */
  readonly subject: string
  readonly part: string
  readonly findings: readonly Finding[]
}

export const ok = (check: string, message: string): Finding => ({ check, level: 'ok', message, next: null })
export const warning = (check: string, message: string, next: string | null): Finding => ({ check, level: 'warning', message, next })
export const problem = (check: string, message: string, next: string | null): Finding => ({ check, level: 'problem', message, next })

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const MARKS = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const
const COLOURS = { ok: 32, warning: 33, problem: 31 } as const

/** The reports as lines for people. */
export function textOf(reports: readonly Report[], color: boolean): string {
  const lines = reports.flatMap(({ subject, part, findings }) => [
    printable(part === '' ? subject : `${subject} ${part}`),
    ...findings.flatMap(({ check, level, message, next }) => {
      const mark = color ? `\u001b[${COLOURS[level]}m${MARKS[level]}\u001b[0m` : MARKS[level]
      return [`  ${mark}  ${printable(check === subject ? message : `${check}: ${message}`)}`, ...(next === null ? [] : [`           → ${printable(next)}`])]
    }),
  ])
  return `${lines.join('\n')}\n`
}
