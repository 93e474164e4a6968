/** What the embedded server's log says about its end. It names no statements and no values (`serverOptions`). */
import { open, stat } from 'node:fs/promises'

/** Its name in the cluster's folder. */
export const SERVER_LOG = 'server.log'

export const size = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0

/** More than this back is another story. */
const MOST_READ = 256 * 1024

/** What was written to the log since it had that many bytes; the end of it where that is much. Empty where it cannot be read. */
export async function logSince(file: string, bytes: number): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      const { size: now } = await handle.stat()
      // A log that is shorter than it was has been begun anew.
      const from = Math.max(now < bytes ? 0 : bytes, now - MOST_READ)
      const buffer = Buffer.alloc(now - from)
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, from)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch {
    return ''
  }
}

/** The reasons in PostgreSQL's own words, or null. */
export function fatal(log: string): string | null {
  const lines = log.split('\n').flatMap((line) => /(?:FATAL|PANIC|error):\s*(.*)/.exec(line)?.[1] ?? [])
  return lines.length > 0 ? lines.join('; ') : null
}

/** Why the server broke off, as a part of a sentence; null where the log says nothing of it. */
export function whyItBroke(log: string): string | null {
  if (/No space left|Disk quota exceeded/i.test(log)) return 'the disk is full'
  const killed = /LOG:\s+(\w[\w ]*) \(PID (\d+)\) was terminated by signal (\d+)/.exec(log)
  if (killed) {
    const how = killed[3] === '9' ? 'was killed (kill -9, or the system ran out of memory)' : `was ended by signal ${killed[3]}`
    return `its ${killed[1]} ${killed[2]} ${how}`
  }
  const request = /received (fast|immediate|smart) shutdown request/.exec(log)
  if (request) return `somebody stopped it (${request[1]} shutdown)`
  const panic = /PANIC:\s*(.*)/.exec(log)
  return panic ? `it gave up: ${panic[1]}` : null
}
