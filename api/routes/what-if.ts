import { z } from 'zod'
import { WhatIf } from '../explain/contract.ts'
import { guid, inOrder, instant } from '../query.ts'
import { whatIf as readWhatIf } from '../read-models/what-if.ts'
import { defineRoute } from './route.ts'

/** `from` inclusive, `to` exclusive. */
export const WhatIfQuery = z.strictObject({ from: instant.optional(), to: instant.optional(), tenant: guid.optional() }).refine(inOrder.check, inOrder.params)

export const whatIf = defineRoute({
  path: '/v1/reports/what-if',
  roles: ['reader', 'responder', 'compliance'],
  summary:
    "How much of a period's derived and ambiguous activity in AWS and Google Cloud would be exact under Option 2, for each identity that the clouds saw.",
  query: WhatIfQuery,
  answer: { description: 'Counts as they are and as they would be, and what would have to change.', schema: WhatIf },
  handle: async ({ query, response }, { store }) => {
    response.json(await readWhatIf(store, query))
  },
})
