/** The explanations of the worked cases, as texts that a person can read: golden/*.txt. `npx vitest run test/explain -u` writes them anew. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Explanation, OidExplanation, WhatIf } from '#api/explain/contract.ts'
import { explainEvent, explainOid } from '#api/read-models/explain.ts'
import { type Store, wholeStore } from '#api/read-models/store.ts'
import { whatIf } from '#api/read-models/what-if.ts'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { explanationText, oidText } from '../../cli/commands/explain.ts'
import { text as whatIfText } from '../../cli/commands/what-if.ts'
import { type TestDatabase, createTestDatabase } from '../postgres.ts'

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'scenarios')
const WIDTH = 120

/** Which event of a case is explained: the first by time that the condition lets through. */
const EVENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'option-1-agents-leave': {
    'call-after-two-were-deleted': `e.source = 'aws' and e.kind = 'llm.invoked' and cardinality(c.candidates) = 3 and e.time_ns > 1783415880000000000`,
    'its-usage-log': `e.source = 'aws' and e.kind = 'llm.metered' and cardinality(c.candidates) = 3 and e.time_ns > 1783415880000000000`,
    'gcp-call': `e.source = 'gcp' and e.kind = 'llm.invoked'`,
    'call-of-the-only-one-left': `e.source = 'aws' and e.kind = 'llm.invoked' and c.confidence = 'derived'`,
    'call-of-nobody': `e.source = 'aws' and e.kind = 'llm.invoked' and c.confidence = 'none'`,
  },
  'option-1-one-agent': {
    'aws-call': `e.source = 'aws' and e.kind = 'llm.invoked'`,
    'aws-usage-log': `e.source = 'aws' and e.kind = 'llm.metered'`,
    'gcp-call': `e.source = 'gcp' and e.kind = 'llm.invoked'`,
    'api-call': `e.kind = 'api.called'`,
    'iam-user': `e.principal like '%user/alice'`,
  },
  'option-1-shared-uami': {
    'aws-call': `e.source = 'aws' and e.kind = 'llm.invoked'`,
    'gcp-call': `e.source = 'gcp' and e.kind = 'llm.invoked'`,
    'managed-identity-sign-in': `e.action = 'entra:ManagedIdentitySignIn'`,
  },
  'option-2-three-agents': {
    'aws-call': `e.source = 'aws' and e.kind = 'llm.invoked'`,
    'gcp-call': `e.source = 'gcp' and e.kind = 'llm.invoked'`,
    'gcp-mint-without-subject': `c.confidence = 'probable'`,
    'directory-change': `e.kind = 'identity.changed'`,
  },
  'role-chain': {
    'call-after-two-hops': `e.kind = 'llm.invoked'`,
    'copy-of-the-target-account': `e.proof = 'issued'`,
    'unattributed-hop': `e.proof = 'issued' and c.confidence = 'none'`,
    'unattributed-call': `e.kind = 'llm.invoked' and c.confidence = 'none'`,
  },
}
const OIDS: Readonly<Record<string, string>> = {
  'option-1-agents-leave': 'a8475eac-76ac-4cd5-b3f3-c3c4893fe573',
  'option-1-one-agent': 'd1becabc-cdb8-465c-a235-c346cd27be7a',
  'option-1-shared-uami': 'e42e54be-c809-4e11-9cf8-fe30e8b4c0d1',
  'option-2-three-agents': '16fbd196-b257-4e19-b0e8-78844ae64e78',
  'role-chain': '186a9cc3-f43d-4cc8-9b30-af9b081a8309',
}

async function importCase(database: TestDatabase, name: string, folders: readonly string[] = ['']): Promise<void> {
  await importPaths(
    folders.map((folder) => join(FOLDER, name, 'records', folder)),
    { sink: createCorrelator(database.pool) },
  )
  await concludeAll(database.pool)
}

describe.each(Object.entries(EVENTS))('%s', (name, events) => {
  let database: TestDatabase
  let store: Store
  beforeAll(async () => {
    database = await createTestDatabase()
    await importCase(database, name)
    store = wholeStore(database.pool)
  })
  afterAll(() => database?.drop())

  test.each(Object.entries(events))('%s is explained as the golden text says', async (title, condition) => {
    const { rows } = await database.pool.query<{ id: string }>(
      `select e.event_id as id from events e left join conclusions c using (time_ns, event_id) where ${condition} order by time_ns, event_id limit 1`,
    )
    const explanation = Explanation.parse(await explainEvent(store, rows[0]!.id))
    await expect(explanationText(explanation, WIDTH)).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${name}.${title}.txt`))
  })

  test('everything that one agent did is explained group by group', async () => {
    const explanation = OidExplanation.parse(await explainOid(store, OIDS[name]!))
    await expect(oidText(explanation, WIDTH)).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${name}.oid.txt`))
  })

  test('what-if counts as the golden text says', async () => {
    const answer = WhatIf.parse(await whatIf(store, {}))
    await expect(whatIfText(answer, WIDTH, false)).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${name}.what-if.txt`))
  })

  test('every event has an explanation whose evidence can be opened, and what-if loses none', async () => {
    const { rows } = await database.pool.query<{ id: string; source: string; confidence: string }>(
      `select e.event_id as id, e.source, c.confidence from events e join conclusions c using (time_ns, event_id)`,
    )
    const known = new Set(rows.map((row) => row.id))
    for (const { id, confidence } of rows) {
      const explanation = Explanation.parse(await explainEvent(store, id))
      expect(explanation.confidence.value).toBe(confidence)
      expect(explanation.hops.at(-1)?.eventId).toBe(id)
      expect(explanation.confidence.because.length).toBeGreaterThan(0)
      if (confidence === 'exact') expect(explanation.wouldBeExact).toEqual([])
      const named = [
        ...explanation.hops.map((hop) => hop.eventId),
        ...[explanation.seen, ...explanation.confidence.because, ...explanation.missing].flatMap((one) => one.evidence),
      ]
      expect(named.filter((one) => !known.has(one))).toEqual([])
      expect(JSON.stringify(explanation)).not.toMatch(/undefined|\bnull \(|NaN/)
    }
    const { now, underOption2 } = await whatIf(store, {})
    const sum = (counts: typeof now): number => Object.values(counts).reduce((total, one) => total + one, 0)
    const clouds = rows.filter((row) => row.source === 'aws' || row.source === 'gcp')
    expect(sum(now)).toBe(clouds.length)
    expect(sum(underOption2)).toBe(clouds.length)
    expect(now.exact).toBe(clouds.filter((row) => row.confidence === 'exact').length)
  })
})

describe('without the logs of Entra', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
    await importCase(database, 'option-1-one-agent', ['s3', 'gcs', 'weather-api'])
  })
  afterAll(() => database?.drop())

  test.each(
    Object.entries({
      'aws-call': `e.source = 'aws' and e.kind = 'llm.invoked'`,
      'gcp-call': `e.source = 'gcp' and e.kind = 'llm.invoked'`,
      'api-call': `e.kind = 'api.called'`,
    }),
  )('%s says what is missing', async (title, condition) => {
    const { rows } = await database.pool.query<{ id: string }>(`select event_id as id from events e where ${condition} order by time_ns, event_id limit 1`)
    const explanation = Explanation.parse(await explainEvent(wholeStore(database.pool), rows[0]!.id))
    await expect(explanationText(explanation, WIDTH)).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `without-entra.${title}.txt`))
  })
})
