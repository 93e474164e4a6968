import type { LoggerOptions } from 'pino'
import { maskMessage } from '#core/secrets/message.ts'

/** Errors of SDKs, of Kafka and of PostgreSQL quote what they were given: every text of a line is masked before it is written, whoever made it. */
export const LOG_HOOKS: NonNullable<LoggerOptions['hooks']> = {
  streamWrite(line) {
    try {
      return `${JSON.stringify(masked(JSON.parse(line)))}\n`
    } catch {
      return line
    }
  },
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return maskMessage(value)
  if (Array.isArray(value)) return value.map(masked)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, masked(member)]))
}
