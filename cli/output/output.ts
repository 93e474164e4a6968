/** Standard output as commands see it: waits when the reader is slow, and ends the command quietly when the reader is gone (`| head`). */
import { once } from 'node:events'

/** The reader closed the pipe: no error, just nobody there any more. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

export interface Output {
  readonly write: (content: string | Uint8Array) => Promise<void>
  /** Columns to fill: the terminal's, else 120. */
  readonly width: number
  readonly color: boolean
  /** True where a person looks at it. */
  readonly terminal: boolean
}

/** Wraps a stream; call it once for a stream. */
export function createOutput(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
  options: { readonly noColor: boolean },
): Output {
  let failure: Error | null = null
  const failed = new Promise<void>((resolve) => {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' ? new OutputClosed('The output was closed.') : error
      resolve()
    })
  })
  return {
    // Narrower than 80 would leave columns without any room.
    width: stream.isTTY && stream.columns ? Math.max(80, stream.columns) : 120,
    color: stream.isTTY === true && !options.noColor,
    terminal: stream.isTTY === true,
    write: async (content) => {
      if (failure) throw failure
      if (!stream.write(content)) await Promise.race([once(stream, 'drain').catch(() => undefined), failed])
      if (failure) throw failure as Error
    },
  }
}
