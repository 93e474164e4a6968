import { z } from 'zod'
import { page } from '../contract.ts'
import { Finding } from '../findings/contract.ts'
import { FindingsQuery } from '../findings/query.ts'
import { ProblemError } from '../problem.ts'
import { DEFAULT_LIMIT, guid, NoQuery } from '../query.ts'
import { findingById, findingsPage } from '../read-models/findings.ts'
import { defineRoute } from './route.ts'

export const findings = defineRoute({
  path: '/v1/findings',
  summary: 'Findings: anti-patterns, broken trust, signs of abuse, each with its evidence; the latest first.',
  query: FindingsQuery,
  answer: { description: 'A page of findings.', schema: page(Finding) },
  handle: async ({ query: { limit, cursor, ...filters }, response }, { store }) => {
    response.json(await findingsPage(store, filters, limit ?? DEFAULT_LIMIT, cursor))
  },
})

export const finding = defineRoute({
  path: '/v1/findings/{id}',
  summary: 'One finding. Its id stays when more evidence comes.',
  params: z.object({ id: guid }),
  query: NoQuery,
  answer: { description: 'The finding.', schema: Finding },
  problems: [404],
  handle: async ({ params: { id }, response }, { store }) => {
    const found = await findingById(store, id)
    if (!found) throw new ProblemError(404, `There is no finding ${id}.`)
    response.json(found)
  },
})
