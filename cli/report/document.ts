/**
 * The compliance report as blocks. A function of its data alone: the same data give the same report, and it says no time of its own making.
 */
import { tokensOf } from '#api/read-models/llm-usage.ts'
import { formatMoney } from '#api/usage/price.ts'
import { heading, text } from './blocks.ts'
import type { Block, Report } from './blocks.ts'
import { findingsSection } from './findings-section.ts'
import { callsText, percent, whole } from './numbers.ts'
import { totalOf } from './priced.ts'
import type { ReportData } from './report-data.ts'
import { agentSection, ambiguousSection, certaintySection, daySection, detailSection, modelSection, regionSection, unattributedSection } from './sections.ts'
import { batchWords, CLOUDS } from './words.ts'

/** The report. */
export function reportOf(data: ReportData): Report {
  const { from, firstDay, to, lastDay } = data.period
  return {
    title: 'LLM usage by AI agents',
    period: periodText(data.period),
    madeBy: data.madeBy,
    end: to ?? (lastDay === null ? (from ?? firstDay) : dayAfter(lastDay, 1)),
    blocks: [
      { block: 'facts', facts: facts(data) },
      { block: 'figures', figures: figures(data) },
      text(summary(data), 'lead'),
      ...notes(data),
      ...certaintySection(data),
      ...daySection(data),
      ...agentSection(data),
      ...ambiguousSection(data),
      ...unattributedSection(data),
      ...findingsSection(data),
      ...modelSection(data),
      ...regionSection(data),
      ...detailSection(data),
      ...method(data),
      ...proof(data),
    ],
  }
}

const dayAfter = (day: string, days: number): string => new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

/** Both ends inclusive, in words. */
function periodText({ from, to, firstDay, lastDay }: ReportData['period']): string {
  const first = from ?? firstDay
  const last = to === null ? lastDay : dayAfter(to, -1)
  if (first === null || last === null) return 'no calls seen'
  return first === last ? `${first} (UTC)` : `${first} to ${last} (UTC)`
}

function facts({ period, scope, rows, madeBy, prices }: ReportData): (readonly [string, string])[] {
  const clouds = [...new Set(rows.map((row) => row.cloud))].map((cloud) => CLOUDS[cloud ?? ''] ?? cloud ?? '')
  const accounts = [...new Set(rows.flatMap((row) => row.account ?? []))].toSorted()
  return [
    ['Calls seen', period.firstDay === null ? 'none' : `from ${period.firstDay} to ${period.lastDay}`],
    ['Tenant', scope.tenant ?? 'all'],
    ['Agent', scope.agent === null ? 'all' : `${scope.agent} (with ambiguous use it is a candidate for, and all that is charged to nobody)`],
    ['Clouds', scope.cloud === null ? clouds.join(', ') || '–' : (CLOUDS[scope.cloud] ?? scope.cloud)],
    ['Accounts and projects', accounts.length > 40 ? `${accounts.slice(0, 40).join(', ')} and ${accounts.length - 40} more` : accounts.join(', ') || '–'],
    ['Prices', prices === null ? 'no price table: no costs' : `price table of the user, in ${prices.currency}`],
    ...(madeBy === null ? [] : [['Made by', madeBy] as const]),
  ]
}

function figures({ rows, prices, findings }: ReportData): (readonly [string, string])[] {
  const total = totalOf(rows)
  const agents = new Set(rows.filter((row) => row.share === 'agent').map((row) => `${row.tenantId} ${row.agentOid}`))
  const grave = findings.filter((finding) => finding.severity === 'high' || finding.severity === 'critical').length
  return [
    [whole(total.calls), `calls, ${whole(total.errors)} of them failed (${whole(total.throttles)} throttled)`],
    [whole(agents.size), 'agents with calls'],
    [whole(total.inputTokens), 'input tokens'],
    [whole(total.outputTokens), 'output tokens'],
    [whole(total.cacheReadTokens + total.cacheWriteTokens), 'cached tokens'],
    ...(prices === null || total.cost === null
      ? []
      : [
          [
            `${formatMoney(total.cost.amount, 2)} ${prices.currency}`,
            total.cost.unpricedCalls === 0 ? 'cost' : `cost at least; not (wholly) known for ${callsText(total.cost.unpricedCalls)}`,
          ] as const,
        ]),
    [whole(findings.length), `findings, ${whole(grave)} of them high or critical`],
  ]
}

