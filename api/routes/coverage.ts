import { Coverage } from '../contract.ts'
import { NoQuery } from '../query.ts'
import { coverage as readCoverage } from '../read-models/coverage.ts'
import { defineRoute } from './route.ts'

export const coverage = defineRoute({
  path: '/v1/coverage',
  summary: 'Per source: watermark, lag, gaps; and which logs are in the store at all. Silence is never read as absence.',
  roles: ['reader', 'responder', 'compliance'],
  query: NoQuery,
  answer: { description: 'What was seen and what is known to be missing.', schema: Coverage },
  handle: async ({ response }, { store }) => {
    response.json(await readCoverage(store))
  },
})
