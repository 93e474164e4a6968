/**
 * Reads what AWS billed for model calls from a Cost and Usage Report 2.0 (CSV, also gzipped), by day and caller.
 *
 * Sources: AWS, "Understanding your Amazon Bedrock Cost and Usage Report data" (Bedrock user guide, 2026: the four token types and how their usage types
 * are named) and "Introducing granular cost attribution for Amazon Bedrock" (AWS blog, April 2026: `line_item_iam_principal` is the caller's ARN, of a role
 * with its session, and must be switched on in the export). What unit an amount is in is not documented: only `pricing_unit` is believed.
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { CommandError } from '../../cli.ts'
import { decimal } from './decimal.ts'

export const TOKEN_KINDS = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** What was billed to one caller for one day; amounts in 10⁻¹⁸. */
export interface BilledDay {
  readonly day: string
  /** Null: the line names no caller. */
  readonly principal: string | null
  readonly tokens: Record<TokenKind, bigint>
  /** Lines with tokens in a unit that is not known: their tokens are not among `tokens`. */
  unknownUnits: number
  /** Lines of what no log counts (batch inference, bedrock-mantle, kinds of tokens that logs do not know): they are not among `tokens`, and cannot be compared. */
  unlogged: number
  /** Lines with tokens that logs count. */
  comparable: number
  cost: bigint
}

export interface Billed {
  readonly days: ReadonlyMap<string, BilledDay>
  readonly currencies: ReadonlySet<string>
  /** Why lines were left out, with how many. */
  readonly leftOut: ReadonlyMap<string, number>
  /** What is missing from the export, in words. */
  readonly missing: readonly string[]
  readonly lines: number
}

/** The usage types of AWS: cached ones first, because they say `input`, too. */
const KIND_PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['cacheReadTokens', /cache[-_]?read/i],
  ['cacheWriteTokens', /cache[-_]?write/i],
  ['outputTokens', /output[-_]?token/i],
  ['inputTokens', /input[-_]?token/i],
]
/**
 * Usage types whose tokens no invocation log has: batch inference (`USE1-NovaPro-input-tokens-batch`, `MillionBatchInputTokens`), bedrock-mantle
 * (`…-mantle-input-tokens-standard`; facts/aws.md b.4), and whatever else says tokens but none of the four kinds (images, speech, training).
 */
const UNLOGGED = /batch|mantle/i

/** True for a usage type of models whose tokens are in no log. */
const isUnlogged = (usageType: string): boolean => UNLOGGED.test(usageType) || (tokenKindOf(usageType) === null && /token/i.test(usageType))

/** The kind of token that a usage type stands for, or null (images, provisioned throughput …). */
export const tokenKindOf = (usageType: string): TokenKind | null => KIND_PATTERNS.find(([, pattern]) => pattern.test(usageType))?.[0] ?? null

/** How many tokens a pricing unit is: `1K tokens`, `1M tokens`, `Tokens`; null when it says nothing of the kind. */
export function tokensInUnit(unit: string): bigint | null {
  const match = /^(?:per )?(1|1,?000|1,?000,?000|1?k|1?m|1 ?thousand|1 ?million|thousand|million)?\s*(?:input |output )?tokens?$/i.exec(unit.trim())
  if (!match) return null
  const size = (match[1] ?? '1').toLowerCase().replaceAll(/[,\s]/g, '')
  if (size === '1') return 1n
  return /k$|thousand$|^1000$/.test(size) ? 1_000n : 1_000_000n
}

const NEEDED = ['line_item_usage_start_date', 'line_item_usage_type'] as const
const WANTED = {
  line_item_iam_principal: 'callers (switch on "IAM principal" in the export): nothing can be compared by caller',
  line_item_usage_amount: 'amounts: no tokens',
  pricing_unit: 'the unit of amounts: no tokens',
  line_item_unblended_cost: 'costs',
} as const

type Row = Readonly<Record<string, string>>

