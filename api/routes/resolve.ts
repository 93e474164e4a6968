import { resolve as resolveText } from '../read-models/resolve.ts'
import { Resolution } from '../resolve/contract.ts'
import { ResolveQuery } from '../resolve/query.ts'
import { defineRoute } from './route.ts'

export const resolve = defineRoute({
  path: '/v1/resolve',
  summary:
    'What an identifier is and where it occurs: oid, appId, Azure resource id, role or session ARN, access key, service account, principal:// URI, request, record or token id, IP address, name, account, resource.',
  query: ResolveQuery,
  answer: {
    description: 'All that it could be. Nothing found is an answer, too: lists are empty then, and `notSearched` says what the answer does not cover.',
    schema: Resolution,
  },
  handle: async ({ query: { q, records }, response }, { store, gave }) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const answer = await resolveText(store, q, { records, signal: gone.signal })
    gave(answer.occurrences.reduce((sum, occurrence) => sum + occurrence.sample.length, 0))
    response.json(answer)
  },
})
