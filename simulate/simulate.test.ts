import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CONFIDENCES } from '#core/event.ts'
import { parseTime } from '#core/time.ts'
import { ROADS } from './draft.ts'
import { secretsIn } from './secrets.ts'
import type { SimulatedRecord, WorldOptions } from './simulate.ts'
import { createWorld, simulateWorld } from './simulate.ts'

const SMALL: WorldOptions = { seed: 11, agents: 16, days: 2, turnsPerDay: 20, duplicates: 0.05 }
const records = [...simulateWorld(SMALL)]
const truths = records.filter((record) => record.copy === 0).map((record) => record.truth)

function fingerprint(options: WorldOptions): string {
  const hash = createHash('sha256')
  for (const { text, file, deliverAt, truth } of simulateWorld(options)) hash.update(`${file} ${deliverAt} ${text} ${JSON.stringify(truth)}\n`)
  return hash.digest('hex')
}

test('the same options give the same records, files and truth; another seed gives others', () => {
  expect(fingerprint(SMALL)).toBe(fingerprint(SMALL))
  expect(fingerprint(SMALL)).not.toBe(fingerprint({ ...SMALL, seed: 12 }))
})

test('how records travel changes neither what happened nor what is true of it', () => {
  const plain = new Map([...simulateWorld({ ...SMALL, duplicates: 0, delays: 'none' })].map(({ truth }) => [truth.nativeId, truth]))
  const rough = [...simulateWorld({ ...SMALL, delays: 'wild', late: 0.05, duplicates: 0.5 })]
  for (const { truth } of rough) expect(truth).toEqual(plain.get(truth.nativeId))
  expect(new Set(rough.map(({ truth }) => truth.nativeId)).size).toBe(plain.size)
})

test('every record is JSON that holds the native id of its truth', () => {
  for (const { text, truth } of records) {
    expect(() => JSON.parse(text) as unknown).not.toThrow()
    expect(text).toContain(truth.nativeId)
  }
})

test('native ids name one event each', () => {
  expect(new Set(truths.map(({ nativeId }) => nativeId)).size).toBe(truths.length)
})

test('records come in order of delivery and never before they happened', () => {
  for (const [index, record] of records.entries()) {
    expect(record.deliverAt).toBeGreaterThanOrEqual(records[index - 1]?.deliverAt ?? 0)
    expect(record.deliverAt).toBeGreaterThanOrEqual(Number((parseTime(record.truth.time) ?? 0n) / 1_000_000n))
  }
})

test('every road and every confidence but `asserted` occurs', () => {
  expect(new Set(records.map(({ road }) => road))).toEqual(new Set(ROADS))
  expect(new Set(truths.map(({ confidence }) => confidence))).toEqual(new Set(CONFIDENCES.filter((confidence) => confidence !== 'asserted')))
})

