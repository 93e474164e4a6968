/**
 * Who may ask. On one machine: whoever holds the local token, which only the owner of the data folder can read. An address on the network
 * needs real identities (OIDC, tenant scopes) and is refused until those exist (`listen.ts`).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Caller } from './access/caller.ts'

/** Whoever can read the data folder holds the database itself. */
const LOCAL: Caller = { id: 'local', name: null, roles: ['admin'], scope: 'everything' }

/** Gives the caller behind an Authorization header, or null. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller | null>

/** Authentication by one bearer token. The comparison takes the same time whatever the guess. */
export function bearerToken(token: string): Authenticate {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const expected = digest(token)
  return async (authorization) => {
    const match = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '')
    return match && timingSafeEqual(digest(match[1]!), expected) ? LOCAL : null
  }
}

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
