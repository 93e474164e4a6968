import { z } from 'zod'
import { OidAnswer } from '../contract.ts'
import { ProblemError } from '../problem.ts'
import { guid, OidQuery } from '../query.ts'
import { oidAnswer, unknownOid } from '../read-models/oid-info.ts'
import { defineRoute } from './route.ts'

export const oid = defineRoute({
  path: '/v1/oids/{oid}',
  summary: 'What this oid is, its links and its topology. Also answers for an appId, and says so.',
  params: z.object({ oid: guid }),
  query: OidQuery,
  answer: { description: 'One item a tenant that knows it.', schema: OidAnswer },
  problems: [404],
  handle: async ({ params, query, response }, { store }) => {
    const answer = await oidAnswer(store, params.oid, query.tenant)
    if (!answer) throw new ProblemError(404, unknownOid(params.oid, query.tenant))
    response.json(answer)
  },
})
