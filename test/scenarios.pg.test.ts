/** The worked cases: five folders of records with the answer that the contract gives (test/fixtures/scenarios/README.md). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatTime } from '#core/time.ts'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'

const FOLDER = join(import.meta.dirname, 'fixtures', 'scenarios')

interface ExpectedRecord {
  readonly nativeId: string
  readonly source: string
  readonly kind: string | readonly string[]
  readonly time: string
  readonly tenantId: string | null
  readonly subjectOid: string | null
  readonly agentOid: string | null
  readonly confidence: string
  readonly candidates: readonly string[]
  readonly onBehalfOf: string | null
  readonly targets: readonly string[]
  readonly parents: readonly string[]
  readonly link?: string
  readonly skip: readonly string[]
}

interface Expected {
  readonly records: readonly ExpectedRecord[]
  readonly sessions: readonly (readonly string[])[]
  readonly sessionRoots: readonly { readonly member: string; readonly root: string | null; readonly resolved: boolean }[]
  readonly traces: readonly { readonly owner: string; readonly nativeIds: readonly string[] }[]
  readonly counts: Readonly<Record<'read' | 'stored' | 'duplicates' | 'rejected', readonly [number, number]>>
  readonly mustNotAppear: readonly string[]
}

describe.each(['option-1-agents-leave', 'option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain'])('%s', (name) => {
  const expected = JSON.parse(readFileSync(join(FOLDER, name, 'expected.json'), 'utf8')) as Expected
  let database: TestDatabase
  let rows: Map<string, Record<string, unknown>>
  let counts: Readonly<Record<string, unknown>>

  beforeAll(async () => {
    database = await createTestDatabase()
    counts = (await importPaths([join(FOLDER, name, 'records')], { sink: createCorrelator(database.pool) })) as unknown as Readonly<Record<string, unknown>>
    const result = await database.pool.query<Record<string, unknown> & { nativeId: string }>(
      `select e.native_id as "nativeId", e.event_id as id, e.time_ns as "timeNs", e.source, e.kind, coalesce(c.tenant_id, e.tenant_id) as "tenantId", c.subject_oid as "subjectOid",
         c.agent_oid as "agentOid", c.confidence, c.candidates, c.on_behalf_of as "onBehalfOf", coalesce(e.targets, '{}') as targets, c.session_id as "sessionId",
         s.resolved, r.native_id as root, p.native_id as parent, c.link
       from events e left join conclusions c using (time_ns, event_id) left join sessions s on s.id = c.session_id
       left join events r on r.event_id = s.root_event left join events p on p.event_id = c.parent_id`,
    )
    rows = new Map(result.rows.map((row) => [row.nativeId, row]))
  })
  afterAll(() => database.drop())

  test('imports with exactly the expected counts', () => {
    for (const [count, [least, most]] of Object.entries(expected.counts)) {
      expect(counts[count], count).toBeGreaterThanOrEqual(least)
      expect(counts[count], count).toBeLessThanOrEqual(most)
    }
    expect(rows.size).toBe(expected.records.length)
  })

  test.each(expected.records.map((record) => [`${record.source} ${String(record.kind)} ${record.nativeId}`, record] as const))('%s', (_title, record) => {
    const row = rows.get(record.nativeId)!
    const skip = new Set(record.skip)
    expect(row['source']).toBe(record.source)
    expect([record.kind].flat()).toContain(row['kind'])
    expect(formatTime(row['timeNs'] as bigint)).toBe(record.time)
    expect(row['confidence']).toBe(record.confidence)
    expect(row['candidates']).toEqual(record.candidates)
    expect(row['onBehalfOf']).toBe(record.onBehalfOf)
    if (!skip.has('tenant')) expect(row['tenantId']).toBe(record.tenantId)
    if (!skip.has('subject')) expect(row['subjectOid']).toBe(record.subjectOid)
    if (!skip.has('agent')) expect(row['agentOid']).toBe(record.agentOid)
    if (!skip.has('targets')) expect(row['targets']).toEqual(expect.arrayContaining([...record.targets]))
    if (!skip.has('parent')) {
      if (record.parents.length === 0) expect(row['parent']).toBeNull()
      else expect(record.parents).toContain(row['parent'])
      expect(row['link']).toBe(record.link ?? null)
    }
  })

  test('falls into the expected sessions, each with its root', () => {
    const silent = new Set(expected.records.filter((record) => record.skip.includes('session')).map((record) => record.nativeId))
    const found = Map.groupBy(
      [...rows.values()].filter((row) => row['sessionId'] !== null && !silent.has(row['nativeId'] as string)),
      (row) => row['sessionId'],
    )
    const sets = [...found.values()].map((members) => members.map((row) => row['nativeId'] as string))
    const text = (groups: readonly (readonly string[])[]): string[] => groups.map((ids) => ids.toSorted().join(' ')).toSorted()
    expect(text(sets)).toEqual(text(expected.sessions))
    for (const { member, root, resolved } of expected.sessionRoots) {
      expect(rows.get(member)).toMatchObject({ root, resolved })
    }
  })

  test('falls into the expected traces', async () => {
    const { rows: traces } = await database.pool.query<{ owner: string; ids: string[] }>(
      `select t.owner_oid as owner, array_agg(e.native_id) as ids from traces t
       join timeline l on l.tenant_id = t.tenant_id and l.oid = t.owner_oid and l.is_owner and l.time_ns between t.start_ns and t.end_ns
       join events e using (time_ns, event_id) group by t.id, t.owner_oid`,
    )
    const text = (owner: string, ids: readonly string[]): string => `${owner} ${ids.toSorted().join(' ')}`
    expect(traces.map((trace) => text(trace.owner, trace.ids)).toSorted()).toEqual(
      expected.traces.map((trace) => text(trace.owner, trace.nativeIds)).toSorted(),
    )
  })
})
