/**
 * The compliance report: one HTML file that needs nothing else (no scripts, no fonts, no network). A function of its data alone: the same data
 * give the same bytes, and it says no time of its own making.
 */
import { tokensOf } from '#api/read-models/llm-usage.ts'
import type { UsageCoverage, UsageReport } from '#api/usage/contract.ts'
import { formatMoney } from '#api/usage/price.ts'
import { html, percent, whole } from './html.ts'
import type { Html } from './html.ts'
import type { PricedRow } from './priced.ts'
import { totalOf } from './priced.ts'
import { agentSection, ambiguousSection, certaintySection, daySection, detailSection, modelSection, unattributedSection } from './sections.ts'
import { STYLE } from './style.ts'
import { CLOUDS } from './words.ts'

export interface ReportData {
  readonly period: UsageReport['period']
  readonly scope: { readonly tenant: string | null; readonly agent: string | null; readonly cloud: string | null }
  /** Told apart by every dimension, in their order. */
  readonly rows: readonly PricedRow[]
  readonly coverage: UsageCoverage
  readonly nameOf: (tenantId: string | null, oid: string) => string | null
  readonly severalTenants: boolean
  readonly prices: { readonly currency: string; readonly sha256: string } | null
  readonly madeBy: string | null
  readonly version: string
  /** SHA-256 of what the command in `dataCommand` prints. */
  readonly dataSha256: string
  readonly dataCommand: string
}

/** The report as text. */
export function reportDocument(data: ReportData): string {
  const title = `LLM usage by AI agents, ${periodText(data.period)}`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${{ html: STYLE }}
        </style>
      </head>
      <body>
        <h1>LLM usage by AI agents</h1>
        <p class="lead soft">${periodText(data.period)}</p>
        ${facts(data)} ${figures(data)}
        <p class="lead">${summary(data)}</p>
        ${notes(data)} ${certaintySection(data)} ${daySection(data)} ${agentSection(data)} ${ambiguousSection(data)} ${unattributedSection(data)}
        ${modelSection(data)} ${detailSection(data)} ${method(data)} ${proof(data)}
      </body>
    </html> `.html
}

/** Both ends inclusive, in words. */
function periodText({ from, to, firstDay, lastDay }: ReportData['period']): string {
  const first = from ?? firstDay
  const last = to === null ? lastDay : new Date(Date.parse(`${to}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
  if (first === null || last === null) return 'no calls seen'
  return first === last ? `${first} (UTC)` : `${first} to ${last} (UTC)`
}

function facts({ period, scope, rows, madeBy, prices }: ReportData): Html {
  const clouds = [...new Set(rows.map((row) => row.cloud))].map((cloud) => CLOUDS[cloud ?? ''] ?? cloud ?? '')
  const accounts = [...new Set(rows.flatMap((row) => row.account ?? []))].toSorted()
  const lines: readonly (readonly [string, string | null])[] = [
    ['Calls seen', period.firstDay === null ? 'none' : `from ${period.firstDay} to ${period.lastDay}`],
    ['Tenant', scope.tenant ?? 'all'],
    ['Agent', scope.agent === null ? 'all' : `${scope.agent} (with ambiguous use it is a candidate for, and all that is charged to nobody)`],
    ['Clouds', scope.cloud === null ? clouds.join(', ') || '–' : (CLOUDS[scope.cloud] ?? scope.cloud)],
    ['Accounts and projects', accounts.length > 40 ? `${accounts.slice(0, 40).join(', ')} and ${accounts.length - 40} more` : accounts.join(', ') || '–'],
    ['Prices', prices === null ? 'no price table: no costs' : `price table of the user, in ${prices.currency}`],
    ['Made by', madeBy],
  ]
  return html`<dl class="facts">
    ${lines
      .filter(([, value]) => value !== null)
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`
}

function figures({ rows, prices }: ReportData): Html {
  const total = totalOf(rows)
  const agents = new Set(rows.filter((row) => row.share === 'agent').map((row) => `${row.tenantId} ${row.agentOid}`))
  const list: readonly (readonly [string, string])[] = [
    [whole(total.calls), `calls, ${whole(total.errors)} of them failed`],
    [whole(agents.size), 'agents with calls'],
    [whole(total.inputTokens), 'input tokens'],
    [whole(total.outputTokens), 'output tokens'],
    [whole(total.cacheReadTokens + total.cacheWriteTokens), 'cached tokens'],
    ...(prices === null || total.cost === null
      ? []
      : [
          [
            `${formatMoney(total.cost.amount, 2)} ${prices.currency}`,
            total.cost.unpricedCalls === 0 ? 'cost' : `cost at least; not (wholly) known for ${whole(total.cost.unpricedCalls)} calls`,
          ] as const,
        ]),
  ]
  return html`<div class="figures">${list.map(([value, name]) => html`<div class="figure"><b>${value}</b><span>${name}</span></div>`)}</div>`
}

