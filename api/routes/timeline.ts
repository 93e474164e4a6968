import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { z } from 'zod'
import { errorCode } from '#database/errors.ts'
import { page, TimelineItem } from '../contract.ts'
import { csvHeader, csvRows } from '../csv.ts'
import { ProblemError } from '../problem.ts'
import type { Format } from '../query.ts'
import { DEFAULT_LIMIT, FORMATS, guid, TimelineQuery } from '../query.ts'
import { explainUnknown } from '../read-models/oid-info.ts'
import type { Store } from '../read-models/store.ts'
import type { TimelineRequest } from '../read-models/timeline.ts'
import { timelinePage, timelinePages } from '../read-models/timeline.ts'
import { defineRoute } from './route.ts'

const MEDIA_TYPES: Readonly<Record<Format, string>> = { json: 'application/json', ndjson: 'application/x-ndjson', csv: 'text/csv' }

export const timeline = defineRoute({
  path: '/v1/oids/{oid}/timeline',
  summary: 'The cross-cloud timeline of an oid, the newest first unless order=asc. ndjson and csv stream all of it unless a limit is given.',
  params: z.object({ oid: guid }),
  query: TimelineQuery,
  answer: {
    description: 'A page of items; with ndjson and csv and a limit, the header Link names the next page.',
    schema: page(TimelineItem),
    alsoAs: [MEDIA_TYPES.ndjson, MEDIA_TYPES.csv],
  },
  problems: [404, 406],
  handle: async ({ params: { oid }, query, request, response }, { store }) => {
    const { order = 'desc', limit, cursor, format: asked, ...filters } = query
    const format = asked ?? formatOf(request)
    const wanted: Omit<TimelineRequest, 'limit'> = { oid, filters, order, after: cursor }
    if (format === 'json') {
      const answer = await timelinePage(store, { ...wanted, limit: limit ?? DEFAULT_LIMIT })
      if (answer.items.length === 0) await mustBeKnown(store, oid, filters.tenant)
      response.json(answer)
      return
    }
    const pages = limit === undefined ? timelinePages(store, wanted) : onePage(await timelinePage(store, { ...wanted, limit }), request, response)
    const first = await pages.next()
    if (first.done) await mustBeKnown(store, oid, filters.tenant)
    response.setHeader('Content-Type', `${MEDIA_TYPES[format]}; charset=utf-8`)
    if (format === 'csv') response.setHeader('Content-Disposition', `attachment; filename="timeline-${oid}.csv"`)
    await stream(response, format, first, pages)
  },
})

function formatOf(request: Request): Format {
  const accepted = request.accepts(Object.values(MEDIA_TYPES))
  const format = FORMATS.find((name) => MEDIA_TYPES[name] === accepted)
  if (!format) throw new ProblemError(406, `The formats are ${FORMATS.map((name) => `${name} (${MEDIA_TYPES[name]})`).join(', ')}.`)
  return format
}

async function mustBeKnown(store: Store, id: string, tenant: string | undefined): Promise<void> {
  const unknown = await explainUnknown(store, id, tenant)
  if (unknown !== null) throw new ProblemError(404, unknown)
}

async function* onePage(answer: Awaited<ReturnType<typeof timelinePage>>, request: Request, response: Response): AsyncGenerator<readonly TimelineItem[]> {
  if (answer.next !== null) {
    const url = new URL(request.originalUrl, 'http://localhost')
    url.searchParams.set('cursor', answer.next)
    response.setHeader('Link', `<${url.pathname}${url.search}>; rel="next"`)
  }
  if (answer.items.length > 0) yield answer.items
}

async function stream(
  response: Response,
  format: 'ndjson' | 'csv',
  first: IteratorResult<readonly TimelineItem[], unknown>,
  rest: AsyncGenerator<readonly TimelineItem[]>,
): Promise<void> {
  async function* texts(): AsyncGenerator<string> {
    if (format === 'csv') yield csvHeader()
    for (let next = first; !next.done; next = await rest.next())
      yield format === 'csv' ? csvRows(next.value) : next.value.map((item) => `${JSON.stringify(item)}\n`).join('')
  }
  try {
    await pipeline(texts, response)
  } catch (error) {
    // The client hung up: nobody is left to tell.
    if (errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}
