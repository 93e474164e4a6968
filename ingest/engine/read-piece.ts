import type { RecordContext } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { explain } from '../paths.ts'
import { openStream } from '../containers/open.ts'
import { readText } from '../read-text.ts'
import { BODY_REASON, isBodyObject } from '../bodies.ts'
import { keptName, keptReason, keptText } from '../records-in.ts'
import type { Reading } from '../read-text.ts'
import type { Batches } from '../batches.ts'
import { Damage } from '../split/damage.ts'
import type { Piece } from './source.ts'

/**
 * Reads one piece into the batches, through the same splitter, envelopes and masking as an imported file. Damage inside it is a rejection and is not
 * fatal; a delivery that fails and a stream that breaks are thrown as they are.
 */
export async function readPiece(piece: Piece, batches: Batches, context: RecordContext, knows: Knows): Promise<void> {
  if ('refused' in piece) {
    batches.reject({ origin: { file: keptName(piece.where), line: null, index: 0 }, reason: keptReason(piece.reason), text: keptText(piece.refused) })
    return
  }
  const content = piece
  // What fails outside of the text must not be taken for damage inside it: the text would be given up although it is whole in the cloud.
  let outside: { readonly error: unknown } | null = null
  const watched = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work()
    } catch (error) {
      outside = { error }
      throw error
    }
  }
  const reading: Reading = {
    context,
    knows,
    record: (record) => batches.record(record),
    reject: (rejection) => batches.reject(rejection),
    turn: () => watched(() => batches.turn()),
  }

  // Said, and not read.
  const left = async (name: string): Promise<void> => batches.reject({ origin: { file: keptName(name), line: null, index: 0 }, reason: BODY_REASON, text: '' })

  async function* bytes(): AsyncGenerator<Buffer> {
    if ('text' in content) {
      yield Buffer.from(content.text)
      return
    }
    const source = (await watched(async () => content.bytes()))[Symbol.asyncIterator]()
    try {
      for (let next = await watched(() => source.next()); !next.done; next = await watched(() => source.next())) yield next.value
    } finally {
      await source.return?.()
    }
  }

  try {
    if ('text' in content) await readText(content.where, bytes(), reading)
    else await openStream(content.where, bytes(), async (name, text) => void (await (isBodyObject(name) ? left(name) : readText(name, text, reading))))
  } catch (error) {
    const failure = outside as { readonly error: unknown } | null
    if (failure !== null) throw failure.error
    if (error instanceof Damage && error.remains) return
    batches.reject({
      origin: { file: keptName(content.where), line: null, index: 0 },
      reason: keptReason(`cannot be read to its end: ${explain(error)}`),
      text: '',
    })
  }
}
