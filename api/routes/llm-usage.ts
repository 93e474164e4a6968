import { asksForExport } from '../access/record.ts'
import { toCsv } from '../csv.ts'
import { llmUsage, usageRows } from '../read-models/llm-usage.ts'
import { UsageReport } from '../usage/contract.ts'
import { USAGE_COLUMNS } from '../usage/csv.ts'
import { focusHeader, focusRows } from '../usage/focus.ts'
import { UsageQuery } from '../usage/query.ts'
import { defineRoute } from './route.ts'

export const llmUsageReport = defineRoute({
  path: '/v1/reports/llm-usage',
  summary:
    'LLM calls, failures and tokens by agent, model, cloud and day; ambiguous and unattributed use always has a row. format=focus gives FOCUS 1.2 rows without costs.',
  roles: ['compliance'],
  handsOut: asksForExport,
  query: UsageQuery,
  answer: { description: 'Rows with their coverage: how much of them is how sure.', schema: UsageReport, alsoAs: ['text/csv'] },
  handle: async ({ query: { format = 'json', ...filters }, response }, { store, gave }) => {
    if (format === 'json') {
      response.json(await llmUsage(store, filters))
      return
    }
    response.setHeader('Content-Type', 'text/csv; charset=utf-8')
    response.setHeader('Content-Disposition', `attachment; filename="llm-usage${format === 'focus' ? '-focus' : ''}.csv"`)
    if (format === 'focus') {
      const rows = await usageRows(store, filters)
      gave(rows.length)
      response.send(focusHeader() + focusRows(rows, null))
      return
    }
    const { rows } = await llmUsage(store, filters)
    gave(rows.length)
    response.send(toCsv([Object.keys(USAGE_COLUMNS), ...rows.map((row) => Object.values(USAGE_COLUMNS).map((column) => column(row)))]))
  },
})
