import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBundle } from '#api/exports/bundle/bundle.ts'
import { BundleManifest, chained, commentOf, COMMENT_LENGTH, sealOf } from '#api/exports/bundle/format.ts'
import { zipStream } from '#api/exports/bundle/zip.ts'
import { startTestServer } from '#api/exports/testing.ts'
import { id, insertEvent, insertFact, insertVariant, OTHER_TENANT, repeatEvent, seen, TENANT } from '#api/fixture.ts'
import { eventRows } from '#api/read-models/item.ts'
import { scopedStore, wholeStore } from '#api/read-models/store.ts'
import type { Store } from '#api/read-models/store.ts'
import { zipEntries } from '../../ingest/containers/zip.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { verifyBundle } from './verify.ts'

const AGENT = id('a')
const START = 1_780_000_000_000_000_000n
const SECOND = 1_000_000_000n
const NOW = new Date('2026-11-24T10:00:00Z')

let database: TestDatabase
let folder: string
let good: Buffer
let entries: Map<string, string>

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-bundle-'))
  const { pool } = database
  await insertFact(pool, TENANT, seen(AGENT, { kind: 'agent', name: 'Weather Agent' }))
  // A sign-in an hour before the period, that the sign-in behind it issued, that an event nobody has issued.
  await insertEvent(pool, {
    id: id('5'),
    time: START - 7200n * SECOND,
    source: 'entra',
    kind: 'token.issued',
    conclusion: { tenant: TENANT, confidence: 'none', parent: id('4') },
  })
  await insertEvent(pool, {
    id: id('6'),
    time: START - 3600n * SECOND,
    source: 'entra',
    kind: 'token.issued',
    conclusion: { tenant: TENANT, subject: AGENT, confidence: 'exact', parent: id('5') },
  })
  await insertEvent(pool, {
    id: id('7', 1),
    time: START,
    text: '{"eventID":"x",  "note":"exactly — as it was\u2028\\n"}',
    masked: ['/responseElements/credentials/sessionToken'],
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact', basis: ['credential'], evidence: [id('6')] },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await repeatEvent(pool, id('7', 1), 1200)
  await insertVariant(pool, id('7', 1), START, '{"eventID":"x","by":"another road"}')
  // In the timelines of two tenants.
  await insertEvent(pool, {
    id: id('8'),
    time: START + 5n,
    kind: 'trust.changed',
    conclusion: { tenant: TENANT, confidence: 'none' },
    timeline: [
      { oid: AGENT, role: 'target', tenant: TENANT },
      { oid: AGENT, role: 'target', tenant: OTHER_TENANT },
    ],
  })
  await pool.query('update conclusions set other_tenants = $1 where event_id = $2', [[OTHER_TENANT], id('8')])
  await insertEvent(pool, {
    id: id('9'),
    time: START + 4000n * SECOND,
    conclusion: { tenant: TENANT, subject: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await pool.query(
    `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, content_hash)
     values ($1, 'sami-anchor', 'low', 'exact', 't', $2, $3, $4, $5, $5, 'e', 'r', '')`,
    [id('3'), TENANT, [AGENT], [id('7', 1)], START.toString()],
  )
  good = await bundleOf(wholeStore(pool))
  entries = await entriesOf(good)
}, 60_000)

afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

async function bundleOf(store: Store, createdAt = NOW): Promise<Buffer> {
  const { stream } = createBundle(store, { oid: AGENT, from: START, to: START + 3000n * SECOND, createdBy: 'test', createdAt })
  return Buffer.concat(await stream.toArray())
}

async function entriesOf(bundle: Buffer): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const { name, bytes } of zipEntries(bundle)) found.set(name, Buffer.concat(await Readable.from(bytes).toArray()).toString())
  return found
}

let files = 0
async function faultsOf(bundle: Buffer, expected?: string): Promise<readonly string[]> {
  const path = join(folder, `${++files}.zip`)
  await writeFile(path, bundle)
  const { faults } = await verifyBundle(path, expected)
  await rm(path)
  return faults
}

const linesOf = (name: string): unknown[] =>
  entries
    .get(name)!
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))