describe('the truth is consistent with itself', () => {
  test('an attributed agent is the one that did it', () => {
    for (const truth of truths) if (truth.agentOid !== null) expect(truth.agentOid).toBe(truth.actualAgentOid)
  })

  test('an ambiguous event names two or more candidates, sorted, the actual agent among them', () => {
    for (const truth of truths.filter(({ confidence }) => confidence === 'ambiguous')) {
      expect(truth.candidates.length).toBeGreaterThan(1)
      expect(truth.candidates).toEqual(truth.candidates.toSorted())
      expect(truth.candidates).toContain(truth.actualAgentOid)
      expect(truth.agentOid).toBeNull()
    }
  })

  test('an agent is named where, and only where, the confidence is exact, derived or probable', () => {
    for (const { agentOid, confidence } of truths) expect(agentOid !== null).toBe(['exact', 'derived', 'probable'].includes(confidence))
  })

  test('an exact parent is an event of the world that happened no later', () => {
    const times = new Map(truths.map(({ nativeId, time }) => [nativeId, parseTime(time) ?? 0n]))
    const children = truths.filter(({ exactParent }) => exactParent !== null)
    expect(children.length).toBeGreaterThan(100)
    // AWS writes whole seconds: a parent in the same second is no later.
    for (const { exactParent, time } of children) expect(times.get(exactParent ?? '') ?? 0n).toBeLessThanOrEqual(parseTime(time) ?? 0n)
  })

  test('candidates change with the directory: two before the third agent of the shared identity exists, three afterwards', () => {
    const shared = createWorld(SMALL).tenants[0]?.agents.slice(1, 4) ?? []
    const late = shared.at(-1)
    const own = truths.filter(({ candidates }) => candidates.some((oid) => shared.some((agent) => agent.oid === oid)))
    for (const { candidates, time } of own) {
      const exists = (parseTime(time) ?? 0n) / 1_000_000n >= BigInt(late?.createdAt ?? 0)
      expect(candidates.length).toBe(exists ? 3 : 2)
    }
    expect(new Set(own.map(({ candidates }) => candidates.length))).toEqual(new Set([2, 3]))
  })

  test('while the identity of an agent is re-created and not yet trusted, its exchanges fail and its new identity leads to nobody', () => {
    const agent = createWorld(SMALL).tenants[0]?.agents[5]
    const [from, to] = agent?.staleTrust ?? [0, 0]
    const stale = truths.filter(
      ({ actualAgentOid, time }) =>
        actualAgentOid === agent?.oid && BigInt(from) <= (parseTime(time) ?? 0n) / 1_000_000n && (parseTime(time) ?? 0n) / 1_000_000n < BigInt(to),
    )
    const exchanges = stale.filter(({ kinds }) => kinds.includes('token.exchanged'))
    expect(exchanges.length).toBeGreaterThan(1)
    for (const exchange of exchanges)
      expect(exchange).toMatchObject({
        outcome: 'failure',
        confidence: 'none',
        subjectOid: agent?.hosts[1]?.oid,
      })
  })

  test('a deleted agent is still named by the credentials that outlive it', () => {
    const deleted = createWorld(SMALL)
      .tenants.flatMap(({ agents }) => agents)
      .filter(({ deletedAt }) => deletedAt !== null)
    expect(deleted.length).toBe(2)
    for (const agent of deleted) {
      const after = truths.filter(
        ({ actualAgentOid, time }) => actualAgentOid === agent.oid && (parseTime(time) ?? 0n) / 1_000_000n > BigInt(agent.deletedAt ?? 0),
      )
      expect(after.length).toBeGreaterThan(0)
      for (const truth of after) expect(truth).toMatchObject({ confidence: 'exact', agentOid: agent.oid })
    }
  })
})

test('addresses come from the documentation ranges and mail domains end in .example', () => {
  for (const { text } of records) {
    for (const [address] of text.matchAll(/\b\d{1,3}(\.\d{1,3}){3}\b/g)) expect(address).toMatch(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/)
    for (const [, domain] of text.matchAll(/[\w.-]+@([\w.-]+\.[a-z]+)/g)) expect(domain).toMatch(/(\.example|\.iam\.gserviceaccount\.com)$/)
  }
})

test('records of issued credentials and of prompts carry secrets that masking must remove', () => {
  const withSecrets = records.filter(({ text }) => secretsIn(text).length > 0)
  expect(new Set(withSecrets.map(({ road }) => road))).toEqual(new Set(['s3', 'lookup', 'eventbridge', 'invocation', 'gcs', 'entries', 'pubsub']))
})

test('a lost record has its truth and no file, and the share that is lost is the share asked for', () => {
  const holed = [...simulateWorld({ ...SMALL, missing: { aws: 0.3 } })].filter(({ copy }) => copy === 0)
  const lost = holed.filter(({ delivered }) => !delivered)
  expect(new Set(lost.map(({ truth }) => truth.source))).toEqual(new Set(['aws']))
  const aws = holed.filter(({ truth }) => truth.source === 'aws').length
  expect(lost.length / aws).toBeGreaterThan(0.2)
  expect(lost.length / aws).toBeLessThan(0.4)
  for (const { file } of lost) expect(file).toBe('')
})

test('a world of ten million events begins at once: nothing is made before it is asked for', () => {
  const world = simulateWorld({ seed: 3, agents: 100, events: 10_000_000 })
  for (let count = 0; count < 1_000; count++) expect(world.next().done).toBe(false)
  world.return()
})

test('exactly the asked number of events happens', () => {
  expect([...simulateWorld({ seed: 3, agents: 3, events: 777 })].length).toBe(777)
})

test('options that make no sense are refused with the reason', () => {
  expect(() => createWorld({ seed: 1, agents: 0 })).toThrow('agents must be a whole number from 1 to 20000')
  expect(() => createWorld({ seed: 1.5, agents: 1 })).toThrow('seed must be a whole number')
  expect(() => createWorld({ seed: 1, agents: 1, missing: { aws: 2 } })).toThrow('shares must lie between 0 and 1')
})

test('a duplicate is the same event by another road or by the same one again', () => {
  const first = new Map<string, SimulatedRecord>()
  for (const record of records) if (record.copy === 0) first.set(record.truth.nativeId, record)
  const copies = records.filter(({ copy }) => copy === 1)
  expect(copies.length).toBeGreaterThan(20)
  for (const copy of copies) expect(copy.truth).toEqual(first.get(copy.truth.nativeId)?.truth)
})
