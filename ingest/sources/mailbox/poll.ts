import { z } from 'zod'
import type { Json } from '#core/record.ts'
import type { Page, Piece, SourceContext } from '../../engine/source.ts'
import type { Mailbox } from './mailbox.ts'

export interface MailPoll<Item> {
  readonly mailbox: Mailbox<Item>
  piecesOf(item: Item): readonly Piece[]
  /** Silent for so long, everything that was sent has arrived, and the poll comes to its end. */
  readonly idleMs: number
  /** From an event to its arrival here (ms), for the watermark. */
  readonly delayMs: number
  readonly context: Pick<SourceContext, 'now'>
}

/** The sender keeps the position; kept here is only when something came last (ms). */
const Cursor = z.object({ newest: z.number().nullable() })
const DAY_MS = 24 * 3_600_000

/** Yields what arrives. An item is durable, and its sender told so, when the page's cursor is stored. */
export async function* pollMailbox<Item>(options: MailPoll<Item>, stored: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void> {
  const { mailbox, idleMs, delayMs, context } = options
  let newest = stored === null ? null : Cursor.parse(stored).newest
  for (;;) {
    const taken = await mailbox.take(idleMs, signal)
    if (taken === null) {
      // A sender that was heard of within a day, and has nothing more, has sent what there was. One that was not may have lost its way to us.
      const alive = newest !== null && context.now() - newest < DAY_MS
      if (alive) yield { pieces: [], cursor: { newest }, watermark: BigInt(context.now() - delayMs) * 1_000_000n }
      return
    }
    newest = context.now()
    try {
      yield { pieces: taken.items.flatMap((item) => options.piecesOf(item)), cursor: { newest }, watermark: null, acknowledge: async () => taken.done() }
    } finally {
      // After `done` this says nothing any more.
      taken.failed(new Error('not stored'))
    }
  }
}
