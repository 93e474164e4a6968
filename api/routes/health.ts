import { z } from 'zod'
import { sendProblem } from '../problem.ts'
import { NoQuery } from '../query.ts'
import { defineRoute } from './route.ts'

const Status = z.object({ status: z.literal('ok') }).meta({ id: 'Status' })

export const healthz = defineRoute({
  path: '/healthz',
  summary: 'Whether the process is alive.',
  open: true,
  query: NoQuery,
  answer: { description: 'It is.', schema: Status },
  handle: async ({ response }) => {
    response.json({ status: 'ok' })
  },
})

export const readyz = defineRoute({
  path: '/readyz',
  summary: 'Whether the database answers.',
  open: true,
  query: NoQuery,
  answer: { description: 'It does.', schema: Status },
  problems: [503],
  handle: async ({ response }, { store }) => {
    try {
      await store.query('select 1 from timeline where false')
    } catch {
      return sendProblem(response, 503, 'The database does not answer.')
    }
    response.json({ status: 'ok' })
  },
})
