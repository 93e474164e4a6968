import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import { createGzip } from 'node:zlib'

/** A text file written piece by piece with bounded memory; gzip by its name's ending. */
export interface TextFile {
  write(text: string): Promise<void>
  close(tail: string): Promise<void>
}

const CHUNK = 1 << 16

/** Creates the file (it must not exist). Throws the system's error when that cannot be. */
export async function openTextFile(path: string): Promise<TextFile> {
  const handle = await open(path, 'wx')
  const input = path.endsWith('.gz') ? createGzip() : new PassThrough()
  const done = pipeline(input, createWriteStream('', { fd: handle }))
  // Handled where it is awaited; without this a failing disk would end the process before the message is printed.
  done.catch(() => {})
  let buffer = ''
  const flush = async () => {
    const chunk = buffer
    buffer = ''
    if (chunk !== '' && !input.write(chunk)) await Promise.race([once(input, 'drain'), done])
  }
  return {
    write: async (text) => {
      buffer += text
      if (buffer.length >= CHUNK) await flush()
    },
    close: async (tail) => {
      buffer += tail
      await flush()
      input.end()
      await done
    },
  }
}