/** Reads a file. @throws CommandError when it cannot be read, is no CSV, or lacks a column without which nothing can be said */
export async function readCur(path: string): Promise<Billed> {
  const tally = new Tally()
  try {
    const file = createReadStream(path)
    const parser = parse({
      bom: true,
      columns: (head: string[]) => tally.head(head),
      relax_column_count: false,
      skip_empty_lines: true,
      max_record_size: 10_000_000,
    })
    const tallied = async (): Promise<void> => {
      for await (const row of parser as AsyncIterable<Row>) tally.add(row)
    }
    await Promise.all([/\.gz$/i.test(path) ? pipeline(file, createGunzip(), parser) : pipeline(file, parser), tallied()])
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(`${path}: ${error.message}`)
    throw new CommandError(`${path}: cannot be read as a CSV of AWS costs: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return tally
}

/** Sums while lines come. */
class Tally implements Billed {
  readonly days = new Map<string, BilledDay>()
  readonly currencies = new Set<string>()
  readonly leftOut = new Map<string, number>()
  readonly missing: string[] = []
  lines = 0

  head(names: readonly string[]): string[] {
    // Legacy reports and Athena spell them `lineItem/UsageType`.
    const columns = names.map((name) =>
      name
        .trim()
        .replaceAll('/', '_')
        .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
        .toLowerCase(),
    )
    const lacking = NEEDED.filter((name) => !columns.includes(name))
    if (lacking.length > 0) throw new CommandError(`has no column ${lacking.join(', ')}: is it a Cost and Usage Report 2.0?`)
    for (const [name, what] of Object.entries(WANTED)) if (!columns.includes(name)) this.missing.push(`The export has no column ${name}, so it lacks ${what}.`)
    return columns
  }

  add(row: Row): void {
    this.lines++
    const usageType = row['line_item_usage_type'] ?? ''
    const kind = tokenKindOf(usageType)
    const principal = row['line_item_iam_principal'] || null
    // Of all that AWS bills, only model calls have callers or tokens.
    const ofModels = kind !== null || principal !== null || /bedrock/i.test(row['line_item_product_code'] ?? '')
    const unlogged = ofModels && isUnlogged(usageType)
    if (kind === null && !unlogged && principal === null) return this.skip('no use of models')
    const type = row['line_item_line_item_type'] ?? 'Usage'
    if (!/usage/i.test(type)) return this.skip(`${type} instead of usage`)
    const day = dayOf(row)
    if (day === null) return this.skip('of no single UTC day')
    const cost = decimal(row['line_item_unblended_cost'] || '0')
    const amount = decimal(row['line_item_usage_amount'] || '0')
    if (cost === null || amount === null) return this.skip('with an amount or cost that is no number')
    const sum = this.dayOf(day, principal)
    sum.cost += cost
    if (row['line_item_currency_code']) this.currencies.add(row['line_item_currency_code'])
    if (unlogged) sum.unlogged++
    if (unlogged || kind === null) return
    sum.comparable++
    const unit = tokensInUnit(row['pricing_unit'] ?? '')
    if (unit === null) sum.unknownUnits++
    else sum.tokens[kind] += amount * unit
  }

  private skip(why: string): void {
    this.leftOut.set(why, (this.leftOut.get(why) ?? 0) + 1)
  }

  private dayOf(day: string, principal: string | null): BilledDay {
    const key = JSON.stringify([day, principal])
    const known = this.days.get(key)
    if (known) return known
    const fresh: BilledDay = {
      day,
      principal,
      tokens: { inputTokens: 0n, outputTokens: 0n, cacheReadTokens: 0n, cacheWriteTokens: 0n },
      unknownUnits: 0,
      unlogged: 0,
      comparable: 0,
      cost: 0n,
    }
    this.days.set(key, fresh)
    return fresh
  }
}

/** The UTC day of a line; null where it is about more than one (monthly exports). */
function dayOf(row: Row): string | null {
  const [start, end] = [row['line_item_usage_start_date'], row['line_item_usage_end_date']].map((text) => (text ? timeOf(text) : null)) as [
    number | null,
    number | null,
  ]
  if (start === null || Number.isNaN(start)) return null
  if (end !== null && !(end - start <= 86_400_000)) return null
  return new Date(start).toISOString().slice(0, 10)
}

/** `2026-09-01T00:00:00.000Z`, or as Athena prints it, without zone: always UTC. */
function timeOf(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d+)?(?: ?(?:Z|UTC|\+00:00))?$/.exec(text)
  return match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN
}