describe('a bundle', () => {
  test('is whole and unchanged as it was made', async () => {
    expect(await faultsOf(good)).toEqual([])
    expect(await faultsOf(good, createHash('sha256').update(good).digest('hex').toUpperCase())).toEqual([])
  })

  test('holds the timeline of the period, its raw records with every text, and what they rest on to the end of the chain', () => {
    const manifest = BundleManifest.parse(JSON.parse(entries.get('manifest.json')!))
    expect(manifest).toMatchObject({
      oid: AGENT,
      from: '2026-05-28T20:26:40.000000000Z',
      scope: 'everything',
      createdBy: 'test',
      counts: { timeline: 1202, supporting: 2, records: 1204, findings: 1 },
      leftOut: { references: 1 },
    })
    expect(linesOf('supporting.ndjson').map((item) => (item as { id: string }).id)).toEqual([id('6'), id('5')])
    const records = linesOf('records.ndjson') as { eventId: string; text: string; speaks: boolean; file: string; line: number; masked: string[] }[]
    expect(records[0]).toMatchObject({
      eventId: id('7', 1),
      speaks: true,
      text: '{"eventID":"x",  "note":"exactly — as it was\u2028\\n"}',
      file: 'logs/trail.json',
      line: 7,
      masked: ['/responseElements/credentials/sessionToken'],
    })
    expect(records[1]).toMatchObject({ eventId: id('7', 1), speaks: false, file: 'logs/lookup.json' })
    expect(linesOf('attributions.ndjson')[0]).toMatchObject({
      eventId: id('7', 1),
      agentOid: AGENT,
      confidence: 'exact',
      evidence: [id('6')],
      recordProves: { by: 'nothing' },
    })
    expect(JSON.parse(entries.get('oid.json')!)).toMatchObject({ items: [{ name: 'Weather Agent' }, { tenantId: OTHER_TENANT }] })
    expect(linesOf('findings.ndjson')).toMatchObject([{ rule: 'sami-anchor' }])
    expect(JSON.parse(entries.get('coverage.json')!)).toMatchObject({ logs: expect.any(Array) as unknown })
  })

  test('has the same bytes for the same data, and the same chain at another time', async () => {
    const again = await bundleOf(wholeStore(database.pool))
    expect(again.equals(good)).toBe(true)
    const later = BundleManifest.parse(JSON.parse((await entriesOf(await bundleOf(wholeStore(database.pool), new Date()))).get('manifest.json')!))
    expect(later.entries).toEqual(BundleManifest.parse(JSON.parse(entries.get('manifest.json')!)).entries)
  })

  test('of a caller who may see one tenant holds that one alone, and is whole', async () => {
    const other = await bundleOf(scopedStore(database.pool, [OTHER_TENANT]))
    expect(await faultsOf(other)).toEqual([])
    const found = await entriesOf(other)
    expect(BundleManifest.parse(JSON.parse(found.get('manifest.json')!))).toMatchObject({
      scope: [OTHER_TENANT],
      counts: { timeline: 1, supporting: 0, records: 1, findings: 0 },
    })
    expect([...found.values()].join('')).not.toContain(TENANT)
  })

  test('of an oid with nothing in the period is whole, too', async () => {
    const { stream } = createBundle(wholeStore(database.pool), { oid: AGENT, from: 0n, to: 1n, createdBy: 'test', createdAt: NOW })
    expect(await faultsOf(Buffer.concat(await stream.toArray()))).toEqual([])
  })

  test('is given to responders over HTTP, with its hash, and to nobody else', async () => {
    const server = await startTestServer(database, { id: 'r', name: null, roles: ['responder'], scope: 'everything' })
    const response = await fetch(`${server.url}/v1/oids/${AGENT}/evidence?from=2026-05-28`, { headers: server.headers })
    expect(response.headers.get('content-type')).toBe('application/zip')
    expect(await faultsOf(Buffer.from(await response.arrayBuffer()))).toEqual([])
    expect((await fetch(`${server.url}/v1/oids/${id('f')}/evidence`, { headers: server.headers })).status).toBe(404)
    expect((await fetch(`${server.url}/v1/oids/${AGENT}/evidence?from=2027-01-01&to=2026-01-01`, { headers: server.headers })).status).toBe(400)
    await server.close()
    const readers = await startTestServer(database, { id: 'x', name: null, roles: ['reader'], scope: 'everything' })
    expect((await fetch(`${readers.url}/v1/oids/${AGENT}/evidence`, { headers: readers.headers })).status).toBe(403)
    await readers.close()
  })
})

