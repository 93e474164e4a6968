import { AccessEntry, AccessLogQuery, accessLogPage } from '../access/log-page.ts'
import { page } from '../contract.ts'
import { DEFAULT_LIMIT } from '../query.ts'
import { defineRoute } from './route.ts'

export const accessLog = defineRoute({
  path: '/v1/access-log',
  summary: 'Who looked at what: every question that this API answered or refused to a known caller, the latest first.',
  roles: ['admin'],
  query: AccessLogQuery,
  answer: { description: 'A page of entries.', schema: page(AccessEntry) },
  handle: async ({ query: { limit = DEFAULT_LIMIT, ...filters }, response }, { db, caller }) => {
    response.json(await accessLogPage(db, caller?.scope ?? [], { ...filters, limit }))
  },
})