function summary({ coverage: { total, byConfidence } }: ReportData): string {
  if (total.calls === 0) return 'No call of a language model was seen. That is no proof that there was none: it depends on which logs were imported.'
  const sure = byConfidence.exact.calls + byConfidence.derived.calls + byConfidence.probable.calls
  const lost = byConfidence.asserted.calls + byConfidence.none.calls
  const tokens = tokensOf(total) === 0 ? 'No token counts are known.' : `Token counts are known for ${percent(total.meteredCalls, total.calls)} of the calls.`
  return `${percent(sure, total.calls)} of the calls are charged to a named agent, ${percent(byConfidence.ambiguous.calls, total.calls)} are one of several agents', and ${percent(lost, total.calls)} are charged to nobody. ${tokens}`
}

function notes({ coverage: { pendingEvents, otherTenants, batchJobs }, rows }: ReportData): Block[] {
  const unmetered = Map.groupBy(
    rows.filter((row) => row.tokenBasis === 'none'),
    (row) => row.cloud ?? '',
  )
  const batch = batchWords(batchJobs)
  const lines = [
    ...[...unmetered]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([cloud, own]) => {
        const { calls, errors } = totalOf(own)
        const why = cloud === 'gcp' ? "Google Cloud's audit logs hold no token counts" : 'no usage log was found for them (Bedrock: model invocation logging)'
        return `The tokens of ${whole(calls)} ${CLOUDS[cloud] ?? cloud} calls (${whole(errors)} of them failed) are unknown, not zero: ${why}.`
      }),
    ...(batch === null ? [] : [batch]),
    ...(otherTenants > 0 ? [`${whole(otherTenants)} calls of the period are left out: they belong to another tenant, or to none that is proven.`] : []),
    ...(pendingEvents ? [`${whole(pendingEvents)} stored records are not evaluated yet and not in this report.`] : []),
  ]
  return lines.map((line) => ({ block: 'note', text: line }))
}

function method({ prices }: ReportData): Block[] {
  return [
    heading('How it was counted'),
    {
      block: 'list',
      items: [
        "Sources are the clouds' own audit and usage logs: AWS CloudTrail and Bedrock model invocation logs, Google Cloud audit logs. An agent's own statements about its use are not counted.",
        'A call is one request to a model, counted on the UTC day on which it was made. The audit record and the usage log of one request (same account, region and request id) count once; a usage log without its audit record counts as a call as well. The parts of a long-running, streamed or split call, and copies of its record that others made (VPC endpoints), are that one call.',
        'What runs no model for the caller is no call: counting tokens, tools, gateways and runtimes of agents, guardrails. Batch jobs run models later, and no log holds what they use: only how many were started is told.',
        'A call failed when any of its records says so. It was throttled when a record says that the cloud refused it because of too much use at once. Throttled calls are among the failed ones, and failed calls are among the calls.',
        "Tokens are those of the cloud's usage log. Input tokens do not include cached ones. Where there is no usage log the number is unknown and not estimated.",
        'Whose call it was follows from the chain of credentials back to Microsoft Entra. What could be changed by the caller (session names, labels) never charges anybody.',
        'Records that arrive late correct the days they belong to: a later report of the same period may say more. The same records, with the same decisions about findings, always give the same report.',
        ...(prices === null
          ? []
          : [
              "Costs are calls and tokens times the prices of the user's own table, exact to the last digit, rounded only for display. They are no invoice: discounts, taxes and unlogged use are not in them. Calls whose tokens or price are unknown have no cost here: below a cost stands how many such calls there were (“+ 12 unknown”).",
            ]),
      ],
    },
    text(
      'A log that was never imported leaves no trace in this report. Whether the logs of all accounts and projects are complete cannot be seen from it.',
      'soft',
    ),
  ]
}

function proof({ proofs, prices, version }: ReportData): Block[] {
  return [
    heading('Check it yourself'),
    text(
      'The figures are those of what these commands print; the SHA-256 of what each prints is the one below as long as the store holds the same records and the same decisions about findings.',
    ),
    {
      block: 'facts',
      code: true,
      facts: [
        ...proofs.flatMap(({ of, command, sha256 }) => [[of, command] as const, ['SHA-256 of its output', sha256] as const]),
        ...(prices === null ? [] : [['SHA-256 of the price table', prices.sha256] as const]),
        ['Made with', `trailjoin ${version}`],
      ],
    },
  ]
}