describe('is found', () => {
  test('any changed byte, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (position, flip) => {
        const bad = Buffer.from(good)
        bad[position] = bad[position]! ^ flip
        expect(await faultsOf(bad)).not.toEqual([])
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  test('any changed byte of the directory and the comment at the end', async () => {
    for (let position = good.length - 900; position < good.length; position += 3) {
      const bad = Buffer.from(good)
      bad[position] = bad[position]! ^ 0x20
      expect(await faultsOf(bad), `byte ${position}`).not.toEqual([])
    }
  }, 120_000)

  test.each([
    ['cut', (bundle: Buffer) => bundle.subarray(0, -1)],
    ['longer', (bundle: Buffer) => Buffer.concat([bundle, Buffer.from('x')])],
    ['empty', () => Buffer.alloc(0)],
    ['half', (bundle: Buffer) => bundle.subarray(0, bundle.length / 2)],
    ['preceded by something', (bundle: Buffer) => Buffer.concat([Buffer.from('x'), bundle])],
    ['another file', () => Buffer.from('{"hello":1}')],
  ])('a file that is %s', async (_what, change) => {
    expect(await faultsOf(change(good))).not.toEqual([])
  })

  test('a file that is not the one noted', async () => {
    expect(await faultsOf(good, '0'.repeat(64))).toEqual([expect.stringContaining('not the one noted')])
  })
})

/** A bundle made by somebody who knows the format: the seal of the file always fits. */
async function forged(parts: readonly (readonly [string, string])[]): Promise<Buffer> {
  return Buffer.concat(await zipStream(parts.map(([name, text]) => ({ name, content: () => Readable.from([Buffer.from(text)]) }))).toArray())
}

/** The manifest for other contents: hashes, chain and seal made anew. */
function manifestFor(parts: readonly (readonly [string, string])[], change: (manifest: BundleManifest) => object = () => ({})): string {
  const old = BundleManifest.parse(JSON.parse(entries.get('manifest.json')!))
  const made = chained(parts.map(([name, text]) => ({ name, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') })))
  const manifest = { ...old, entries: made, ...change(old) } as BundleManifest
  return JSON.stringify({ ...manifest, seal: sealOf(manifest) })
}

const partsBut = (changes: Readonly<Record<string, (text: string) => string>> = {}) =>
  [...entries].filter(([name]) => name !== 'manifest.json').map(([name, text]) => [name, changes[name]?.(text) ?? text] as const)

async function faultsOfForged(
  changes: Readonly<Record<string, (text: string) => string>>,
  change?: (manifest: BundleManifest) => object,
): Promise<readonly string[]> {
  const parts = partsBut(changes)
  return faultsOf(await forged([...parts, ['manifest.json', manifestFor(parts, change)]]))
}

describe('is found though the file was sealed anew', () => {
  const oldManifest = () => ['manifest.json', entries.get('manifest.json')!] as const
  const withoutLine = (number: number) => (text: string) => text.split('\n').toSpliced(number, 1).join('\n')

  test('nothing, where nothing was changed', async () => {
    expect(await faultsOfForged({})).toEqual([])
  })
  test('a changed entry', async () => {
    const faults = await faultsOf(await forged([...partsBut({ 'coverage.json': (text) => text.replace('aws', 'gcp') }), oldManifest()]))
    expect(faults).toEqual([expect.stringMatching(/^coverage\.json was changed/)])
  })
  test('a missing, an extra, a doubled and a moved entry', async () => {
    const parts = partsBut()
    expect(await faultsOf(await forged([...parts.slice(1), oldManifest()]))).toEqual(['README.txt is missing.'])
    expect(await faultsOf(await forged([...parts, ['extra.txt', 'x'], oldManifest()]))).toEqual(['"extra.txt" does not belong into the bundle.'])
    expect(await faultsOf(await forged([parts[0]!, ...parts, oldManifest()]))).toEqual(['"README.txt" does not belong into the bundle.'])
    expect(await faultsOf(await forged([...parts.toReversed(), oldManifest()]))).toEqual([expect.stringContaining('The entries stand in another order')])
    expect(await faultsOf(await forged(parts))).toEqual(['manifest.json is missing: this is no evidence bundle.'])
  })
  test('a manifest in which something was changed', async () => {
    const faults = await faultsOf(
      await forged([...partsBut(), ['manifest.json', entries.get('manifest.json')!.replace('"createdBy": "test"', '"createdBy": "mallory"')]]),
    )
    expect(faults).toEqual(['manifest.json: its seal does not fit: something in it was changed.'])
  })
  test('a manifest with entries in another order', async () => {
    const parts = partsBut().toReversed()
    expect(await faultsOf(await forged([...parts, ['manifest.json', manifestFor(parts)]]))).toEqual([
      expect.stringMatching(/^manifest\.json lists coverage\.json/),
    ])
  })
  test('a raw record whose text was changed', async () => {
    const faults = await faultsOfForged({ 'records.ndjson': (text) => text.replace('exactly', 'roughly') })
    expect(faults).toEqual([
      `records.ndjson: the text of event ${id('7', 1)} does not have its SHA-256 ${(linesOf('records.ndjson')[0] as { sha256: string }).sha256}.`,
    ])
  })
  test('a raw record that was replaced with its hash', async () => {
    const other = { ...(linesOf('records.ndjson')[0] as object), text: '{}', sha256: createHash('sha256').update('{}').digest('hex') }
    const faults = await faultsOfForged({ 'records.ndjson': (text) => [JSON.stringify(other), ...text.split('\n').slice(1)].join('\n') })
    expect(faults).toEqual([`timeline.ndjson: the record that the event ${id('7', 1)} was made from is not in records.ndjson.`])
  })
  test('a raw record that is missing, extra or moved', async () => {
    expect((await faultsOfForged({ 'records.ndjson': withoutLine(4) }))[0]).toMatch('is not in records.ndjson')
    expect((await faultsOfForged({ 'records.ndjson': (text) => `${text}${text.split('\n')[0]}\n` })).join()).toMatch('belongs to no event of the bundle')
    expect((await faultsOfForged({ 'records.ndjson': (text) => text.split('\n').toSorted().join('\n').trimStart() })).length).toBeGreaterThan(0)
  })
  test('an event that is missing, of another time, or in the wrong place', async () => {
    expect((await faultsOfForged({ 'timeline.ndjson': withoutLine(5) })).length).toBeGreaterThan(0)
    const late = await faultsOfForged({ 'timeline.ndjson': (text) => text.replace('"time":"2026-05-28T20:26:41', '"time":"2027-05-28T20:26:41') })
    expect(late).toContain(`timeline.ndjson: the event ${id('7', 2)} is not of the period.`)
    expect(late.join()).toMatch('stands in the wrong place')
  })
  test('an attribution that is missing, and a reference that leads nowhere', async () => {
    expect((await faultsOfForged({ 'attributions.ndjson': withoutLine(0) }))[0]).toMatch(/^attributions\.ndjson says/)
    const astray = await faultsOfForged({ 'timeline.ndjson': (text) => text.replace(`"evidence":["${id('6')}"]`, `"evidence":["${id('f')}"]`) })
    expect(astray).toEqual(['2 events that others rest on are not in the bundle, the manifest says 1.'])
  })
  test('a count that is not so, and a line that is none', async () => {
    expect(await faultsOfForged({}, (old) => ({ counts: { ...old.counts, records: 7 } }))).toEqual(['records.ndjson has 1204 lines, the manifest says 7.'])
    expect(await faultsOfForged({}, (old) => ({ counts: { ...old.counts, findings: 2 } }))).toEqual(['findings.ndjson has 1 lines, the manifest says 2.'])
    expect(await faultsOfForged({ 'findings.ndjson': (text) => text + text })).toEqual(['findings.ndjson has 2 lines, the manifest says 1.'])
    expect((await faultsOfForged({ 'supporting.ndjson': (text) => `${text}oops\n` })).join()).toMatch('supporting.ndjson, line 3: is not as it must be.')
  })
})

describe('given over HTTP', () => {
  const path = `/v1/oids/${AGENT}/evidence`
  const responder = { id: 'r', name: null, roles: ['responder'], scope: 'everything' } as const
  const free = (): boolean => database.pool.idleCount === database.pool.totalCount && database.pool.waitingCount === 0

  /** The same pool; the work is done as soon as somebody has read the first event. */
  function poolThat(onceRead: () => Promise<void>): pg.Pool {
    let done = false
    const connect = async (callback?: Parameters<pg.Pool['connect']>[0]): Promise<unknown> => {
      // The pool's own `query` asks so.
      if (callback) return database.pool.connect(callback)
      const client = await database.pool.connect()
      const query = async (...given: [string, unknown[]?]): Promise<pg.QueryResult> => {
        const result = await client.query(...given)
        const rows = Array.isArray(result) ? [] : (result.rows as { event_id?: string }[])
        if (!done && rows.some((row) => row.event_id === id('7', 1))) {
          done = true
          await onceRead()
        }
        return result
      }
      return { query, release: client.release.bind(client) }
    }
    return Object.create(database.pool, { connect: { value: connect } }) as pg.Pool
  }

  test('a bundle is of one moment: what is concluded anew while it is written changes nothing in it', async () => {
    const again = poolThat(async () => {
      await database.pool.query(`update conclusions set confidence = 'ambiguous', agent_oid = null, candidates = $2 where event_id = $1`, [
        id('7', 1),
        [AGENT, id('b')],
      ])
      await database.pool.query(`update findings set severity = 'high' where id = $1`, [id('3')])
    })
    const server = await startTestServer({ pool: again }, responder)
    try {
      const response = await fetch(`${server.url}${path}?from=2026-05-28`, { headers: server.headers })
      const bundle = Buffer.from(await response.arrayBuffer())
      expect(await faultsOf(bundle)).toEqual([])
      const found = await entriesOf(bundle)
      expect(JSON.parse(found.get('timeline.ndjson')!.split('\n')[0]!)).toMatchObject({ id: id('7', 1), attribution: { confidence: 'exact' } })
      expect(JSON.parse(found.get('attributions.ndjson')!.split('\n')[0]!)).toMatchObject({ eventId: id('7', 1), confidence: 'exact', candidates: [] })
      expect(JSON.parse(found.get('findings.ndjson')!)).toMatchObject({ severity: 'low' })
      expect((await eventRows(wholeStore(database.pool), [id('7', 1)]))[0]).toMatchObject({ confidence: 'ambiguous' })
    } finally {
      await database.pool.query(`update conclusions set confidence = 'exact', agent_oid = $2, candidates = '{}' where event_id = $1`, [id('7', 1), AGENT])
      await database.pool.query(`update findings set severity = 'low' where id = $1`, [id('3')])
      await server.close()
    }
  })

  test('two are made at once, which leaves connections to others, and one of a caller, which leaves the other to others; whoever is too many is asked to come again', async () => {
    // Places are those of the process, whichever server of it is asked.
    const servers = await Promise.all(['one', 'two', 'three'].map((caller) => startTestServer(database, { ...responder, id: caller })))
    const ask = (caller: number) => fetch(`${servers[caller]!.url}${path}`, { headers: servers[caller]!.headers })
    const refusal = ({ status, headers }: Response) => [status, headers.get('content-type'), headers.get('retry-after')]
    // Near their end both wait for somebody who holds the findings.
    const holder = await database.pool.connect()
    await holder.query('begin; lock table findings in access exclusive mode')
    const running: Response[] = []
    try {
      running.push(await ask(0))
      expect(refusal(await ask(0))).toEqual([429, 'application/problem+json; charset=utf-8', '30'])
      running.push(await ask(1))
      expect(refusal(await ask(2))).toEqual([503, 'application/problem+json; charset=utf-8', '30'])
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    for (const response of running) expect(await faultsOf(Buffer.from(await response.arrayBuffer()))).toEqual([])
    for (const caller of [0, 2]) {
      const after = await ask(caller)
      expect(after.status).toBe(200)
      await after.arrayBuffer()
    }
    for (const server of servers) await server.close()
  })

  test('one that nobody reads to its end gives back its connection and its place', async () => {
    const server = await startTestServer(database, responder)
    for (let n = 0; n < 5; n++) {
      const leaving = new AbortController()
      const holder = await database.pool.connect()
      await holder.query('begin; lock table findings in access exclusive mode')
      const begun = await fetch(`${server.url}${path}`, { headers: server.headers, signal: leaving.signal })
      expect(begun.status).toBe(200)
      leaving.abort()
      await holder.query('rollback')
      holder.release()
      await expect.poll(free, { timeout: 20_000 }).toBe(true)
    }
    await server.close()
  })
})

test('a reader who leaves half-way leaves no connection behind', async () => {
  const { stream } = createBundle(wholeStore(database.pool), { oid: AGENT, createdBy: 'test', createdAt: NOW })
  await expect(pipeline(stream, createWriteStream(join(folder, 'no', 'such', 'folder')))).rejects.toThrow('ENOENT')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(database.pool.idleCount).toBe(database.pool.totalCount)
  expect(await readFile(join(folder, 'no')).catch(() => null)).toBeNull()
})

test('a store that fails breaks the bundle, it does not end it', async () => {
  const store: Store = { scope: 'everything', query: () => Promise.reject(new Error('the database is gone')) }
  await expect(bundleOf(store)).rejects.toThrow('the database is gone')
})

test('the comment has its length', () => {
  expect(commentOf('0'.repeat(64))).toHaveLength(COMMENT_LENGTH)
})
