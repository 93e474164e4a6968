/** The parts of the report that are about use. Pure. */
import { CONFIDENCES } from '#core/event.ts'
import { tokensOf } from '#api/read-models/llm-usage.ts'
import type { UsageCounts } from '#api/usage/contract.ts'
import type { Cost } from '#api/usage/price.ts'
import { formatMoney } from '#api/usage/price.ts'
import { cell, empty, heading, numberCell, text } from './blocks.ts'
import type { Block, Cell, Head } from './blocks.ts'
import type { DayColumn, Part } from './charts.ts'
import type { ReportData } from './report-data.ts'
import { callsText, percent, whole } from './numbers.ts'
import { addUpPriced, totalOf } from './priced.ts'
import type { PricedRow } from './priced.ts'
import { CERTAINTIES, CLOUDS } from './words.ts'

/** Candidates named in one cell; the CSV has them all. */
const SHOWN_CANDIDATES = 12
/** More days than that are shown by month. */
const SHOWN_DAYS = 100

const n = (count: number): Cell => numberCell(whole(count))

function costCell(cost: Cost | null, calls: number): readonly Cell[] {
  if (cost === null) return []
  if (calls > 0 && cost.unpricedCalls === calls && cost.amount === 0n) return [numberCell({ text: 'unknown', as: 'soft' })]
  const amount = formatMoney(cost.amount, 2)
  return [cost.unpricedCalls > 0 ? numberCell(amount, { text: `+ ${whole(cost.unpricedCalls)} unknown`, as: 'sub' }) : numberCell(amount)]
}

const costHead = ({ prices }: ReportData): readonly Head[] => (prices === null ? [] : [{ text: `Cost (${prices.currency})`, number: true }])

/** Token cells; where no log says how many, a dash instead of a 0, and where only some say, of how many calls they are. */
function tokenCells(sum: UsageCounts, knownOf: number): readonly Cell[] {
  if (knownOf === 0 && tokensOf(sum) === 0) return [1, 2, 3].map(() => numberCell({ text: '–', as: 'soft' }))
  const input = whole(sum.inputTokens)
  return [
    knownOf < sum.calls ? numberCell(input, { text: `of ${callsText(knownOf)}`, as: 'sub' }) : numberCell(input),
    n(sum.outputTokens),
    n(sum.cacheReadTokens + sum.cacheWriteTokens),
  ]
}

const COUNT_HEADS: readonly Head[] = ['Calls', 'Failed', 'Input tokens', 'Output tokens', 'Cached tokens'].map((name) => ({ text: name, number: true }))

interface Shown {
  readonly cells: readonly Cell[]
  readonly rows: readonly PricedRow[]
}

/** A table of usage with a line of sums; each line stands for some rows. */
function usageTable(data: ReportData, heads: readonly Head[], lines: readonly Shown[]): Block {
  const counts = (rows: readonly PricedRow[]): readonly Cell[] => {
    const total = totalOf(rows)
    const failed = whole(total.errors)
    return [
      n(total.calls),
      total.throttles > 0 ? numberCell(failed, { text: `${whole(total.throttles)} throttled`, as: 'sub' }) : numberCell(failed),
      ...tokenCells(total, totalOf(rows.filter((row) => row.tokenBasis !== 'none')).calls),
      ...costCell(total.cost, total.calls),
    ]
  }
  return {
    block: 'table',
    heads: [...heads, ...COUNT_HEADS, ...costHead(data)],
    rows: lines.map((line) => [...line.cells, ...counts(line.rows)]),
    foot: [{ ...cell({ text: 'Sum', as: 'strong' }), columns: heads.length }, ...counts(lines.flatMap((line) => line.rows))],
  }
}

const wide = (name: string): Head => ({ text: name, wide: true })
const narrow = (name: string): Head => ({ text: name })

const byCertainty = (rows: readonly PricedRow[], count: (row: PricedRow) => number): Part[] =>
  CONFIDENCES.toSorted((a, b) => order(a) - order(b)).map((confidence) => ({
    label: CERTAINTIES[confidence].name,
    colour: CERTAINTIES[confidence].colour,
    count: rows.filter((row) => row.confidence === confidence).reduce((sum, row) => sum + count(row), 0),
  }))
const order = (confidence: string): number => Object.keys(CERTAINTIES).indexOf(confidence)

function grouped(
  rows: readonly PricedRow[],
  keyOf: (row: PricedRow) => string,
): { readonly key: string; readonly rows: readonly PricedRow[]; readonly calls: number }[] {
  const groups = [...Map.groupBy(rows, keyOf)].map(([key, group]) => ({ key, rows: group, calls: group.reduce((sum, row) => sum + row.calls, 0) }))
  return groups.toSorted((a, b) => b.calls - a.calls || (a.key < b.key ? -1 : 1))
}

