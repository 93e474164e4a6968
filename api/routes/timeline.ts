import type { Request, Response } from 'express'
import { z } from 'zod'
import { page, TimelineItem } from '../contract.ts'
import { WRITERS } from '../exports/formats.ts'
import type { ExportFormat } from '../exports/formats.ts'
import { ExportManifest } from '../exports/manifest.ts'
import { manifestOf, sendExport } from '../exports/send.ts'
import { exportRest, exportRows, exportTimeline } from '../exports/timeline-export.ts'
import type { TimelineExport } from '../exports/timeline-export.ts'
import { ProblemError } from '../problem.ts'
import { DEFAULT_LIMIT, guid, TimelineQuery } from '../query.ts'
import { explainUnknown } from '../read-models/oid-info.ts'
import type { Store } from '../read-models/store.ts'
import type { TimelineRequest } from '../read-models/timeline.ts'
import { timelinePage, timelineRowPage } from '../read-models/timeline.ts'
import { defineRoute } from './route.ts'

/** What a client can ask for by `Accept`; OCSF and Timesketch have no media type of their own and are asked for by `format`. */
const ACCEPTED = { json: 'application/json', ndjson: WRITERS.ndjson.mediaType, csv: WRITERS.csv.mediaType } as const

export const timeline = defineRoute({
  path: '/v1/oids/{oid}/timeline',
  summary:
    'The cross-cloud timeline of an oid, the newest first unless order=asc. ndjson, csv, ocsf (OCSF 1.8) and timesketch (JSONL) stream all of it unless a limit is given, and end with a manifest.',
  params: z.object({ oid: guid }),
  query: TimelineQuery,
  // Anything but a page: by parameter, or by a header that asks for something else than JSON first.
  handsOut: (request) => (request.query['format'] ?? 'json') !== 'json' || formatOf(request) !== 'json',
  answer: {
    description:
      'A page of items, or the manifest of an export where that is all that was asked for. Exports have their manifest in the trailer Trailjoin-Manifest and their SHA-256 in the trailer Repr-Digest; with a limit, the header Link names the next page.',
    schema: z.union([page(TimelineItem), ExportManifest]),
    alsoAs: [ACCEPTED.ndjson, ACCEPTED.csv],
  },
  problems: [404, 406],
  handle: async ({ params: { oid }, query, request, response }, { store, gave }) => {
    const { order = 'desc', limit, cursor, format: asked, manifest, ...filters } = query
    const format = asked ?? acceptedFormat(request)
    if (format === 'json') {
      const answer = await timelinePage(store, { oid, filters, order, after: cursor, limit: limit ?? DEFAULT_LIMIT })
      if (answer.items.length === 0) await mustBeKnown(store, oid, filters.tenant)
      response.json(answer)
      return
    }
    const made = await makeExport(store, { oid, filters, order, after: cursor, limit }, format, request, response)
    if (manifest === 'only') {
      response.json(await manifestOf(made))
      return
    }
    response.setHeader('Content-Type', `${WRITERS[format].mediaType}; charset=utf-8`)
    response.setHeader('Content-Disposition', `attachment; filename="timeline-${oid}${WRITERS[format].ending}"`)
    await sendExport(response, made, gave)
  },
})

function formatOf(request: Request): keyof typeof ACCEPTED | null {
  const accepted = request.accepts(Object.values(ACCEPTED))
  return (Object.keys(ACCEPTED) as (keyof typeof ACCEPTED)[]).find((name) => ACCEPTED[name] === accepted) ?? null
}

function acceptedFormat(request: Request): keyof typeof ACCEPTED {
  const format = formatOf(request)
  if (!format)
    throw new ProblemError(406, 'A timeline is given as application/json, application/x-ndjson or text/csv, and with format=ocsf or format=timesketch.')
  return format
}

async function mustBeKnown(store: Store, id: string, tenant: string | undefined): Promise<void> {
  const unknown = await explainUnknown(store, id, tenant)
  if (unknown !== null) throw new ProblemError(404, unknown)
}

/** All of it; or, where a limit or a cursor is given, one part. */
async function makeExport(
  store: Store,
  { limit, after, ...range }: Omit<TimelineRequest, 'limit'> & { readonly limit: number | undefined },
  format: ExportFormat,
  request: Request,
  response: Response,
): Promise<TimelineExport> {
  // Asked before anything is sent: afterwards no 404 could be given.
  const first = await timelineRowPage(store, { ...range, after, limit: limit ?? 1 })
  if (first.items.length === 0) await mustBeKnown(store, range.oid, range.filters.tenant)
  if (limit === undefined && after === undefined) return exportTimeline(store, range, format)
  if (limit === undefined) return exportRest(store, { ...range, after }, format)
  if (first.next !== null) {
    const url = new URL(request.originalUrl, 'http://localhost')
    url.searchParams.set('cursor', first.next)
    response.setHeader('Link', `<${url.pathname}${url.search}>; rel="next"`)
  }
  // oxlint-disable-next-line require-await
  const only = (async function* () {
    yield first.items
  })()
  return exportRows(store, range, format, only, async () => ({
    complete: first.next === null,
    leftOut: { byFilters: null, byLimit: first.next === null ? 0 : null },
  }))
}
