/** Errors as RFC 9457 problem details. What is not a `ProblemError` is a fault of ours: logged whole, answered without details. */
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { z } from 'zod'
import type { Problem } from './contract.ts'
import type { Log } from './log.ts'
import { faultsOf } from './query.ts'
import type { Fault } from './query.ts'

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  413: 'Content too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not ready',
}

/** An error that the caller may read. */
export class ProblemError extends Error {
  readonly status: number
  readonly faults: readonly Fault[]

  constructor(status: number, detail: string, faults: readonly Fault[] = []) {
    super(detail)
    this.name = 'ProblemError'
    this.status = status
    this.faults = faults
  }
}

/** Answers with problem+json. */
export function sendProblem(response: Response, status: number, detail?: string, faults: readonly Fault[] = []): void {
  const body: Problem = {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(faults.length > 0 ? { errors: [...faults] } : {}),
  }
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
    if (status >= 500) log.error({ err: error, method: request.method, path: request.path }, 'request failed')
    if (response.headersSent) {
      // A stream that broke half-way: the connection is cut, so that a client cannot take the part for the whole.
      response.destroy()
      return
    }
    if (error instanceof ProblemError) return sendProblem(response, error.status, error.message, error.faults)
    if (status < 500) return sendProblem(response, status, 'The request could not be read.')
    sendProblem(response, 500, 'Something went wrong on our side; the log of the server says what.')
    void next
  }
}

function statusOf(error: unknown): number {
  if (error instanceof ProblemError) return error.status
  // Express marks what it refuses itself (a path that does not decode, say) with a status.
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}
