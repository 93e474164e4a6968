/** Errors as RFC 9457 problem details. What is not a `ProblemError` is a fault of ours: logged whole, answered without details. */
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { z } from 'zod'
import { errorCode, isUnavailable } from '#database/errors.ts'
import type { Problem } from './contract.ts'
import type { Log } from './log.ts'
import { problemType } from './problem-types.ts'
import { faultsOf } from './query.ts'
import type { Fault } from './query.ts'

/** Seconds after which a 503 may be tried again: what was missing (the database, an issuer's keys) is asked anew by then. */
const RETRY_AFTER = '5'

/** PostgreSQL's code of a statement that ran into its time limit. */
const QUERY_CANCELED = '57014'

/** An error that the caller may read. */
export class ProblemError extends Error {
  readonly status: number
  readonly faults: readonly Fault[]

  /** @param options.cause what the caller may not read: it goes to the log */
  constructor(status: number, detail: string, faults: readonly Fault[] = [], options?: ErrorOptions) {
    super(detail, options)
    this.name = 'ProblemError'
    this.status = status
    this.faults = faults
  }
}

/**
 * Answers with problem+json.
 * @param more further members of the problem
 */
export function sendProblem(response: Response, status: number, detail?: string, faults: readonly Fault[] = [], more: Pick<Problem, 'roles'> = {}): void {
  const body: Problem = {
    ...problemType(status, faults.length > 0),
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(faults.length > 0 ? { errors: [...faults] } : {}),
    ...more,
  }
  // An export that failed before its first byte had announced some; a short answer has none, and Node would refuse it.
  response.removeHeader('Trailer')
  if (status === 503 && !response.hasHeader('Retry-After')) response.setHeader('Retry-After', RETRY_AFTER)
  response.status(status).type('application/problem+json').send(JSON.stringify(body))
}

/** The parsed parameters, or a 400 that names every faulty one. */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const faults = faultsOf(result.error)
  throw new ProblemError(400, faults.map((fault) => `${fault.field} ${fault.message}`).join('; '), faults)
}

/** The last handler of the app. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, next) => {
    const status = statusOf(error)
    if (status >= 500 && !(error instanceof ProblemError && error.cause === undefined))
      log.error({ err: error, method: request.method, path: request.path }, 'request failed')
    if (response.headersSent) {
      // A stream that broke half-way: the connection is cut, so that a client cannot take the part for the whole.
      response.destroy()
      return
    }
    if (errorCode(error) === QUERY_CANCELED)
      return sendProblem(response, 503, 'The answer took too long to find. Ask for a shorter period, or for less at once.')
    if (isWithoutRoles(error))
      return sendProblem(response, 503, 'The database lacks the roles that it is read with: run `trailjoin migrate`, which repairs them.')
    if (isUnavailable(error)) return sendProblem(response, 503, 'The database does not answer, or has no connection to spare.')
    if (error instanceof ProblemError) return sendProblem(response, error.status, error.message, error.faults)
    if (status === 413) return sendProblem(response, status, 'The body is too long.')
    if (status < 500) return sendProblem(response, status, 'The request could not be read.')
    sendProblem(response, 500, 'Something went wrong on our side; the log of the server says what.')
    void next
  }
}

/** What `set role` says in a server that a dump was restored into without its roles. */
const isWithoutRoles = (error: unknown): boolean => error instanceof Error && /^role "trailjoin_reader(?:_all)?" does not exist$/.test(error.message)

function statusOf(error: unknown): number {
  if (error instanceof ProblemError) return error.status
  // Express marks what it refuses itself (a path that does not decode, say) with a status.
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