/** How sure the report is, in two bars and a table. */
export function certaintySection({ rows, coverage }: ReportData): Block[] {
  const allTokens = tokensOf(coverage.total)
  const lines = Object.entries(CERTAINTIES).map(([confidence, { name, means, colour }]) => {
    const of = coverage.byConfidence[confidence as keyof typeof coverage.byConfidence]
    return [
      { ...cell({ text: name, as: 'strong' }), whole: true, swatch: colour },
      cell(means),
      n(of.calls),
      numberCell(percent(of.calls, coverage.total.calls)),
      n(of.meteredCalls),
      n(tokensOf(of)),
      numberCell(percent(tokensOf(of), allTokens)),
    ]
  })
  return [
    heading('What is sure, and what is not'),
    text(
      'Every call stands in exactly one of these lines. Only the first three are charged to an agent. Nothing was guessed: where the records do not say, the report does not either.',
    ),
    { block: 'bar', title: 'Calls', count: coverage.total.calls, parts: byCertainty(rows, (row) => row.calls) },
    { block: 'bar', title: 'Known tokens', count: allTokens, parts: byCertainty(rows, tokensOf) },
    {
      block: 'table',
      heads: [
        narrow('Certainty'),
        wide('What it means'),
        ...['Calls', 'Share', 'with known tokens', 'Tokens', 'Share'].map((name) => ({ text: name, number: true })),
      ],
      rows: lines,
      foot: [
        { ...cell({ text: 'All calls seen', as: 'strong' }), columns: 2 },
        n(coverage.total.calls),
        numberCell(percent(coverage.total.calls, coverage.total.calls)),
        n(coverage.total.meteredCalls),
        n(allTokens),
        numberCell(allTokens > 0 ? '100 %' : '–'),
      ],
    },
  ]
}

/** A column a day, from the first to the last day with calls (by month when they are many). */
export function daySection({ rows, period }: ReportData): Block[] {
  const [first, last] = [period.from ?? period.firstDay, period.to === null ? period.lastDay : dayAfter(period.to, -1)]
  if (first === null || last === null || rows.length === 0) return []
  const all: string[] = []
  for (let day = first; day <= last && all.length <= 100_000; day = dayAfter(day, 1)) all.push(day)
  const length = all.length > SHOWN_DAYS ? 7 : 10
  const byDay = Map.groupBy(rows, (row) => (row.day ?? '').slice(0, length))
  const days: DayColumn[] = [...new Set(all.map((day) => day.slice(0, length)))].map((day) => ({
    day,
    parts: byCertainty(byDay.get(day) ?? [], (row) => row.calls),
  }))
  return [heading(`Calls by ${length === 7 ? 'month' : 'day'}`), text('UTC. The colours are those of the table above.', 'soft'), { block: 'days', days }]
}

const dayAfter = (day: string, days: number): string => new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

function certaintyText(rows: readonly PricedRow[]): string {
  const parts = byCertainty(rows, (row) => row.calls).filter((part) => part.count > 0)
  const total = parts.reduce((sum, part) => sum + part.count, 0)
  return parts.length === 1 ? parts[0]!.label : parts.map((part) => `${part.label} ${percent(part.count, total)}`).join(', ')
}

/** The agents, the busiest first. */
export function agentSection(data: ReportData): Block[] {
  const groups = grouped(
    data.rows.filter((row) => row.share === 'agent'),
    (row) => `${row.tenantId} ${row.agentOid}`,
  )
  const most = Math.max(0, ...groups.map((group) => group.calls))
  const lines = groups.map(({ rows: own }): Shown => {
    const { tenantId, agentOid } = own[0]!
    const agent = cell(
      { text: data.nameOf(tenantId, agentOid!) ?? 'Agent without a known name', as: 'strong' },
      { text: agentOid!, as: 'id' },
      ...tenantLine(data, tenantId),
    )
    return { rows: own, cells: [{ ...agent, bar: { parts: byCertainty(own, (row) => row.calls), most } }, cell(certaintyText(own))] }
  })
  return [
    heading('By agent'),
    text(
      `Calls that are proven, derived or probable to be an agent's (${whole(groups.length)} agents). Cached tokens are those read from and written to the prompt cache.`,
    ),
    lines.length === 0 ? empty('No call can be charged to an agent.') : usageTable(data, [wide('Agent'), wide('Certainty')], lines),
  ]
}

const tenantLine = ({ severalTenants }: ReportData, tenantId: string | null) =>
  severalTenants ? [{ text: `tenant ${tenantId ?? 'unknown'}`, as: 'id' } as const] : []

/** Use that one of several agents is behind. */
export function ambiguousSection(data: ReportData): Block[] {
  const groups = grouped(
    data.rows.filter((row) => row.share === 'ambiguous'),
    (row) => `${row.tenantId} ${row.candidates.join()}`,
  )
  const lines = groups.map(({ rows: own }): Shown => {
    const { tenantId, candidates } = own[0]!
    const names = candidates.slice(0, SHOWN_CANDIDATES).flatMap((oid) => {
      const name = data.nameOf(tenantId, oid)
      return name === null ? [{ text: oid, as: 'id' } as const] : [name, { text: oid, as: 'id' } as const]
    })
    const more = candidates.length - SHOWN_CANDIDATES
    return {
      rows: own,
      cells: [
        cell({ text: `One of ${candidates.length} agents`, as: 'strong' }, ...names, ...(more > 0 ? [{ text: `and ${more} more`, as: 'soft' } as const] : [])),
      ],
    }
  })
  return [
    heading('One of several agents'),
    text(
      'These agents share a managed identity, and the cloud saw only that. To tell them apart, give each agent an identity of its own, or let the agents federate themselves (Option 2).',
    ),
    lines.length === 0 ? empty('None: no call of this period is ambiguous.') : usageTable(data, [wide('Candidates')], lines),
  ]
}

