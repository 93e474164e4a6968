import express, { Router } from 'express'
import type { Request, Response } from 'express'
import type { Piece, SourceContext } from '../../engine/source.ts'
import { MailboxFull } from '../mailbox/mailbox.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { Authorise } from './authorise.ts'

export interface PushOptions {
  readonly mailbox: Mailbox<Piece>
  readonly authorise: Authorise
  readonly path: string
  readonly log: (...line: Parameters<SourceContext['log']>) => void
}

/** A Pub/Sub message has at most 10 MB, base64 and envelope come to it. */
const BODY_LIMIT = '15mb'

/**
 * The push endpoint, to be mounted in any Express application. A push is answered with 204 when its records are durable, and not before; every other answer
 * makes Pub/Sub send it again: 401 not believed, 413 larger than any message, 503 not stored now.
 */
export function createPushRouter({ mailbox, authorise, path, log }: PushOptions): Router {
  const router = Router()
  // Before the body is read: strangers get no memory.
  const admit = async (request: Request, response: Response): Promise<boolean> => {
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
    const queryToken = typeof request.query['token'] === 'string' ? request.query['token'] : null
    try {
      if (await authorise({ bearer, queryToken })) return true
      log('warn', 'push refused: not from the subscription')
      response.status(401).json({ error: 'the push is not authorised' })
    } catch (error) {
      log('warn', 'push cannot be checked', { error: error instanceof Error ? error.message : String(error) })
      response.status(503).json({ error: 'the push cannot be checked now' })
    }
    return false
  }
  const accept = async (request: Request, response: Response): Promise<void> => {
    // Without a body the parser leaves nothing.
    const text = typeof request.body === 'string' ? request.body : ''
    try {
      await mailbox.put({ where: `gcp:pubsub/${subscriptionOf(text)}`, text }, Buffer.byteLength(text))
      response.status(204).end()
    } catch (error) {
      log('debug', 'push not stored', { full: error instanceof MailboxFull })
      response.status(503).set('retry-after', '10').json({ error: 'not stored, send it again' })
    }
  }
  router.post(
    path,
    (request, response, next) => {
      void admit(request, response).then((admitted) => {
        // oxlint-disable-next-line promise/no-callback-in-promise -- Express has no other way on
        if (admitted) next()
      })
    },
    // Whatever the content type: without wrapping, Pub/Sub sends the message's own.
    express.text({ type: () => true, limit: BODY_LIMIT }),
    (request, response) => void accept(request, response),
  )
  return router
}

/** `projects/p/subscriptions/s` of the push's envelope; a push without one (unwrapped) has none. */
function subscriptionOf(text: string): string {
  try {
    const { subscription } = JSON.parse(text) as { readonly subscription?: unknown }
    return typeof subscription === 'string' && /^projects\/[\w.:-]+\/subscriptions\/[\w.~+%-]+$/.test(subscription) ? subscription : 'push'
  } catch {
    return 'push'
  }
}
