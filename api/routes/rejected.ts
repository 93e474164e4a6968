import { page, Rejected } from '../contract.ts'
import { DEFAULT_LIMIT, ListQuery } from '../query.ts'
import { rejectedPage } from '../read-models/rejected.ts'
import { defineRoute } from './route.ts'

export const rejected = defineRoute({
  path: '/v1/rejected',
  summary: 'Texts that are no known record, with file, line and reason; the latest first.',
  // Texts as they came, whosever they are.
  roles: ['responder'],
  handsOut: () => true,
  query: ListQuery,
  answer: { description: 'Rejected texts.', schema: page(Rejected) },
  handle: async ({ query, response }, { store }) => {
    response.json(await rejectedPage(store, query.limit ?? DEFAULT_LIMIT, query.cursor))
  },
})