function summary({ coverage: { total, byConfidence } }: ReportData): string {
  if (total.calls === 0) return 'No call of a language model was seen. That is no proof that there was none: it depends on which logs were imported.'
  const sure = byConfidence.exact.calls + byConfidence.derived.calls + byConfidence.probable.calls
  const lost = byConfidence.asserted.calls + byConfidence.none.calls
  const tokens = tokensOf(total) === 0 ? 'No token counts are known.' : `Token counts are known for ${percent(total.meteredCalls, total.calls)} of the calls.`
  return `${percent(sure, total.calls)} of the calls are charged to a named agent, ${percent(byConfidence.ambiguous.calls, total.calls)} are one of several agents', and ${percent(lost, total.calls)} are charged to nobody. ${tokens}`
}

function notes({ coverage: { pendingEvents, otherTenants }, rows }: ReportData): Html {
  const unmetered = Map.groupBy(
    rows.filter((row) => row.tokenBasis === 'none'),
    (row) => row.cloud ?? '',
  )
  const lines = [
    ...[...unmetered]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([cloud, own]) => {
        const { calls, errors } = totalOf(own)
        const why = cloud === 'gcp' ? "Google Cloud's audit logs hold no token counts" : 'no usage log was found for them (Bedrock: model invocation logging)'
        return `The tokens of ${whole(calls)} ${CLOUDS[cloud] ?? cloud} calls (${whole(errors)} of them failed) are unknown, not zero: ${why}.`
      }),
    ...(otherTenants > 0 ? [`${whole(otherTenants)} calls of the period are left out: they belong to another tenant, or to none that is proven.`] : []),
    ...(pendingEvents > 0 ? [`${whole(pendingEvents)} stored records are not evaluated yet and not in this report.`] : []),
  ]
  return html`${lines.map((line) => html`<p class="note">${line}</p>`)}`
}

function method({ prices }: ReportData): Html {
  return html`<h2>How it was counted</h2>
    <ul>
      <li>
        Sources are the clouds' own audit and usage logs: AWS CloudTrail and Bedrock model invocation logs, Google Cloud audit logs. An agent's own statements
        about its use are not counted.
      </li>
      <li>
        A call is one request to a model, counted on the UTC day on which it was made. The audit record and the usage log of one request (same account, region
        and request id) count once; a usage log without its audit record counts as a call as well.
      </li>
      <li>A call failed when any of its records says so. Failed calls are among the calls.</li>
      <li>
        Tokens are those of the cloud's usage log. Input tokens do not include cached ones. Where there is no usage log the number is unknown and not estimated.
      </li>
      <li>
        Whose call it was follows from the chain of credentials back to Microsoft Entra. What could be changed by the caller (session names, labels) never
        charges anybody.
      </li>
      <li>
        Records that arrive late correct the days they belong to: a later report of the same period may say more. The same records always give the same report.
      </li>
      ${prices === null ? html`` : html`<li>Costs are calls and tokens times the prices of the user's own table, exact to the last digit, rounded only for display. They are no invoice: discounts, taxes and unlogged use are not in them. Calls whose tokens or price are unknown have no cost here.</li> `}
    </ul>
    <p class="soft">
      A log that was never imported leaves no trace in this report. Whether the logs of all accounts and projects are complete cannot be seen from it.
    </p>`
}

function proof({ dataSha256, dataCommand, prices, version }: ReportData): Html {
  return html`<h2>Check it yourself</h2>
    <p>The figures are those of the rows that this command prints; their SHA-256 is the one below as long as the store holds the same records.</p>
    <dl class="facts">
      <dt>Command</dt>
      <dd><code>${dataCommand}</code></dd>
      <dt>SHA-256 of its output</dt>
      <dd><code>${dataSha256}</code></dd>
      ${
        prices === null
          ? html``
          : html`<dt>SHA-256 of the price table</dt>
              <dd><code>${prices.sha256}</code></dd>`
      }
      <dt>Made with</dt>
      <dd>trailjoin ${version}</dd>
    </dl>`
}
