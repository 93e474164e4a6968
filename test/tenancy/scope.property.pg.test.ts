/**
 * Nobody sees what belongs to other tenants (DESIGN §6): random worlds of several tenants, random scopes, every route asked with the ids of all of them. The
 * conditions in the queries hold alone, the policies of the database hold alone, and both together give what the truth says. `TENANCY_SEED` is the
 * first world (default 1), `TENANCY_WORLDS` their number.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changesAfter } from '#api/live/changes.ts'
import { endOfRound } from '#api/live/position.ts'
import { scopedStore, type Store, wholeStore } from '#api/read-models/store.ts'
import { refreshFindings } from '#correlate/findings/index.ts'
import { readerQueries } from '#database/reader.ts'
import { createRandom, type Random } from '../../simulate/random.ts'
import { clear, deliverWildly, openLawStore, type LawStore } from '../law/deliver.ts'
import { createTestDatabase, type TestDatabase } from '../postgres.ts'
import { storedIds, type StoredIds } from './truth.ts'
import { type Answer, idsIn, requests, serve, unknownRoutes } from './walk.ts'
import { tenancyWorld } from './world.ts'

const FIRST = Number(process.env['TENANCY_SEED'] ?? 1)
const WORLDS = Number(process.env['TENANCY_WORLDS'] ?? 3)
const seeds = Array.from({ length: WORLDS }, (_, index) => FIRST + index)

let database: TestDatabase
let law: LawStore
beforeAll(async () => {
  database = await createTestDatabase()
  law = await openLawStore(database.url)
})
afterAll(async () => {
  await law.close()
  await database.drop()
})

/** What the worlds held: a test that never meets what it is about proves nothing. */
const met = { shared: 0, ofNobody: 0, findings: 0, hidden: 0, shown: 0, foreignNamed: 0, bundles: 0, told: 0 }

test('every route is asked, or says why it need not be', () => {
  expect(unknownRoutes()).toEqual([])
})

/** What a scope may not meet anywhere. */
function forbidden(ids: StoredIds, scope: readonly string[]) {
  const own = (map: ReadonlyMap<string, ReadonlySet<string> | string | null>): string[] =>
    [...map]
      .filter(([, tenants]) => (typeof tenants === 'string' ? [tenants] : [...(tenants ?? [])]).some((tenant) => scope.includes(tenant)))
      .map(([id]) => id)
  // Broken sources give one id to several things: what is one's own in one way may be met.
  const allowed = new Set([...scope, ...own(ids.events), ...own(ids.oids), ...own(ids.traces), ...own(ids.findings)])
  const without = (set: Set<string>): Set<string> => set.difference(allowed)
  const none = (tenants: Iterable<string>): boolean => ![...tenants].some((tenant) => scope.includes(tenant))
  const foreign = (map: ReadonlyMap<string, ReadonlySet<string>>): Set<string> => new Set([...map].filter(([, tenants]) => none(tenants)).map(([id]) => id))
  const ownedByOthers = (map: ReadonlyMap<string, string | null>): Set<string> =>
    new Set([...map].filter(([, tenant]) => none([tenant ?? ''])).map(([id]) => id))
  return {
    events: without(foreign(ids.events)),
    oids: without(foreign(ids.oids)),
    traces: without(ownedByOthers(ids.traces)),
    findings: without(ownedByOthers(ids.findings)),
    tenants: without(new Set(ids.tenants)),
  }
}

/** Ids in the answers that the scope may not meet. */
function leaks(answers: Answers, isForbidden: (field: string, id: string) => boolean): readonly string[] {
  return [...answers].flatMap(([path, answer]) => {
    if (answer.status !== 200 || path.endsWith('/raw')) return []
    const values = /ndjson|evidence$/.test(path)
      ? answer.text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown)
      : [JSON.parse(answer.text) as unknown]
    // An answer may say back what it was asked for.
    return values.flatMap((value) => idsIn(value)).flatMap(({ field, id }) => (isForbidden(field, id) && !path.includes(id) ? [`${path}: ${field} ${id}`] : []))
  })
}