/** Use that is charged to nobody. */
export function unattributedSection(data: ReportData): Block[] {
  const groups = grouped(
    data.rows.filter((row) => row.share === 'unattributed'),
    (row) => JSON.stringify([row.confidence, row.cloud, row.account, row.region]),
  )
  const lines = groups.map(({ rows: own }): Shown => {
    const { confidence, cloud, account, region } = own[0]!
    return { rows: own, cells: [cell(CERTAINTIES[confidence ?? 'none'].name), cell(cloudName(cloud)), cell(account ?? '–'), cell(region ?? '–')] }
  })
  return [
    heading('Charged to nobody'),
    text(
      "Calls seen in the same accounts and projects that no record ties to an agent. They may be other software, or an agent's whose sign-in or credential log is missing.",
    ),
    lines.length === 0
      ? empty('None: every call of this period is tied to an agent or to candidates.')
      : usageTable(data, [narrow('Certainty'), narrow('Cloud'), wide('Account or project'), narrow('Region')], lines),
  ]
}

const cloudName = (cloud: string | null): string => CLOUDS[cloud ?? ''] ?? cloud ?? '–'

/** All use by model, whoever's it is. */
export function modelSection(data: ReportData): Block[] {
  const groups = grouped(data.rows, (row) => JSON.stringify([row.cloud, row.model ?? row.modelId]))
  const lines = groups.map(({ rows: own }): Shown => {
    const { cloud, model, modelId } = own[0]!
    const ids = [...new Set(own.map((row) => row.modelId ?? ''))].filter((id) => id !== '' && id !== model).toSorted()
    const name = model ?? (modelId === null ? 'Not named in the log' : 'Unnamed')
    return { rows: own, cells: [cell({ text: name, as: 'strong' }, ...ids.map((id) => ({ text: id, as: 'id' }) as const)), cell(cloudName(cloud))] }
  })
  return [
    heading('By model'),
    text('All calls, whoever made them. Below a name stand the ids as callers wrote them.'),
    lines.length === 0 ? empty('No calls.') : usageTable(data, [wide('Model'), narrow('Cloud')], lines),
  ]
}

/** All use by the region that was called and the one that the cloud says it ran in. */
export function regionSection(data: ReportData): Block[] {
  if (data.rows.length === 0) return []
  const groups = grouped(data.rows, (row) => JSON.stringify([row.cloud, row.region, row.ranRegion]))
  const lines = groups.map(({ rows: own }): Shown => {
    const { cloud, region, ranRegion } = own[0]!
    return { rows: own, cells: [cell(cloudName(cloud)), cell(region ?? '–'), ranRegion === null ? cell({ text: 'not said', as: 'soft' }) : cell(ranRegion)] }
  })
  return [
    heading('Where it ran'),
    text(
      'AWS may hand a call on to another region (cross-region inference) and then names it in its record. “Not said” means that no record says that the call left the region that was called; Google Cloud’s records never say it, and behind its endpoint “global” the place is unknown.',
    ),
    usageTable(data, [narrow('Cloud'), wide('Region called'), wide('Ran in')], lines),
  ]
}

/** Each agent's use by cloud, account, region and model. */
export function detailSection(data: ReportData): Block[] {
  const rows = addUpPriced(
    data.rows.filter((row) => row.share === 'agent'),
    ['tenant', 'agent', 'cloud', 'account', 'region', 'model', 'tokenBasis'],
  )
  const groups = [...Map.groupBy(rows, (row) => JSON.stringify([row.tenantId, row.agentOid, row.cloud, row.account, row.region, row.model])).values()]
  const named = groups.map((own) => ({ own, name: data.nameOf(own[0]!.tenantId, own[0]!.agentOid!) ?? own[0]!.agentOid! }))
  const lines = named
    .toSorted((a, b) => (a.name === b.name ? 0 : a.name < b.name ? -1 : 1))
    .map(({ own, name }): Shown => {
      const { cloud, account, region, model } = own[0]!
      const place = [account, region].flatMap((id) => (id === null ? [] : [{ text: id, as: 'id' } as const]))
      return { rows: own, cells: [cell(name), { ...cell(cloudName(cloud), ...place), whole: true }, cell(model ?? '–')] }
    })
  return lines.length === 0 ? [] : [heading('Detail: agent by cloud and model'), usageTable(data, [wide('Agent'), narrow('Cloud'), wide('Model')], lines)]
}
