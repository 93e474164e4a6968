/** The parts of the HTML report. Pure. */
import { CONFIDENCES } from '#core/event.ts'
import { tokensOf } from '#api/read-models/llm-usage.ts'
import type { UsageCounts } from '#api/usage/contract.ts'
import type { Cost } from '#api/usage/price.ts'
import { formatMoney } from '#api/usage/price.ts'
import type { DayColumn, Part } from './charts.ts'
import { dayColumns, miniBar, stackedBar } from './charts.ts'
import type { ReportData } from './document.ts'
import { html, percent, whole } from './html.ts'
import type { Html } from './html.ts'
import { addUpPriced, totalOf } from './priced.ts'
import type { PricedRow } from './priced.ts'
import { CERTAINTIES, CLOUDS } from './words.ts'

/** Candidates named in one cell; the CSV has them all. */
const SHOWN_CANDIDATES = 12
/** More days than that are shown by month. */
const SHOWN_DAYS = 100

const n = (count: number): Html => html`<td class="n">${whole(count)}</td>`

/** A cell of money, with a word where it is not all. */
function costCell(cost: Cost | null, calls: number): Html {
  if (cost === null) return html``
  if (calls > 0 && cost.unpricedCalls === calls && cost.amount === 0n) return html`<td class="n soft">unknown</td>`
  return html`<td class="n">
    ${formatMoney(cost.amount, 2)}${cost.unpricedCalls > 0 ? html`<span class="sub">+ ${callsText(cost.unpricedCalls)} not known</span>` : html``}
  </td>`
}

const costHead = ({ prices }: ReportData): Html => (prices === null ? html`` : html`<th class="n">Cost (${prices.currency})</th>`)

/** Token cells; where no log says how many, a dash instead of a 0, and where only some say, of how many calls they are. */
function tokenCells(sum: UsageCounts, knownOf: number): Html {
  if (knownOf === 0 && tokensOf(sum) === 0)
    return html`<td class="n soft">–</td>
      <td class="n soft">–</td>
      <td class="n soft">–</td>`
  const part = knownOf < sum.calls ? html`<span class="sub">of ${callsText(knownOf)}</span>` : html``
  return html`<td class="n">${whole(sum.inputTokens)}${part}</td>
    ${n(sum.outputTokens)}${n(sum.cacheReadTokens + sum.cacheWriteTokens)}`
}

const callsText = (calls: number): string => (calls === 1 ? '1 call' : `${whole(calls)} calls`)

const TOKEN_HEADS = html`<th class="n">Input tokens</th>
  <th class="n">Output tokens</th>
  <th class="n">Cached tokens</th>`
const COUNT_HEADS = html`<th class="n">Calls</th>
  <th class="n">Failed</th>
  ${TOKEN_HEADS}`

interface Shown {
  readonly cells: readonly Html[]
  readonly rows: readonly PricedRow[]
}

