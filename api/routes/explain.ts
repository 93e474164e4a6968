import { z } from 'zod'
import { Explanation, OidExplanation } from '../explain/contract.ts'
import { ProblemError } from '../problem.ts'
import { guid, NoQuery, OidQuery } from '../query.ts'
import { explainEvent, explainOid } from '../read-models/explain.ts'
import { explainUnknown } from '../read-models/oid-info.ts'
import { defineRoute } from './route.ts'

export const eventExplain = defineRoute({
  path: '/v1/events/{id}/explain',
  summary:
    'In plain words: which hop issued the credential, what the cloud could see, why the confidence is what it is, what would make it exact, what is missing.',
  params: z.object({ id: guid }),
  query: NoQuery,
  answer: { description: 'The explanation; every statement has the ids of the events it rests on.', schema: Explanation },
  problems: [404],
  handle: async ({ params: { id }, response }, { store }) => {
    const explanation = await explainEvent(store, id)
    if (!explanation) throw new ProblemError(404, `There is no event ${id}.`)
    response.json(explanation)
  },
})

export const oidExplain = defineRoute({
  path: '/v1/oids/{oid}/explain',
  summary: 'The same for all that an oid did, grouped by where it was logged and how sure it is, each group with the explanation of one of its events.',
  params: z.object({ oid: guid }),
  query: OidQuery,
  answer: { description: 'Groups of events, the largest first.', schema: OidExplanation },
  problems: [404],
  handle: async ({ params: { oid }, query, response }, { store }) => {
    const explanation = await explainOid(store, oid, query.tenant)
    if (explanation.groups.length === 0) {
      const unknown = await explainUnknown(store, oid, query.tenant)
      if (unknown !== null) throw new ProblemError(404, unknown)
    }
    response.json(explanation)
  },
})
