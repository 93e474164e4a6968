/** The comparison with AWS's bill, for the formats of the command. */
import { toCsv } from '#api/csv.ts'
import { formatMoney } from '#api/usage/price.ts'
import type { Column } from '../../output/table.ts'
import { printable } from '../../output/table.ts'
import type { NameOf } from '../make.ts'
import { whole } from '../numbers.ts'
import { TOKEN_KINDS } from './read-cur.ts'
import type { Billed, TokenKind } from './read-cur.ts'
import type { ReconciledDay, Verdict } from './reconcile.ts'

const VERDICTS: Readonly<Record<Verdict, string>> = {
  same: 'same',
  differs: 'differs',
  'only-billed': 'bill only',
  'only-logged': 'logs only',
  unknown: 'unknown',
}

const flat = (name: string, kind: TokenKind): string => `${name}${kind.charAt(0).toUpperCase()}${kind.slice(1)}`

/** One JSON object a line. */
export const reconciledNdjson = (rows: readonly ReconciledDay[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Rows as CSV. */
export function reconciledCsv(rows: readonly ReconciledDay[], currency: string | null): string {
  const columns: Readonly<Record<string, (row: ReconciledDay) => string | number | null>> = {
    day: (row) => row.day,
    principal: (row) => row.principal,
    verdict: (row) => row.verdict,
    agents: (row) => row.agents.join(' '),
    calls: (row) => row.logged?.calls ?? null,
    errors: (row) => row.logged?.errors ?? null,
    meteredCalls: (row) => row.logged?.meteredCalls ?? null,
    unchargedCalls: (row) => row.logged?.unchargedCalls ?? null,
    ...Object.fromEntries(
      (['logged', 'billed', 'difference'] as const).flatMap((side) =>
        TOKEN_KINDS.map((kind) => [flat(side, kind), (row: ReconciledDay) => row[side]?.[kind] ?? null]),
      ),
    ),
    unloggedLines: (row) => row.billed?.unloggedLines ?? null,
    billedCost: (row) => row.billed?.cost ?? null,
    currency: (row) => (row.billed === null ? null : currency),
  }
  return toCsv([Object.keys(columns), ...rows.map((row) => Object.values(columns).map((column) => column(row)))])
}

/** The currency that everything was billed in; null where the export does not say, or names several. */
export const currencyOf = ({ currencies }: Billed): string | null => (currencies.size === 1 ? ([...currencies][0] ?? null) : null)

const sum = (tokens: Readonly<Record<TokenKind, number | null>> | null): number | null =>
  tokens === null || TOKEN_KINDS.some((kind) => tokens[kind] === null) ? null : TOKEN_KINDS.reduce((total, kind) => total + (tokens[kind] ?? 0), 0)
const shown = (count: number | null): string => (count === null ? '–' : count < 0 ? `-${whole(-count)}` : whole(count))

/** The columns of the table; tokens of all four kinds together. */
export function reconciledColumns(width: number, currency: string | null, nameOf: (oid: string) => string | null): readonly Column<ReconciledDay>[] {
  const spare = Math.max(0, width - 120)
  return [
    { title: 'day (UTC)', width: 10, text: (row) => row.day },
    // The end of an ARN tells callers apart.
    {
      title: 'caller',
      width: 30 + Math.floor(spare / 2),
      text: (row) => (row.principal === null ? 'not named' : row.principal.replace(/^arn:[^:]*:(?:iam|sts)::/, '')),
    },
    { title: 'agent', width: 16 + Math.ceil(spare / 2), text: (row) => agentsText(row, nameOf) },
    { title: '', width: 9, text: (row) => VERDICTS[row.verdict] },
    {
      title: 'logged',
      width: 12,
      text: (row) => (row.logged !== null && row.logged.meteredCalls === 0 && sum(row.logged) === 0 ? '–' : shown(sum(row.logged))),
    },
    { title: 'billed', width: 12, text: (row) => shown(sum(row.billed)) },
    { title: 'difference', width: 12, text: (row) => shown(sum(row.difference)) },
    { title: currency ?? 'cost', width: 9, text: (row) => (row.billed === null ? '' : costText(row.billed.cost)) },
  ]
}

const costText = (cost: string): string => cost.replace(/(\.\d{2})\d+$/, '$1…')

function agentsText({ agents, logged }: ReconciledDay, nameOf: (oid: string) => string | null): string {
  if (logged === null) return ''
  const [first] = agents
  if (first === undefined) return 'nobody'
  return agents.length === 1 && logged.unchargedCalls === 0 ? (nameOf(first) ?? first) : `${agents.length} and others`
}

/** What the comparison amounts to and what is missing from it, a line each. */
export function reconciledLines(rows: readonly ReconciledDay[], billed: Billed): string[] {
  const count = (verdict: Verdict): number => rows.filter((row) => row.verdict === verdict).length
  const cost = [...billed.days.values()].reduce((total, day) => total + day.cost, 0n)
  const unlogged = [...billed.days.values()].reduce((total, day) => total + day.unlogged, 0)
  const units = [...billed.days.values()].reduce((total, day) => total + day.unknownUnits, 0)
  return [
    `${whole(rows.length)} days of callers: ${(Object.keys(VERDICTS) as Verdict[]).map((verdict) => `${whole(count(verdict))} ${VERDICTS[verdict]}`).join(', ')}. Billed in the file: ${formatMoney(cost, 2)} ${currencyOf(billed) ?? ''}`.trimEnd() +
      '.',
    ...billed.missing,
    ...(unlogged > 0
      ? [
          `${whole(unlogged)} lines bill what is in no log of calls (batch inference, bedrock-mantle, tokens of other kinds): theirs are not compared, and days with them are unknown.`,
        ]
      : []),
    ...(units > 0 ? [`${whole(units)} lines have tokens in a unit that is not known: theirs are not compared.`] : []),
    ...(billed.currencies.size > 1 ? [`Costs are in several currencies (${[...billed.currencies].toSorted().join(', ')}): their sums mean nothing.`] : []),
    ...(billed.leftOut.size > 0
      ? [
          `Of ${whole(billed.lines)} lines left out: ${[...billed.leftOut]
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([why, lines]) => `${whole(lines)} ${why}`)
            .join(', ')}.`,
        ]
      : []),
  ].map(printable)
}

/** The names of agents where tenants are not told apart: an oid that two tenants have has no name. */
export function namesOfAny(tenants: readonly string[], nameOf: NameOf): (oid: string) => string | null {
  return (oid) => {
    const names = [...new Set(tenants.flatMap((tenant) => nameOf(tenant, oid) ?? []))]
    return names.length === 1 ? names[0]! : null
  }
}
