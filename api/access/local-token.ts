/** The token of one machine: whoever can read the data folder may ask everything, as they hold the database itself. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Caller } from './caller.ts'
import { authenticateBy } from './check.ts'
import type { Authenticate, TokenCheck } from './check.ts'

/** Whoever can read the data folder holds the database itself. */
export const LOCAL_CALLER: Caller = { id: 'local', name: null, roles: ['admin'], scope: 'everything' }

/** Accepts one token. The comparison takes the same time whatever the guess. */
export function oneToken(token: string): TokenCheck {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const expected = digest(token)
  return async (given) => (timingSafeEqual(digest(given), expected) ? LOCAL_CALLER : null)
}

/** Authentication by one token alone. */
export const bearerToken = (token: string): Authenticate => authenticateBy([oneToken(token)])

/**
 * The local token of a data folder: made on first use, readable by its owner alone, the same ever after.
 * @throws when the folder cannot be written, or the file holds something else
 */
export async function localToken(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, 'token')
  try {
    // Exclusive: of two processes that start at once, the second reads what the first wrote.
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`${randomBytes(32).toString('base64url')}\n`)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    await chmod(path, 0o600)
  }
  for (let attempt = 0; attempt < 20; attempt++) {
    const token = (await readFile(path, 'utf8')).trim()
    if (/^[\w-]{43}$/.test(token)) return token
    // Created by another process this instant, not yet written.
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${path} does not hold a token: delete the file, and a new one is made.`)
}
