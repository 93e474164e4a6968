/** A small random world as a function of its seed: the simulator's records, some lost, some delivered twice, some tampered with. */
import type { JsonObject, RawRecord } from '#core/record.ts'
import { accept, type Accepted } from '#correlate/accept.ts'
import { createRandom, type Random } from '../../simulate/random.ts'
import { simulateWorld, type WorldOptions } from '../../simulate/simulate.ts'
import type { Truth } from '../../simulate/truth.ts'
import { history } from './history.ts'
import { tamper } from './tamper.ts'

export interface LawWorld {
  readonly seed: number
  readonly options: WorldOptions
  /** Every delivery; of a record that travelled by two roads there are two. */
  readonly records: readonly RawRecord[]
  readonly accepted: readonly Accepted[]
  /** By native id; only where no record was tampered with, because then nobody knows what is true. */
  readonly truth: ReadonlyMap<string, Truth> | null
  /** No record is missing: then the truth says what must be known, not only what may be. */
  readonly complete: boolean
  /** Records contradict each other about who is who (one principal with two applications and the like). */
  readonly contradicts: boolean
}

const MOST_RECORDS = 120

/** The world of a seed. One in two is tampered with; of the rest one in two lacks records. */
export function lawWorld(seed: number): LawWorld {
  const random = createRandom(seed, 'law')
  const isTampered = random.chance(0.5)
  const contradicts = isTampered && random.chance(0.3)
  const complete = !isTampered && random.chance(0.5)
  const options: WorldOptions = {
    seed,
    // A story has eight agents: beyond them a second tenant begins.
    agents: random.pick([1, 3, 4, 5, 6, 8, 8, 11]),
    // Changes of the directory are spread over the length, agents begin after 16 to 45 minutes.
    days: random.pick([0.05, 0.1, 0.15, 0.5, 2]),
    turnsPerDay: random.pick([4, 24, 100, 400]),
    noisePerDay: random.pick([1, 10, 60]),
    duplicates: random.pick([0, 0.2, 0.5]),
    late: random.pick([0, 0.3]),
    ...(complete ? { events: MOST_RECORDS } : { events: random.int(60, 240) }),
  }
  const simulated = [...simulateWorld(options)]
  const kept = complete ? simulated : lose(simulated, random)
  const texts = kept.map(({ text }) => text)
  const records = (isTampered ? tamper([...texts, ...history(texts, random)], random, contradicts) : texts).map(rawRecord)
  return {
    seed,
    options,
    records,
    accepted: records.map(acceptedOf).filter((one) => one !== null),
    truth: isTampered ? null : new Map(simulated.map(({ truth }) => [truth.nativeId, truth])),
    complete,
    contradicts,
  }
}

/** A record as ingest hands it over. */
export function rawRecord(text: string, index: number): RawRecord {
  return { text, value: JSON.parse(text) as JsonObject, masked: [], origin: { file: 'law', line: null, index }, context: {} }
}

function acceptedOf(record: RawRecord): Accepted | null {
  const one = accept(record)
  return 'reason' in one ? null : one
}

/** Whole logs that are not there, and single records that never came; at most `MOST_RECORDS` are left. */
function lose<One extends { readonly truth: Truth }>(all: readonly One[], random: Random): readonly One[] {
  const absent = random.chance(0.3) ? random.pick(['entra', 'aws', 'gcp', 'app']) : null
  const left = all.filter(({ truth }) => truth.source !== absent && random.chance(0.9))
  return left.length <= MOST_RECORDS ? left : left.filter(() => random.chance(MOST_RECORDS / left.length))
}
