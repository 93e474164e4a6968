import { userInfo } from 'node:os'
import type { Decider } from '#api/findings/decide.ts'

/**
 * Who asks through the command line, for what stays on record: whoever holds the database is who the operating system says.
 * @returns the user's name; `uid 1000` where the system has none for it, as in a container that runs under any number
 */
export function whoever(): Decider {
  const name = userName()
  return { id: `cli:${name}`, name }
}

function userName(): string {
  try {
    return userInfo().username
  } catch (error) {
    // ENOENT of the passwd entry. Windows has names always, and no uid.
    const uid = process.getuid?.()
    if (uid === undefined) throw error
    return `uid ${uid}`
  }
}
