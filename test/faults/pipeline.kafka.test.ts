/**
 * The whole road, as it is run in production: three brokers, PostgreSQL, three clouds over HTTP, `trailjoin ingest` and `trailjoin correlate` as processes; and a short form of
 * `npm run test:faults`. PIPELINE_EVENTS=100000 is the size of the full test (docs/faults.md says what it takes).
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { SCENARIOS } from './scenarios.ts'
import { playScenario } from './scene.ts'
import type { Outcome } from './scene.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { DAY_MS, WORLD_DAYS } from './world.ts'

const EVENTS = Number(process.env['PIPELINE_EVENTS'] ?? 10_000)
const SEED = Number(process.env['FAULTS_SEED'] ?? 1)
/** One of each kind, then the next. */
const KILLS = 4

describe.skipIf(!inject('kafkaPrograms'))(`three clouds through Kafka (FAULTS_SEED=${SEED})`, () => {
  let stage: Stage
  const said: string[] = []
  beforeAll(async () => {
    const start = Math.floor(Date.now() / DAY_MS - WORLD_DAYS) * DAY_MS
    stage = await openStage({ seed: SEED, events: EVENTS, start }, (line) => said.push(line))
  }, 600_000)
  afterAll(() => stage?.close(false))

  const play = async (name: string): Promise<Outcome> => {
    const scenario = SCENARIOS.find((each) => each.name === name)!
    return await playScenario(stage, scenario, { seed: SEED, kills: KILLS, lastsMs: 10_000 }, (line) => said.push(line))
  }

  test(`${EVENTS} simulated events collected, published and correlated give the export of a direct import, byte for byte`, async () => {
    const { problems, result } = await play('pipeline')
    expect(problems, said.join('\n')).toEqual([])
    expect(result?.sha256).toBe(stage.expected.sha256)
    expect(stage.expected.events).toBe(EVENTS)
  }, 900_000)

  test('also when a collector, a correlator, PostgreSQL and a broker are killed on the way', async () => {
    const { problems, faults } = await play('mixed-kills')
    expect(problems, said.join('\n')).toEqual([])
    expect([...faults.values()]).toEqual([1, 1, 1, 1])
  }, 900_000)

  test('and what nobody can read is kept with a reason, in every source', async () => {
    const { problems } = await play('poison')
    expect(problems, said.join('\n')).toEqual([])
  }, 900_000)
})