/** A table of usage with a line of sums; each line stands for some rows. */
function usageTable(data: ReportData, heads: readonly string[], lines: readonly Shown[]): Html {
  const cells = (rows: readonly PricedRow[]): Html => {
    const total = totalOf(rows)
    return html`${n(total.calls)}${n(total.errors)}${tokenCells(total, totalOf(rows.filter((row) => row.tokenBasis !== 'none')).calls)}${costCell(total.cost, total.calls)}`
  }
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head) => html`<th>${head}</th>`)}${COUNT_HEADS}${costHead(data)}
      </tr>
    </thead>
    <tbody>
      ${lines.map(
        (line) =>
          html`<tr>
            ${line.cells}${cells(line.rows)}
          </tr> `,
      )}
    </tbody>
    <tfoot>
      <tr>
        <th colspan="${heads.length}">Sum</th>
        ${cells(lines.flatMap((line) => line.rows))}
      </tr>
    </tfoot>
  </table>`
}

const byCertainty = (rows: readonly PricedRow[], count: (row: PricedRow) => number): Part[] =>
  CONFIDENCES.toSorted((a, b) => order(a) - order(b)).map((confidence) => ({
    label: CERTAINTIES[confidence].name,
    colour: CERTAINTIES[confidence].colour,
    count: rows.filter((row) => row.confidence === confidence).reduce((sum, row) => sum + count(row), 0),
  }))
const order = (confidence: string): number => Object.keys(CERTAINTIES).indexOf(confidence)

function grouped<Key extends string>(
  rows: readonly PricedRow[],
  keyOf: (row: PricedRow) => Key,
): { readonly key: Key; readonly rows: readonly PricedRow[]; readonly calls: number }[] {
  const groups = [...Map.groupBy(rows, keyOf)].map(([key, group]) => ({ key, rows: group, calls: group.reduce((sum, row) => sum + row.calls, 0) }))
  return groups.toSorted((a, b) => b.calls - a.calls || (a.key < b.key ? -1 : 1))
}

/** How sure the report is, in two bars and a table. */
export function certaintySection(data: ReportData): Html {
  const { rows, coverage } = data
  const tokens = (row: PricedRow): number => tokensOf(row)
  const lines = Object.entries(CERTAINTIES).map(([confidence, { name, means, colour }]) => {
    const { calls, errors: _errors, callShare: _share, meteredCalls, ...counts } = coverage.byConfidence[confidence as keyof typeof coverage.byConfidence]
    return html`<tr>
      <td class="line"><span class="swatch" style="background:${colour}"></span><b>${name}</b></td>
      <td>${means}</td>
      ${n(calls)}
      <td class="n">${percent(calls, coverage.total.calls)}</td>
      ${n(meteredCalls)}${n(tokensOf({ calls, errors: 0, ...counts }))}
      <td class="n">${percent(tokensOf({ calls, errors: 0, ...counts }), tokensOf(coverage.total))}</td>
    </tr> `
  })
  return html`<h2>What is sure, and what is not</h2>
    <p>
      Every call stands in exactly one of these lines. Only the first three are charged to an agent. Nothing was guessed: where the records do not say, the
      report does not either.
    </p>
    <div class="bar-label"><b>Calls</b><span class="soft">${whole(coverage.total.calls)}</span></div>
    ${stackedBar(
      byCertainty(rows, (row) => row.calls),
      'Calls by certainty',
    )}
    <div class="bar-label"><b>Known tokens</b><span class="soft">${whole(tokensOf(coverage.total))}</span></div>
    ${stackedBar(byCertainty(rows, tokens), 'Tokens by certainty')}
    <table>
      <thead>
        <tr>
          <th>Certainty</th>
          <th>What it means</th>
          <th class="n">Calls</th>
          <th class="n">Share</th>
          <th class="n">with known tokens</th>
          <th class="n">Tokens</th>
          <th class="n">Share</th>
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
      <tfoot>
        <tr>
          <th colspan="2">All calls seen</th>
          ${n(coverage.total.calls)}
          <td class="n">${percent(coverage.total.calls, coverage.total.calls)}</td>
          ${n(coverage.total.meteredCalls)}${n(tokensOf(coverage.total))}
          <td class="n">${percent(1, tokensOf(coverage.total) > 0 ? 1 : 0)}</td>
        </tr>
      </tfoot>
    </table>`
}

/** A column a day, from the first to the last day with calls (by month when they are many). */
export function daySection({ rows, period }: ReportData): Html {
  const [first, last] = [period.from ?? period.firstDay, period.to === null ? period.lastDay : dayAfter(period.to, -1)]
  if (first === null || last === null || rows.length === 0) return html``
  const all: string[] = []
  for (let day = first; day <= last && all.length <= 100_000; day = dayAfter(day, 1)) all.push(day)
  const length = all.length > SHOWN_DAYS ? 7 : 10
  const byDay = Map.groupBy(rows, (row) => (row.day ?? '').slice(0, length))
  const days: DayColumn[] = [...new Set(all.map((day) => day.slice(0, length)))].map((day) => ({
    day,
    parts: byCertainty(byDay.get(day) ?? [], (row) => row.calls),
  }))
  return html`<h2>Calls by ${length === 7 ? 'month' : 'day'}</h2>
    <p class="soft">UTC. The colours are those of the table above.</p>
    ${dayColumns(days)}`
}

const dayAfter = (day: string, days: number): string => new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

function certaintyText(rows: readonly PricedRow[]): string {
  const parts = byCertainty(rows, (row) => row.calls).filter((part) => part.count > 0)
  const total = parts.reduce((sum, part) => sum + part.count, 0)
  return parts.length === 1 ? parts[0]!.label : parts.map((part) => `${part.label} ${percent(part.count, total)}`).join(', ')
}

/** The agents, the busiest first. */
export function agentSection(data: ReportData): Html {
  const rows = data.rows.filter((row) => row.share === 'agent')
  const groups = grouped(rows, (row) => `${row.tenantId} ${row.agentOid}`)
  const most = Math.max(0, ...groups.map((group) => group.calls))
  const lines = groups.map(({ rows: own }): Shown => {
    const { tenantId, agentOid } = own[0]!
    return {
      rows: own,
      cells: [
        html`<td>
          <b>${data.nameOf(tenantId, agentOid!) ?? 'Agent without a known name'}</b
          ><span class="id">${agentOid}</span>${data.severalTenants ? html`<span class="id">tenant ${tenantId ?? 'unknown'}</span>` : html``}${miniBar(
            byCertainty(own, (row) => row.calls),
            most,
          )}
        </td>`,
        html`<td>${certaintyText(own)}</td>`,
      ],
    }
  })
  return html`<h2>By agent</h2>
    <p>
      Calls that are proven, derived or probable to be an agent's (${whole(groups.length)} agents). Cached tokens are those read from and written to the prompt
      cache.
    </p>
    ${lines.length === 0 ? html`<p class="empty">No call can be charged to an agent.</p>` : usageTable(data, ['Agent', 'Certainty'], lines)}`
}

/** Use that one of several agents is behind. */
export function ambiguousSection(data: ReportData): Html {
  const groups = grouped(
    data.rows.filter((row) => row.share === 'ambiguous'),
    (row) => `${row.tenantId} ${row.candidates.join()}`,
  )
  const lines = groups.map(({ rows: own }): Shown => {
    const { tenantId, candidates } = own[0]!
    const names = candidates
      .slice(0, SHOWN_CANDIDATES)
      .map((oid) => html`<span class="one">${data.nameOf(tenantId, oid) ?? ''} <span class="id">${oid}</span></span>`)
    const more = candidates.length - names.length
    return {
      rows: own,
      cells: [html`<td><b>One of ${candidates.length} agents</b>${names}${more > 0 ? html`<span class="soft">and ${more} more</span>` : html``}</td>`],
    }
  })
  return html`<h2>One of several agents</h2>
    <p>
      These agents share a managed identity, and the cloud saw only that. To tell them apart, give each agent an identity of its own, or let the agents federate
      themselves (Option 2).
    </p>
    ${lines.length === 0 ? html`<p class="empty">None: no call of this period is ambiguous.</p>` : usageTable(data, ['Candidates'], lines)}`
}

/** Use that is charged to nobody. */
export function unattributedSection(data: ReportData): Html {
  const groups = grouped(
    data.rows.filter((row) => row.share === 'unattributed'),
    (row) => JSON.stringify([row.confidence, row.cloud, row.account, row.region]),
  )
  const lines = groups.map(({ rows: own }): Shown => {
    const { confidence, cloud, account, region } = own[0]!
    return {
      rows: own,
      cells: [
        html`<td>${CERTAINTIES[confidence ?? 'none'].name}</td>`,
        html`<td>${CLOUDS[cloud ?? ''] ?? cloud}</td>`,
        html`<td class="line">${account ?? '–'}</td>`,
        html`<td class="line">${region ?? '–'}</td>`,
      ],
    }
  })
  return html`<h2>Charged to nobody</h2>
    <p>
      Calls seen in the same accounts and projects that no record ties to an agent. They may be other software, or an agent's whose sign-in or credential log is
      missing.
    </p>
    ${lines.length === 0 ? html`<p class="empty">None: every call of this period is tied to an agent or to candidates.</p>` : usageTable(data, ['Certainty', 'Cloud', 'Account or project', 'Region'], lines)}`
}

/** All use by model, whoever's it is. */
export function modelSection(data: ReportData): Html {
  const groups = grouped(data.rows, (row) => JSON.stringify([row.cloud, row.model ?? row.modelId]))
  const lines = groups.map(({ rows: own }): Shown => {
    const { cloud, model, modelId } = own[0]!
    const ids = [...new Set(own.map((row) => row.modelId ?? ''))].filter((id) => id !== '' && id !== model).toSorted()
    return {
      rows: own,
      cells: [
        html`<td><b>${model ?? (modelId === null ? 'Not named in the log' : 'Unnamed')}</b>${ids.map((id) => html`<span class="id">${id}</span>`)}</td>`,
        html`<td>${CLOUDS[cloud ?? ''] ?? cloud}</td>`,
      ],
    }
  })
  return html`<h2>By model</h2>
    <p>All calls, whoever made them. Below a name stand the ids as callers wrote them.</p>
    ${lines.length === 0 ? html`<p class="empty">No calls.</p>` : usageTable(data, ['Model', 'Cloud'], lines)}`
}

/** Each agent's use by cloud, account, region and model. */
export function detailSection(data: ReportData): Html {
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
      return {
        rows: own,
        cells: [
          html`<td class="line">${name}</td>`,
          html`<td>${CLOUDS[cloud ?? ''] ?? cloud}<span class="id line">${account ?? ''}</span><span class="id line">${region ?? ''}</span></td>`,
          html`<td>${model ?? '–'}</td>`,
        ],
      }
    })
  return lines.length === 0
    ? html``
    : html`<h2>Detail: agent by cloud and model</h2>
        ${usageTable(data, ['Agent', 'Cloud', 'Model'], lines)}`
}
