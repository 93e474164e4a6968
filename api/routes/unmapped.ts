import { page, Unmapped } from '../contract.ts'
import { DEFAULT_LIMIT, ListQuery } from '../query.ts'
import { unmappedPage } from '../read-models/rejected.ts'
import { defineRoute } from './route.ts'

export const unmapped = defineRoute({
  path: '/v1/unmapped',
  summary: 'What was not understood in known records: sets of paths that nothing reads.',
  query: ListQuery,
  answer: { description: 'Sets of paths by format, with an example.', schema: page(Unmapped) },
  handle: async ({ query, response }, { store }) => {
    response.json(await unmappedPage(store, query.limit ?? DEFAULT_LIMIT, query.cursor))
  },
})