/** Single things that must be there for the scope and nobody else, as (path, whether it must be there). */
function doors(ids: StoredIds, scope: readonly string[]): readonly (readonly [string, boolean])[] {
  const sees = (tenants: Iterable<string | null>): boolean => [...tenants].some((tenant) => tenant !== null && scope.includes(tenant))
  return [
    ...[...ids.events].flatMap(([id, tenants]) => ['', '/raw', '/explain'].map((rest) => [`/v1/events/${id}${rest}`, sees(tenants)] as const)),
    ...[...ids.traces].map(([id, tenant]) => [`/v1/traces/${id}`, sees([tenant])] as const),
    ...[...ids.findings].map(([id, tenant]) => [`/v1/findings/${id}`, sees([tenant])] as const),
  ]
}

async function askAll(store: Store, ids: StoredIds): Promise<Map<string, Answer>> {
  const served = await serve(database.pool, store)
  try {
    const answers = new Map<string, Answer>()
    const paths = requests(ids)
    // Four at once: as many as have connections to spare.
    await Promise.all(
      [0, 1, 2, 3].map(async (worker) => {
        for (let index = worker; index < paths.length; index += 4) answers.set(paths[index]!, await served.ask(paths[index]!))
      }),
    )
    return answers
  } finally {
    await served.close()
  }
}

/** Some of the ids: those that several tenants or nobody may see come first. */
function sample(ids: StoredIds, random: Random): StoredIds {
  const some = <Value>(map: ReadonlyMap<string, Value>, most: number, rank: (value: Value) => number): ReadonlyMap<string, Value> =>
    new Map(
      [...map]
        .map((entry) => ({ entry, place: rank(entry[1]) + random.next() }))
        .toSorted((a, b) => a.place - b.place)
        .slice(0, most)
        .map(({ entry }) => entry),
    )
  const bySharing = (tenants: ReadonlySet<string>): number => (random.chance(0.5) ? Math.abs(tenants.size - 1) * -1 : 0)
  return {
    ...ids,
    events: some(ids.events, 25, bySharing),
    oids: some(ids.oids, 20, bySharing),
    traces: some(ids.traces, 12, () => 0),
    findings: some(ids.findings, 12, () => 0),
  }
}

const NOBODY = '0badc0de-0000-4000-8000-000000000000'

