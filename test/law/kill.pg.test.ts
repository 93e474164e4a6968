/** An import that is killed at any moment and run again gives what one undisturbed import gives. `LAW_SEED` and `LAW_KILLS` as in the other tests of the law. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { createRandom } from '../../simulate/random.ts'
import { writeWorld } from '../../simulate/write.ts'
import { createTestDatabase } from '../postgres.ts'
import { difference } from './compare.ts'
import { exportOf } from './deliver.ts'

const SEED = Number(process.env['LAW_SEED'] ?? 1)
const KILLS = Number(process.env['LAW_KILLS'] ?? 10)
/** An import may need this many kills until it has nothing left to do; then the next store begins. */
const KILLS_A_STORE = 5

let folder: string
let straight: readonly string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-kill-'))
  await writeWorld(folder, { seed: SEED, agents: 8, days: 1, events: 400, duplicates: 0.3, delays: 'wild' })
  const database = await createTestDatabase()
  const { errors } = await importPaths([join(folder, 'records')], { sink: createCorrelator(database.pool) })
  expect(errors).toEqual([])
  straight = await exportOf(database.pool)
  await database.drop()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test(`I6: of ${KILLS} imports killed at random moments, one or two at a time, nothing is lost and nothing doubled once they ran again`, async () => {
  const random = createRandom(SEED, 'kills')
  let killed = 0
  while (killed < KILLS) {
    const database = await createTestDatabase()
    try {
      for (let round = 0; round < KILLS_A_STORE; round++) {
        const batch = random.pick([7, 40, 2000])
        const processes = await Promise.all(Array.from({ length: random.int(1, 2) }, () => begin(database.url, batch)))
        await pause(random.int(0, 1_500))
        killed += (await Promise.all(processes.map(kill))).filter(Boolean).length
      }
      const last = await begin(database.url, 100)
      expect(await ended(last)).toEqual([0, null])
      const differs = difference(await exportOf(database.pool), straight)
      expect(differs, `LAW_SEED=${SEED}`).toBeNull()
    } finally {
      await database.drop()
    }
  }
}, 300_000)

/** Starts an import; resolves once it reads and stores. */
async function begin(url: string, batch: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'import-process.ts'), url, join(folder, 'records'), String(batch)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) if (line === 'begins') break
  child.stdout.resume()
  return child
}

/** True if it was still at work. */
async function kill(child: ChildProcess): Promise<boolean> {
  child.kill('SIGKILL')
  const [, signal] = await ended(child)
  return signal === 'SIGKILL'
}

async function ended(child: ChildProcess): Promise<readonly [number | null, string | null]> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return [child.exitCode, child.signalCode]
}
