/** Writes server-sent events: waits for slow readers instead of keeping messages for them, and gives up those that stand still. */
import { once } from 'node:events'
import type { Response } from 'express'

/** A reader that takes nothing for so long is gone, or as good as gone; it can come back to where it was. */
const STANDSTILL_MS = 30_000

export interface EventStream {
  /** Aborted when the client has gone or was given up. */
  readonly signal: AbortSignal
  /** Resolves when the client has taken what was written so far, but for one buffer. */
  readonly send: (message: { readonly event?: string; readonly id?: string; readonly data?: unknown; readonly comment?: string }) => Promise<void>
  /** Says why and ends. */
  readonly end: (reason: EndReason) => void
}

/** `access`: the token is no longer good; `slow`: the client took nothing for half a minute; `shutdown`: this server stops, another may go on; `stale`: the store was
 * restored meanwhile, whoever comes back is told to load anew. */
type EndReason = 'access' | 'slow' | 'shutdown' | 'stale'

/** Begins the answer. `standstill` is in milliseconds. */
export function openEventStream(response: Response, standstill = STANDSTILL_MS): EventStream {
  const closed = new AbortController()
  response.on('close', () => closed.abort())
  response.on('error', () => closed.abort())
  response.status(200)
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  // nginx would keep messages back until a buffer is full.
  response.setHeader('X-Accel-Buffering', 'no')
  response.flushHeaders()
  const end = (reason: EndReason): void => {
    if (closed.signal.aborted) return
    response.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`)
    // Whoever does not read does not read the end, either.
    setTimeout(() => response.destroy(), 2000).unref()
    closed.abort()
  }
  return {
    signal: closed.signal,
    end,
    send: async ({ event, id, data, comment }) => {
      if (closed.signal.aborted) return
      // JSON has no raw line breaks, ids are base64url, events are words of this program: nothing in them can end a line.
      const lines = [comment && `: ${comment}`, event && `event: ${event}`, id && `id: ${id}`, data !== undefined && `data: ${JSON.stringify(data)}`]
      if (response.write(`${lines.filter(Boolean).join('\n')}\n\n`)) return
      const waited = AbortSignal.any([closed.signal, AbortSignal.timeout(standstill)])
      await once(response, 'drain', { signal: waited }).catch(() => undefined)
      if (response.writableNeedDrain && !closed.signal.aborted) end('slow')
    },
  }
}
