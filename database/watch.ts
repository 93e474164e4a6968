/**
 * Looks after the server while somebody works with it: a query says nothing while it waits for a lock of a program that hangs, or for a server that was stopped by a signal,
 * and would wait for ever.
 */
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { EmbeddedServer } from './embedded.ts'
import { DatabaseError } from './errors.ts'
import type { Patience } from './waiting.ts'

/** Short work is never looked after. */
const EVERY_MS = 2_000
const ANSWER_MS = 5_000
const TOLD_EVERY_MS = 15_000

export interface Watched {
  readonly url: string
  readonly embedded: EmbeddedServer | null
  /** Server processes of this program's own connections. */
  readonly backends: () => readonly number[]
  /** Whether the program runs for long: then it waits for locks as long as it takes, and starts an embedded server that ended again. */
  readonly lasting: boolean
}

/**
 * Watches until what it returns is called.
 * @param lost hears once why the work cannot go on
 */
export function watch(watched: Watched, patience: Patience, lost: (error: DatabaseError) => void): () => Promise<void> {
  const stop = new AbortController()
  const state: State = { since: null, told: -Infinity, client: null }
  const run = async (): Promise<void> => {
    while (await pause(EVERY_MS, true, { signal: stop.signal, ref: false }).catch(() => false)) {
      const error = await look(watched, patience, state).catch((thrown: unknown) =>
        thrown instanceof DatabaseError ? thrown : new DatabaseError('SERVER_LOST', thrown instanceof Error ? thrown.message : String(thrown), thrown),
      )
      if (stop.signal.aborted) break
      if (error !== null) return lost(error)
    }
  }
  const running = run().finally(() => forget(state))
  return async () => {
    stop.abort()
    forget(state)
    await running
  }
}

interface State {
  /** Since when the work has not gone on, for one and the same reason. */
  since: { readonly reason: string; readonly at: number } | null
  told: number
  client: pg.Client | null
}

/** One look; what makes the work hopeless, or null. */
async function look(watched: Watched, patience: Patience, state: State): Promise<DatabaseError | null> {
  const { embedded, lasting } = watched
  const found = await embedded?.state()
  if (embedded && found?.alive === false) {
    forget(state)
    if (!lasting) return brokenOff(embedded.folder, await embedded.lastWords())
    patience.say(`PostgreSQL on ${embedded.folder} ended unexpectedly: ${await embedded.lastWords()}. It is started again.`)
    await embedded.revive()
    patience.say(`PostgreSQL on ${embedded.folder} runs again. What was not committed comes again from its source; nothing that was stored is lost.`)
    return null
  }
  const frozen = found?.frozen ?? []
  const obstacle =
    frozen.length > 0
      ? `PostgreSQL: a signal (SIGSTOP) has stopped its process${frozen.length === 1 ? '' : 'es'} ${frozen.slice(0, 5).join(', ')}${frozen.length > 5 ? ' …' : ''}`
      : await obstacleOf(watched, state)
  return judge(obstacle, patience, state, lasting && frozen.length === 0)
}

/** Tells an obstacle from time to time, and gives up when the same one has stood for too long. */
function judge(obstacle: string | null, { waitMs, say }: Patience, state: State, endless: boolean): DatabaseError | null {
  if (obstacle === null) {
    state.since = null
    return null
  }
  const now = performance.now()
  // Another holder is another wait.
  if (state.since?.reason !== obstacle) state.since = { reason: obstacle, at: now }
  const waited = now - state.since.at
  if (waited >= waitMs && !endless)
    return new DatabaseError(
      'WAITED_TOO_LONG',
      `gave up after ${Math.round(waitMs / 1000)} seconds of waiting for ${obstacle}. What was stored stays; run the same command again when that is over.`,
    )
  if (now - state.told >= TOLD_EVERY_MS) {
    state.told = now
    say(`Waiting for ${obstacle} (${Math.round(waited / 1000)} seconds so far${endless ? '' : `, ${Math.round(waitMs / 1000)} at most`}) …`)
  }
  return null
}

/**
 * What the work waits for: a server that does not answer, or a lock whose holder does nothing. One that works is no obstacle, however long: a million events are concluded about in minutes.
 */
async function obstacleOf({ url, backends }: Watched, state: State): Promise<string | null> {
  try {
    state.client ??= await connect(url)
    const { rows } = await state.client.query<{ holder: number; program: string; lock: string | null }>(HOLDERS, [backends()])
    const [first] = rows
    if (!first) return null
    return `${first.lock === 'advisory' ? 'a lock of the store' : 'a lock on a table of the store'}: the database session ${first.holder} (${first.program || 'unknown program'}) holds it and does nothing`
  } catch (error) {
    forget(state)
    if (error instanceof Error && /timeout/i.test(error.message)) return 'PostgreSQL: it does not answer'
    // It is away or starting: the work itself meets that, and says so.
    return null
  }
}

/** Who holds what one of these sessions waits for, and has been doing nothing for a while: no statement runs, or its program neither sends nor reads. */
const HOLDERS = `
  select h.pid as holder, h.application_name as program, w.wait_event as lock
    from pg_stat_activity w cross join lateral unnest(pg_blocking_pids(w.pid)) b(pid) join pg_stat_activity h on h.pid = b.pid
   where w.pid = any ($1::integer[]) and w.wait_event_type = 'Lock' and h.pid <> all ($1::integer[])
     and (h.state like 'idle%' or h.wait_event_type = 'Client') and h.state_change < clock_timestamp() - interval '2 seconds'
   order by h.pid limit 1`

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'trailjoin-watch', connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

function forget(state: State): void {
  const { client } = state
  state.client = null
  void client?.end().catch(() => undefined)
}

/** The server ended under the work. */
export function brokenOff(where: string, why: string): DatabaseError {
  const full = why === 'the disk is full'
  return new DatabaseError(
    full ? 'DISK_FULL' : 'SERVER_LOST',
    full
      ? `PostgreSQL on ${where} broke off: the disk is full. What was stored stays. Make room and run the same command again.`
      : `PostgreSQL on ${where} ended unexpectedly: ${why}. What was stored stays, and the next command starts it again: run the same command once more.`,
  )
}
