/**
 * The law over thousands of worlds: `node scripts/soak.ts [--seed FIRST] [--worlds N]` checks each and goes on after a failure;
 * `node scripts/soak.ts --minimise SEED` shrinks a world that fails and prints what is left of it. Exit code 1 if any failed.
 */
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { checkSeed, minimise, outcome } from '../test/law/check.ts'
import { openLawStore } from '../test/law/deliver.ts'
import { lawWorld } from '../test/law/worlds.ts'
import { TEST_SETTINGS, testDataDir } from '../test/postgres.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, worlds: { type: 'string', default: '2000' }, minimise: { type: 'string' } } })

const folder = await testDataDir()
const server = await startEmbedded(folder, { settings: TEST_SETTINGS })
const pool = await openPool(server.url)
await migrate(pool)
await pool.end()
const store = await openLawStore(server.url)
try {
  if (values.minimise) await shrink(Number(values.minimise))
  else await soak(Number(values.seed), Number(values.worlds))
} finally {
  await store.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function soak(first: number, worlds: number): Promise<void> {
  const failed: number[] = []
  const began = performance.now()
  for (let seed = first; seed < first + worlds; seed++) {
    try {
      await checkSeed(store, seed)
    } catch (error) {
      failed.push(seed)
      process.exitCode = 1
      console.error(error instanceof Error ? error.message : error)
    }
    if ((seed - first + 1) % 100 === 0) console.log(`${seed - first + 1} worlds, ${failed.length} failed, ${Math.round((performance.now() - began) / 1000)} s`)
  }
  console.log(failed.length === 0 ? `The law holds in worlds ${first} to ${first + worlds - 1}.` : `Failed: ${failed.join(' ')}`)
}

async function shrink(seed: number): Promise<void> {
  const world = lawWorld(seed)
  if ((await outcome(store, world)) === null) return console.log(`World ${seed} does not fail.`)
  const small = await minimise(store, world)
  const short = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? String(value) : value === null || (Array.isArray(value) && value.length === 0) ? undefined : value
  for (const { event, format } of small.accepted)
    console.log(JSON.stringify({ format, ...event, sourceIp: null, userAgent: null, deliveredNs: null, requestId: null }, short))
  console.log(await outcome(store, small))
  process.exitCode = 1
}
