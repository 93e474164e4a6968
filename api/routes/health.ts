import { z } from 'zod'
import { isUnavailable } from '#database/errors.ts'
import { lacksAccess } from '#database/open.ts'
import { missingAccess } from '#migrations/access.ts'
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
  summary: 'Whether the database answers, and whether it has the roles and policies that it is read with.',
  open: true,
  query: NoQuery,
  answer: { description: 'It does.', schema: Status },
  problems: [503],
  handle: async ({ response }, { db, store }) => {
    try {
      const missing = await missingAccess(db)
      // Without its policies a table would answer that it holds nothing.
      if (missing.length > 0) return sendProblem(response, 503, sentence(lacksAccess(missing)))
      await store.query('select 1 from timeline where false')
    } catch (error) {
      return sendProblem(response, 503, isUnavailable(error) ? 'The database does not answer.' : NOT_READ)
    }
    response.json({ status: 'ok' })
  },
})

const NOT_READ = 'The database answers, but refuses to be read; the log of its server says why.'

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`
