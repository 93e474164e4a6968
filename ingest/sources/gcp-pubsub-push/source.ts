import { z } from 'zod'
import type { Finding, Piece, Source } from '../../engine/source.ts'
import { googleError } from '../google/errors.ts'
import { createMailbox } from '../mailbox/mailbox.ts'
import { pollMailbox } from '../mailbox/poll.ts'
import { createAuthorise, pushAuth } from './authorise.ts'
import { createPushRouter } from './router.ts'
import { listen } from './server.ts'
import type { PushServer } from './server.ts'

const MB = 1024 * 1024
/** Of pushes that wait: more are told to come again. A page of them is about one delivery to the database. */
const LIMITS = { bytes: 64 * MB, pageBytes: 8 * MB }
/** Pub/Sub delivers within seconds; what it must send again waits up to ten minutes by its default back-off. */
const DELAY_MS = 10 * 60_000

const settings = z.strictObject({
  /** Where the endpoint listens. TLS is the business of the load balancer or proxy before it: Pub/Sub pushes to https only. */
  listen: z.strictObject({ host: z.string().min(1).default('127.0.0.1'), port: z.number().int().min(0).max(65_535) }).describe('Address of the push endpoint.'),
  path: z
    .string()
    .regex(/^\/[\w./-]*$/, 'is no path: write one like /pubsub')
    .default('/pubsub'),
  auth: pushAuth,
  /** Silent for so long, everything that was pushed has arrived. */
  idleSeconds: z.number().positive().max(3600).default(30),
})

const source: Source<z.output<typeof settings>> = {
  kind: 'gcp-pubsub-push',
  description: 'Google Cloud audit logs that a log sink sends to Pub/Sub, and a push subscription to this endpoint',
  settings,
  open({ listen: address, path, auth, idleSeconds }, context) {
    const mailbox = createMailbox<Piece>(LIMITS)
    const authorise = createAuthorise(auth, context)
    const router = createPushRouter({ mailbox, authorise, path, log: (...line) => context.log(...line) })
    let server: PushServer | null = null
    const stop = async (): Promise<void> => {
      const old = server
      server = null
      await old?.close()
    }
    const leave = async (): Promise<void> => {
      mailbox.close()
      await stop()
    }
    return [
      {
        part: '',
        waits: true,
        async *poll(cursor, signal) {
          // From the first poll to the end of the process: between polls a push waits in the mailbox.
          if (server === null) {
            mailbox.open()
            server = await listen(router, address)
            context.log('info', 'push endpoint listens', { host: address.host, port: server.port, path })
          }
          yield* pollMailbox({ mailbox, piecesOf: (piece) => [piece], idleMs: idleSeconds * 1000, delayMs: DELAY_MS, context }, cursor, signal)
        },
        check: async () => [await checkAuth(authorise)],
        classify: (error) => googleError(error, 'push endpoint'),
        // First of all nothing more is taken: a push that is still arriving would wait for a poll that may never come, or be stored although its sender was told nothing.
        release: leave,
        close: leave,
      },
    ]
  },
}

/** Whether pushes could be checked at all: a push that is none must be refused, not fail. */
async function checkAuth(authorise: ReturnType<typeof createAuthorise>): Promise<Finding> {
  try {
    await authorise({ bearer: 'none', queryToken: null })
    return {
      check: 'push endpoint',
      level: 'ok',
      message: 'pushes can be checked; whether the subscription reaches the endpoint shows in its metric push_request_count',
      next: null,
    }
  } catch (error) {
    return {
      check: 'push endpoint',
      level: 'problem',
      message: googleError(error, 'pushes cannot be checked').message,
      next: 'Check the secret, or the network between this machine and www.googleapis.com.',
    }
  }
}

export default source
