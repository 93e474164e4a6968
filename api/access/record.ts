/**
 * Who looked at what. One row a request, written when it is over; what hands out raw records or exports is written down before it begins, too, and is not
 * begun where that fails. The table takes rows and gives none up (`migrations/`: a trigger refuses changes and deletions).
 */
import { randomUUID } from 'node:crypto'
import type { Request, Response } from 'express'
import { maskLooks, maskNamed } from '#core/secrets/looks.ts'
import { storable } from '#core/text.ts'
import type { Log } from '../log.ts'
import type { Queries } from '../read-models/store.ts'
import type { Caller } from './caller.ts'
import { Unavailable } from './check.ts'

/** One request being answered. */
export interface Access {
  /** Counts rows that were given; what is answered by `response.json` counts itself. */
  readonly gave: (rows: number) => void
  /** Writes down that it begins. @throws Unavailable where it cannot be written */
  readonly begin: () => Promise<void>
  /** Waits with the last word until whoever answers has counted what was given: a broken connection is noticed here first. */
  readonly answeredBy: (work: Promise<void>) => void
}

export interface AccessRecorder {
  /** Follows a request to its end. */
  readonly follow: (request: Request, response: Response, caller: Caller, route: string) => Access
  /** Resolves when everything that is over is written. */
  readonly settled: () => Promise<void>
}

type Phase = 'begin' | 'end' | 'whole'

/** For work that does not notice that its client has gone. */
const LAST_WORD_MS = 2000

/** Longer texts of filters are cut: the record says what was looked for, it is no store of its own. */
const MOST_TEXT = 1000

/** Writes to `access_log`. What cannot be written goes to the log of the server, whole. */
export function accessRecorder(db: Queries, log: Log): AccessRecorder {
  const pending = new Set<Promise<void>>()

  return {
    follow: (request, response, caller, route) => {
      const fields = describe(request, caller, route)
      let rows: number | null = null
      let begun = false
      let work: Promise<void> = Promise.resolve()
      const write = (phase: Phase): Promise<unknown> => {
        const over = phase !== 'begin'
        return insert(db, {
          ...fields,
          phase,
          status: over ? response.statusCode : null,
          rows: over ? (rows ?? defaultRows(response.statusCode)) : null,
          cut: over && !response.writableFinished,
        })
      }
      countJson(response, (given) => {
        rows ??= given
      })
      response.once('close', () => {
        const { statusCode: status, writableFinished } = response
        const written = settledOrLate(work)
          .then(() => write(begun ? 'end' : 'whole'))
          .then(
            () => undefined,
            (error: unknown) => log.error({ err: error, access: { ...fields, status, rows, cut: !writableFinished } }, 'an access could not be recorded'),
          )
        pending.add(written)
        void written.finally(() => pending.delete(written))
      })
      return {
        gave: (more) => {
          rows = (rows ?? 0) + more
        },
        answeredBy: (answering) => {
          work = answering
        },
        begin: async () => {
          try {
            await write('begin')
            begun = true
          } catch (error) {
            log.error({ err: error, access: fields }, 'an access could not be recorded, so it was refused')
            throw new Unavailable('Raw records and exports are given only when it can be recorded that they were; that is not possible now.')
          }
        },
      }
    },
    settled: async () => {
      while (pending.size > 0) await Promise.all(pending)
    },
  }
}

async function settledOrLate(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_WORD_MS)
  })
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}

const defaultRows = (status: number): number | null => (status >= 300 ? 0 : null)

/** Sees what is answered as JSON: a list counts its items, anything else is one. */
function countJson(response: Response, count: (rows: number) => void): void {
  const json = response.json.bind(response)
  response.json = (body: unknown) => {
    if (response.statusCode < 300) count(rowsOf(body))
    return json(body)
  }
}

function rowsOf(body: unknown): number {
  if (typeof body !== 'object' || body === null) return 1
  const { items, rows } = body as { readonly items?: unknown; readonly rows?: unknown }
  const list = items ?? rows
  return Array.isArray(list) ? list.length : 1
}

/** Whether a request asks for something else than JSON: pages are read as JSON, anything else is taken away. For `Route.handsOut`. */
export function asksForExport(request: Request): boolean {
  const { format } = request.query
  if (typeof format === 'string') return format !== 'json'
  return request.accepts(['application/json', 'application/x-ndjson', 'text/csv']) !== 'application/json'
}

interface Entry {
  readonly request: string
  readonly startedAt: Date
  readonly caller: string
  readonly callerName: string | null
  readonly tenants: readonly string[] | null
  readonly method: string
  readonly route: string
  readonly target: string | null
  readonly filters: Readonly<Record<string, string>>
  readonly address: string | null
}

function describe(request: Request, caller: Caller, route: string): Entry {
  const [target] = Object.values(request.params)
  return {
    request: randomUUID(),
    startedAt: new Date(),
    caller: caller.id,
    callerName: caller.name,
    tenants: caller.scope === 'everything' ? null : caller.scope,
    method: request.method,
    route,
    target: typeof target === 'string' ? shortValue('target', target).toLowerCase() : null,
    filters: Object.fromEntries(
      Object.entries(request.query).map(([name, value]) => [short(name), shortValue(name, typeof value === 'string' ? value : JSON.stringify(value))]),
    ),
    address: request.ip ?? null,
  }
}

/** A credential that somebody pasted (into the box that takes any identifier, say) must not stay here for ever. Masked before it is cut, so that no half of one is left. */
const short = (text: string): string => storable(maskLooks(text).slice(0, MOST_TEXT))

/** A value under its name, because some credentials are known by that alone (`access_token=`). */
function shortValue(name: string, value: string): string {
  return storable(maskNamed(name, value).slice(0, MOST_TEXT))
}

async function insert(
  db: Queries,
  entry: Entry & { readonly phase: Phase; readonly status: number | null; readonly rows: number | null; readonly cut: boolean },
): Promise<void> {
  const { request, phase, startedAt, caller, callerName, tenants, method, route, target, filters, status, rows, cut, address } = entry
  await db.query(
    `insert into access_log (request_id, phase, started_at, caller, caller_name, tenants, method, route, target, filters, status, rows, cut, address)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [request, phase, startedAt, caller, callerName, tenants, method, route, target, JSON.stringify(filters), status, rows, cut, address],
  )
}
