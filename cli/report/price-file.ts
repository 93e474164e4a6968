/** The user's price table: a YAML file. Numbers are taken as they are written, never through a float. */
import { LineCounter } from 'yaml'
import { z } from 'zod'
import type { PriceEntry, PriceTable } from '#api/usage/price.ts'
import { parsePrice } from '#api/usage/price.ts'
import { SOURCES } from '#core/event.ts'
import { sha256 } from '#core/record.ts'
import { parseTime } from '#core/time.ts'
import { readTextFile, TextFileError } from '../../config/text-file.ts'
import { readYaml } from '../../config/yaml-text.ts'
import { CommandError } from '../cli.ts'

const day = z.string().refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && parseTime(`${text}T00:00:00Z`) !== null, 'is no day like 2026-09-01')
const price = z
  .string()
  .refine((text) => parsePrice(text, 1) !== null, 'is no price: write a decimal number like 3 or 0.25 (at most nine digits before and twelve after the point)')
const PRICES = { request: price.optional(), input: price.optional(), output: price.optional(), cacheRead: price.optional(), cacheWrite: price.optional() }
const Entry = z.strictObject({
  model: z.string().min(1),
  cloud: z.enum(SOURCES).optional(),
  region: z.string().min(1).optional(),
  from: day.optional(),
  to: day.optional(),
  ...PRICES,
})
const File = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'is no currency code like USD'),
  per: z.enum(['1', '1000', '1000000'], 'is none of 1, 1000, 1000000: how many tokens a price is for'),
  prices: z.array(Entry).min(1, 'is empty'),
})

const MOST_NAMED = 10

/** Reads a price table. Throws CommandError that names the file and every fault in it. */
export async function readPriceFile(path: string): Promise<PriceTable> {
  const text = await readTextFile(path, 'price table').catch((error: unknown) => {
    throw error instanceof TextFileError ? new CommandError(error.message) : error
  })
  return parsePriceFile(text, path)
}

/** The price table in a YAML text; `path` is for messages. Throws CommandError. */
export function parsePriceFile(text: string, path: string): PriceTable {
  const parsed = File.safeParse(yamlOf(text, path))
  if (!parsed.success)
    throw new CommandError(
      parsed.error.issues
        .map(
          (issue) =>
            `${path}: ${placeOf(issue.path)}${issue.code === 'unrecognized_keys' ? `has unknown fields: ${issue.keys.slice(0, MOST_NAMED).join(', ')}${issue.keys.length > MOST_NAMED ? ' …' : ''}` : issue.message}`,
        )
        .join('\n'),
    )
  const { currency, per, prices } = parsed.data
  const factor = Number(per) as 1 | 1000 | 1_000_000
  const entries = prices.map(({ model, cloud, region, from, to, request, ...tokens }): PriceEntry => {
    const money = Object.entries(tokens).flatMap(([name, price]) => (price === undefined ? [] : [[name, parsePrice(price, factor)!]]))
    // A price for a request is for one, whatever the prices of tokens are for.
    const perRequest = request === undefined ? [] : [['request', parsePrice(request, 1)!]]
    return { model, cloud: cloud ?? null, region: region ?? null, from: from ?? null, to: to ?? null, prices: Object.fromEntries([...perRequest, ...money]) }
  })
  const faults = [...prices.flatMap((_, index) => faultOf(entries[index]!, index)), ...overlaps(entries)]
  if (faults.length > 0) throw new CommandError(faults.map((fault) => `${path}: ${fault}`).join('\n'))
  return { currency, entries, sha256: sha256(text) }
}

function yamlOf(text: string, path: string): unknown {
  // The failsafe schema knows only text: 0.1 stays what was written.
  const [first] = readYaml(text, new LineCounter(), { single: true, schema: 'failsafe' })
  if (first === undefined) return null
  if ('faults' in first) throw new CommandError(first.faults.map(({ line, message }) => `${path}:${line}: is no YAML: ${message}`).join('\n'))
  return first.value
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? '' : `${path.map((part) => (typeof part === 'number' ? `#${part + 1}` : String(part))).join(' ')} `

function faultOf({ from, to, prices }: PriceEntry, index: number): string[] {
  if (Object.keys(prices).length === 0) return [`prices #${index + 1} has no price`]
  return from !== null && to !== null && from >= to
    ? [`prices #${index + 1} ends (${to}) before it begins (${from}); \`to\` is the day after the last one`]
    : []
}

/** Two entries for one thing on one day: which of them is meant cannot be known. */
function overlaps(entries: readonly PriceEntry[]): string[] {
  const seen = new Map<string, { readonly entry: PriceEntry; readonly number: number }[]>()
  return entries.flatMap((entry, index) => {
    const key = JSON.stringify([entry.model, entry.cloud, entry.region])
    const others = seen.get(key) ?? []
    seen.set(key, [...others, { entry, number: index + 1 }])
    return others
      .filter(
        ({ entry: other }) =>
          (other.to === null || entry.from === null || entry.from < other.to) && (entry.to === null || other.from === null || other.from < entry.to),
      )
      .map(
        ({ number }) => `prices #${number} and #${index + 1} are both for ${entry.model}${entry.region === null ? '' : ` in ${entry.region}`} on the same days`,
      )
  })
}