describe.each(seeds)('in world %i', (seed) => {
  let ids: StoredIds
  let asked: StoredIds
  let scope: readonly string[]
  let whole: Answers
  let bounded: Answers
  beforeAll(async () => {
    const random = createRandom(seed, 'scope')
    await clear(database.pool)
    await deliverWildly(law, tenancyWorld(seed), random)
    await refreshFindings(database.pool)
    ids = await storedIds(database.pool)
    asked = sample(ids, random)
    const several = ids.tenants.filter(() => random.chance(0.4))
    scope = random.chance(0.5) || several.length === 0 ? [random.pick(ids.tenants)] : several
    whole = await askAll(wholeStore(database.pool), asked)
    bounded = await askAll(scopedStore(database.pool, scope), asked)
    met.shared += [...ids.events.values()].filter((tenants) => tenants.size > 1).length
    met.ofNobody += [...ids.events.values()].filter((tenants) => tenants.size === 0).length
    met.findings += ids.findings.size
    met.hidden += doors(asked, scope).filter(([, open]) => !open).length
    met.shown += doors(asked, scope).filter(([, open]) => open).length
  }, 120_000)

  test('each event says which tenants it concerns, whatever the order of records', async () => {
    const { rows } = await database.pool.query<{ id: string; tenants: string[] }>(
      `select event_id as id, array_remove(other_tenants || tenant_id, null)::text[] as tenants from conclusions`,
    )
    expect(rows.length).toBe(ids.events.size)
    for (const { id, tenants } of rows) expect([id, tenants.toSorted()]).toEqual([id, [...ids.events.get(id)!].toSorted()])
  })

  test('a caller learns nothing of others', () => {
    const no = forbidden(ids, scope)
    const anywhere = (_: string, id: string): boolean => Object.values(no).some((set) => set.has(id))
    expect(failed(bounded)).toEqual([])
    expect(leaks(bounded, anywhere)).toEqual([])
    // The same look at the whole answers finds what was kept back: it is able to see.
    met.foreignNamed += leaks(whole, anywhere).length
  })

  test('a caller sees all that is theirs', () => {
    expect(wrongDoors(bounded, doors(asked, scope))).toEqual([])
    for (const oid of asked.oids.keys()) {
      const own = scope.flatMap((tenant) => ids.timelines.get(`${tenant}/${oid}`) ?? [])
      expect([oid, timelineIds(bounded.get(`/v1/oids/${oid}/timeline?limit=1000`)!)]).toEqual([oid, own.toSorted()])
    }
  })

  test('an evidence bundle holds nothing of others', async () => {
    const served = await serve(database.pool, scopedStore(database.pool, scope))
    const answers = new Map<string, Answer>()
    const [own, foreign] = [true, false].map((isOwn) =>
      [...ids.oids].flatMap(([oid, tenants]) => ([...tenants].some((tenant) => scope.includes(tenant)) === isOwn ? [oid] : [])),
    )
    for (const oid of [...own!.slice(0, 6), ...foreign!.slice(0, 3)]) answers.set(`/v1/oids/${oid}/evidence`, await served.ask(`/v1/oids/${oid}/evidence`))
    await served.close()
    expect(failed(answers)).toEqual([])
    expect(leaks(answers, (_, id) => Object.values(forbidden(ids, scope)).some((set) => set.has(id)))).toEqual([])
    met.bundles += [...answers.values()].filter(({ status }) => status === 200).length
  }, 120_000)

  test('the live timeline tells nothing of others', async () => {
    const store = scopedStore(database.pool, scope)
    const told = new Map<string, Answer>()
    for (const oid of asked.oids.keys()) {
      const changes: unknown[] = []
      for await (const some of changesAfter(store, { oid, filters: {} }, endOfRound(0n, null)))
        changes.push(...some.map((change) => ({ ...change, position: null })))
      told.set(`/v1/oids/${oid}/stream`, { status: 200, text: JSON.stringify(changes) })
      met.told += changes.length
    }
    expect(leaks(told, (_, id) => Object.values(forbidden(ids, scope)).some((set) => set.has(id)))).toEqual([])
  })

  test('nobody decides about the findings of others', async () => {
    const served = await serve(database.pool, scopedStore(database.pool, scope))
    const foreign = [...ids.findings].filter(([, tenant]) => tenant === null || !scope.includes(tenant)).slice(0, 5)
    for (const [id] of foreign) {
      for (const method of ['POST', 'DELETE'] as const)
        expect([id, method, (await served.ask(`/v1/findings/${id}/acknowledgement`, method)).status]).toEqual([id, method, 404])
    }
    await served.close()
    expect((await database.pool.query('select 1 from finding_decisions')).rowCount).toBe(0)
  })

  test('a foreign id, and a foreign tenant, is answered as one that does not exist', async () => {
    const served = await serve(database.pool, scopedStore(database.pool, scope))
    const closed = doors(asked, scope).flatMap(([path, open]) => (open ? [] : [{ path, id: path.split('/')[3]! }]))
    const abroad = ids.tenants
      .filter((tenant) => !scope.includes(tenant))
      .flatMap((id) => [...bounded.keys()].filter((path) => path.includes(`tenant=${id}`)).map((path) => ({ path, id })))
    for (const { path, id } of [...closed, ...abroad]) {
      const unknown = await served.ask(path.replace(id, NOBODY))
      expect([path, bounded.get(path)]).toEqual([path, { ...unknown, text: unknown.text.replaceAll(NOBODY, id) }])
    }
    await served.close()
  }, 120_000)

  test('a tenant by itself and the whole store asked for that tenant give the same answer', async () => {
    const tenant = scope[0]!
    const alone = scope.length === 1 ? bounded : await askAll(scopedStore(database.pool, [tenant]), asked)
    // Only what concerns this tenant alone: of the rest some ids are left out.
    const entangled = new Set([...ids.events, ...ids.oids].flatMap(([id, tenants]) => (tenants.size === 1 && tenants.has(tenant) ? [] : [id])))
    for (const path of [`/v1/agents?tenant=${tenant}`, `/v1/traces?limit=1000&tenant=${tenant}`, `/v1/findings?limit=1000&tenant=${tenant}`]) {
      const [own, every] = [alone, whole].map((answers) => (JSON.parse(answers.get(path)!.text) as { items: Item[] }).items)
      const keyOf = (item: Item): string => item.id ?? item.oid!
      expect(own!.map(keyOf)).toEqual(every!.map(keyOf))
      const pure = (items: readonly Item[]): readonly Item[] => items.filter((item) => !idsIn(item).some(({ id }) => entangled.has(id)))
      expect(pure(own!)).toEqual(pure(every!))
    }
    const served = await serve(database.pool, wholeStore(database.pool))
    for (const oid of asked.oids.keys()) {
      const every = await served.ask(`/v1/oids/${oid}/timeline?limit=1000&tenant=${tenant}`)
      expect([oid, timelineIds(alone.get(`/v1/oids/${oid}/timeline?limit=1000`)!)]).toEqual([oid, timelineIds(every)])
    }
    await served.close()
  }, 120_000)

  test('the conditions in the queries hold without the policies of the database', async () => {
    expect(await askAll({ ...wholeStore(database.pool), scope }, asked)).toEqual(bounded)
  }, 120_000)

  test('the policies of the database hold without the conditions in the queries', async () => {
    const answers = await askAll({ ...readerQueries(database.pool, scope), scope: 'everything' }, asked)
    const no = forbidden(ids, scope)
    expect(failed(answers)).toEqual([])
    // Rows of others. No policy can look into the lists that a row of one's own carries.
    const rows = ['id', 'eventIds', 'exampleEvent', 'traceId', 'eventId']
    expect(leaks(answers, (field, id) => rows.includes(field) && (no.events.has(id) || no.traces.has(id) || no.findings.has(id)))).toEqual([])
    expect(wrongDoors(answers, doors(asked, scope))).toEqual([])
  }, 120_000)

  test('a hole in the policies would be found', async () => {
    const open = async (): Promise<readonly string[]> =>
      wrongDoors(await askAll({ ...readerQueries(database.pool, scope), scope: 'everything' }, doorsOnly), doors(asked, scope))
    const doorsOnly = { ...asked, oids: new Map(), tenants: [] }
    await database.pool.query('create policy hole on conclusions for select to trailjoin_reader using (true)')
    try {
      expect((await open()).length).toBeGreaterThan(0)
    } finally {
      await database.pool.query('drop policy hole on conclusions')
    }
  }, 120_000)

  test('who may see nothing sees nothing', async () => {
    const answers = await askAll(scopedStore(database.pool, []), asked)
    expect(failed(answers)).toEqual([])
    expect(leaks(answers, (_, id) => Object.values(forbidden(ids, [])).some((set) => set.has(id)))).toEqual([])
  }, 120_000)

  test('who may see everything gets the same answers under the role of the reader as the owner of the tables', async () => {
    expect(await askAll(scopedStore(database.pool, 'everything'), asked)).toEqual(whole)
  }, 120_000)
})

test('the worlds held events of several tenants and of nobody, findings, and foreign ids in what the owner sees', () => {
  for (const [what, count] of Object.entries(met)) expect([what, count]).not.toEqual([what, 0])
})

type Answers = ReadonlyMap<string, Answer>

interface Item {
  readonly id?: string
  readonly oid?: string
}

const failed = (answers: Answers): readonly string[] => [...answers].filter(([, { status }]) => status >= 500).map(([path]) => path)

const wrongDoors = (answers: Answers, expected: ReturnType<typeof doors>): readonly string[] =>
  expected.filter(([path, open]) => (answers.get(path)!.status === 200) !== open).map(([path]) => path)

const timelineIds = ({ status, text }: Answer): readonly string[] =>
  status === 200 ? (JSON.parse(text) as { items: { id: string }[] }).items.map((item) => item.id).toSorted() : []
