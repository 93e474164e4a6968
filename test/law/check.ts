/** The law, checked over one world. */
import type { RawRecord } from '#core/record.ts'
import { createRandom } from '../../simulate/random.ts'
import { oracle } from '../oracle/oracle.ts'
import { difference } from './compare.ts'
import { deliverStraight, deliverWildly, type LawStore } from './deliver.ts'
import { truthBroken } from './truth.ts'
import { lawWorld, type LawWorld } from './worlds.ts'

/** Null where the law holds; else what is broken. */
async function broken(store: LawStore, world: LawWorld): Promise<string | null> {
  const straight = await deliverStraight(store, inOrder(world))
  const expected = oracle(world.accepted)
  const against = difference(straight.lines, expected.lines, ['event', 'session', 'trace'])
  if (against) return `store | oracle: ${against}`
  if (straight.stored !== expected.events.length) return `${straight.stored} events stored, ${expected.events.length} are there`
  const untrue = truthBroken(world, straight.lines)
  if (untrue) return untrue
  const wild = await deliverWildly(store, world.records, createRandom(world.seed, 'delivery'))
  const differs = difference(wild.lines, straight.lines)
  if (differs) return `in another order | straight: ${differs}`
  if (wild.lines.join('\n') !== straight.lines.join('\n')) return 'the lines are the same, their order is not'
  if (wild.stored !== straight.stored) return `${wild.stored} events stored in another order, ${straight.stored} straight`
  for (const one of [straight, wild])
    if (one.stored + one.duplicates + one.rejected !== one.delivered) return `receipts do not add up: ${JSON.stringify({ ...one, lines: undefined })}`
  return null
}

/** By time, then by id: the order in which nothing has to be repaired. */
function inOrder({ records, accepted }: LawWorld): readonly RawRecord[] {
  const times = new Map(accepted.map(({ record, event }) => [record, event]))
  return records.toSorted((a, b) => {
    const [one, other] = [times.get(a), times.get(b)]
    if (!one || !other) return one ? 1 : other ? -1 : 0
    return one.timeNs < other.timeNs || (one.timeNs === other.timeNs && one.id < other.id) ? -1 : 1
  })
}

/** Checks the world of a seed. Throws with the seed and what is broken. */
export async function checkSeed(store: LawStore, seed: number): Promise<LawWorld> {
  const world = lawWorld(seed)
  const what = await outcome(store, world)
  if (what) throw new Error(`The law is broken in world ${seed} (LAW_SEED=${seed} LAW_WORLDS=1): ${what}`)
  return world
}

/** The smallest part of a broken world that is still broken in that way, found by leaving out records; for whoever has to find out why. */
export async function minimise(store: LawStore, world: LawWorld): Promise<LawWorld> {
  const way = wayOf(await outcome(store, world))
  let best = world
  for (let size = Math.ceil(world.records.length / 2); ; size = Math.ceil(size / 2)) {
    for (let start = 0; start < best.records.length;) {
      const records = best.records.filter((_, index) => index < start || index >= start + size)
      const kept = new Set(records)
      const smaller: LawWorld = { ...best, records, accepted: best.accepted.filter(({ record }) => kept.has(record)), complete: false }
      if (records.length > 0 && wayOf(await outcome(store, smaller)) === way) best = smaller
      else start += size
    }
    if (size === 1) return best
  }
}

const wayOf = (what: string | null): string | null => what?.split(/[:\n]/)[0] ?? null

/** What is broken, be it that something throws. */
export async function outcome(store: LawStore, world: LawWorld): Promise<string | null> {
  try {
    return await broken(store, world)
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}
