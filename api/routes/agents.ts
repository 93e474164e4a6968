import { Agent, page } from '../contract.ts'
import { AgentsQuery, MAX_LIMIT } from '../query.ts'
import { agentsPage } from '../read-models/agents.ts'
import { defineRoute } from './route.ts'

export const agents = defineRoute({
  path: '/v1/agents',
  summary: 'Agents with Blueprint, UAMIs, topology per cloud, first and last seen, counts.',
  query: AgentsQuery,
  answer: { description: 'Agents, by name.', schema: page(Agent) },
  handle: async ({ query, response }, { store }) => {
    response.json(await agentsPage(store, { tenant: query.tenant, text: query.text, limit: query.limit ?? MAX_LIMIT, cursor: query.cursor }))
  },
})
