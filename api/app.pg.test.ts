import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createTestDatabase } from '../test/postgres.ts'
import type { TestDatabase } from '../test/postgres.ts'
import { createApp } from './app.ts'
import { bearerToken } from './access/local-token.ts'
import { Agent, EventDetail, OidAnswer, page, Problem, Rejected, TimelineItem } from './contract.ts'
import { fileId, id, insertEvent, insertFact, insertVariant, OTHER_TENANT, repeatEvent, seen, TENANT } from './fixture.ts'
import { listen } from './listen.ts'
import type { Listening } from './listen.ts'

const TOKEN = 'a-token-for-this-test'
const AGENT = id('a')
const SECOND_AGENT = id('a', 2)
const UAMI = id('b')
const BLUEPRINT_APP = id('c')
const BLUEPRINT_OBJECT = id('c', 2)
const BLUEPRINT_PRINCIPAL = id('c', 3)
const APP_OF_AGENT = id('d')
const SHARED = id('e')
const START = 1_780_000_000_000_000_000n
const MINUTE = 60_000_000_000n

let database: TestDatabase
let server: Listening

beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  await insertFact(pool, TENANT, seen(AGENT, { kind: 'agent', appId: APP_OF_AGENT, name: 'Old name', blueprintAppId: BLUEPRINT_APP }))
  await insertFact(pool, TENANT, seen(AGENT, { kind: 'agent', name: 'Weather Agent' }))
  await insertFact(pool, TENANT, seen(SECOND_AGENT, { kind: 'agent', name: 'Second Agent', blueprintObjectId: BLUEPRINT_OBJECT }))
  await insertFact(pool, TENANT, seen(UAMI, { kind: 'managed-identity', name: 'mi-weather', msiType: 'userAssigned' }))
  await insertFact(pool, TENANT, seen(BLUEPRINT_PRINCIPAL, { kind: 'blueprint', appId: BLUEPRINT_APP, name: 'Weather Blueprint' }))
  await insertFact(pool, TENANT, { type: 'application', objectId: BLUEPRINT_OBJECT, appId: BLUEPRINT_APP, name: 'Weather Blueprint', blueprint: true })
  const fic = { id: null, name: 'mi', issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`, subject: UAMI, audiences: [] }
  await insertFact(pool, TENANT, {
    type: 'fics',
    objectId: BLUEPRINT_OBJECT,
    appId: null,
    before: [],
    after: [fic, { ...fic, issuer: 'https://token.actions.githubusercontent.com', subject: id('f', 9) }],
  })
  for (let number = 0; number < 7; number++) {
    await insertEvent(pool, {
      id: id('7', number + 1),
      // Two of them in one nanosecond: the order must still be total.
      time: START + BigInt(number === 3 ? 2 : number) * MINUTE + 123n,
      source: number % 2 === 0 ? 'aws' : 'gcp',
      kind: number === 0 ? 'token.exchanged' : 'llm.invoked',
      ...(number === 5 ? { outcome: 'failure', error: 'ThrottlingException', userAgent: '=cmd|calc!A1' } : {}),
      ...(number === 4 ? { model: 'anthropic.claude-test', tokens: [571, 300] as const } : {}),
      conclusion: {
        tenant: TENANT,
        subject: AGENT,
        agent: AGENT,
        confidence: 'exact',
        basis: ['federated-subject'],
        evidence: number === 0 ? [] : [id('7', 1)],
      },
      timeline: [{ oid: AGENT, role: 'actor' }],
    })
  }
  await insertEvent(pool, {
    id: id('8'),
    time: START - MINUTE,
    kind: 'token.exchanged',
    source: 'gcp',
    text: '{"insertId":"x",  "note":"exactly as it was — ünïcode"}',
    masked: ['/protoPayload/request/subjectToken'],
    conclusion: {
      tenant: TENANT,
      subject: UAMI,
      confidence: 'ambiguous',
      basis: ['federated-subject', 'federated-credential'],
      candidates: [AGENT, SECOND_AGENT],
    },
    timeline: [
      { oid: UAMI, role: 'actor' },
      { oid: AGENT, role: 'candidate' },
      { oid: SECOND_AGENT, role: 'candidate' },
    ],
  })
  await insertVariant(pool, id('8'), START - MINUTE, '{"insertId":"x"}')
  await insertEvent(pool, { id: id('8', 2), time: START, timeline: [{ oid: SHARED, role: 'target', tenant: TENANT }] })
  await insertEvent(pool, {
    id: id('8', 3),
    time: START,
    conclusion: { tenant: OTHER_TENANT, subject: SHARED, confidence: 'none' },
    timeline: [{ oid: SHARED, role: 'actor' }],
  })
  for (let number = 0; number < 3; number++) {
    await pool.query('insert into rejected (id, file_id, line, index, reason, text, rejected_at) values ($1, $2, $3, $3, $4, $5, now())', [
      id('6', number + 1),
      await fileId(pool, 'bad.json'),
      number,
      'not JSON',
      'x',
    ])
  }
  await pool.query(`insert into shapes (format, unmapped, example_event) values ('cloudtrail', array['a.b'], $1), ('gcp-audit', '{}', $1)`, [id('7')])
  const quiet = { info: () => undefined, error: () => undefined }
  server = await listen(createApp({ pool, auth: bearerToken(TOKEN), log: quiet, version: '1.2.3' }), { host: '127.0.0.1', port: 0 })
})

afterAll(async () => {
  await server?.close()
  await database?.drop()
})

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${TOKEN}`, ...headers } })

const bodyOf = async (path: string): Promise<unknown> => await (await get(path)).json()

async function timelineOf(query: string, oid = AGENT): Promise<{ items: TimelineItem[]; next: string | null }> {
  const response = await get(`/v1/oids/${oid}/timeline${query}`)
  const body: unknown = await response.json()
  expect(response.status, JSON.stringify(body)).toBe(200)
  return page(TimelineItem).parse(body)
}

async function problemOf(path: string, status: number): Promise<Problem> {
  const response = await get(path)
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toMatch('application/problem+json')
  return Problem.parse(await response.json())
}

describe('the timeline', () => {
  test('shows the newest first, each item whole and with nulls for what is absent', async () => {
    const { items, next } = await timelineOf('')
    expect(next).toBeNull()
    expect(items.map((item) => item.id)).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => id('7', number)).concat(id('8')))
    expect(items[2]).toEqual({
      id: id('7', 5),
      nativeId: `native-${id('7', 5)}`,
      time: '2026-05-28T20:30:40.000000123Z',
      source: 'aws',
      kind: 'llm.invoked',
      action: 'bedrock:Converse',
      outcome: 'success',
      error: null,
      tenantId: TENANT,
      subjectOid: AGENT,
      agentOid: AGENT,
      onBehalfOf: null,
      targets: [],
      role: 'actor',
      attribution: { confidence: 'exact', basis: ['federated-subject'], candidates: [], evidence: [id('7', 1)] },
      traceId: null,
      sessionId: null,
      parentId: null,
      cloud: { account: null, region: null, principal: null },
      resource: null,
      model: { id: 'anthropic.claude-test', name: 'anthropic.claude-test', provider: null },
      usage: { inputTokens: 571, outputTokens: 300, cacheReadTokens: null, cacheWriteTokens: null },
      sourceIp: null,
      userAgent: null,
      requestId: null,
      deliveredAt: null,
      ingestedAt: '2026-06-01T00:00:00.000000000Z',
      rawSha256: createHash('sha256')
        .update(JSON.stringify({ eventID: id('7', 5) }))
        .digest('hex'),
    })
  })

  test.each(['asc', 'desc'])('gives every item exactly once over pages of any size, %s', async (order) => {
    const whole = (await timelineOf(`?order=${order}`)).items.map((item) => item.id)
    expect(whole).toHaveLength(8)
    for (const size of [1, 2, 3, 7]) {
      const seenIds: string[] = []
      for (let cursor: string | null = ''; cursor !== null;) {
        const answer: { items: TimelineItem[]; next: string | null } = await timelineOf(
          `?order=${order}&limit=${size}${cursor === '' ? '' : `&cursor=${cursor}`}`,
        )
        seenIds.push(...answer.items.map((item) => item.id))
        cursor = answer.next
      }
      expect(seenIds).toEqual(whole)
    }
  })

  test('says of a candidate that it is one, and who else could be meant', async () => {
    const { items } = await timelineOf('?confidence=ambiguous')
    expect(items).toMatchObject([{ role: 'candidate', agentOid: null, subjectOid: UAMI, attribution: { candidates: [AGENT, SECOND_AGENT] } }])
  })

  test('keeps the tenants of one oid apart, and shows all unless one is named', async () => {
    const both = await timelineOf('', SHARED)
    expect(both.items.map((item) => `${item.role} ${item.tenantId}`).toSorted()).toEqual([`actor ${OTHER_TENANT}`, 'target null'])
    const one = await timelineOf(`?tenant=${OTHER_TENANT}`, SHARED)
    expect(one.items.map((item) => item.id)).toEqual([id('8', 3)])
    const paged = await timelineOf('?limit=1', SHARED)
    expect((await timelineOf(`?limit=1&cursor=${paged.next}`, SHARED)).items[0]?.id).not.toBe(paged.items[0]?.id)
  })

  test('says none of an event that nothing was concluded from yet', async () => {
    const { items } = await timelineOf('?confidence=none', SHARED)
    expect(items.find((item) => item.id === id('8', 2))?.attribution).toEqual({ confidence: 'none', basis: [], candidates: [], evidence: [] })
  })

  test.each([
    ['source=gcp', [6, 4, 2]],
    ['source=aws,gcp&kind=token.exchanged', [1]],
    ['outcome=failure', [6]],
    ['confidence=derived,probable', []],
    ['text=throttling', [6]],
    ['text=CLAUDE-test', [5]],
    ['text=success', []],
    ['from=2026-05-28T20:31:00Z', [7, 6]],
    ['to=2026-05-28T20:26:40.000000123Z', []],
    ['from=2026-05-28T20:26:40.000000123Z&to=2026-05-28T20:27:40Z', [1]],
    ['from=2026-05-29', []],
    ['to=9999-12-31T00:00:00Z&limit=1', [7]],
  ])('filters by %s', async (query, numbers) => {
    const { items } = await timelineOf(`?${query}`)
    expect(items.filter((item) => item.role === 'actor').map((item) => item.id)).toEqual(numbers.map((number) => id('7', number)))
  })

  test.each([
    ['colour=red', 'colour'],
    ['from=yesterday', 'from'],
    ['to=2026-13-01', 'to'],
    ['from=2026-05-02&to=2026-05-01', 'from'],
    ['source=azure', 'source'],
    ['kind=', 'kind'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=10&limit=20', 'limit'],
    ['cursor=abc', 'cursor'],
    ['tenant=contoso', 'tenant'],
    ['order=up', 'order'],
    ['text=', 'text'],
  ])('refuses %s and names the field', async (query, field) => {
    const problem = await problemOf(`/v1/oids/${AGENT}/timeline?${query}`, 400)
    expect(problem.errors?.map((fault) => fault.field)).toEqual([field])
    expect(problem.detail).toContain(field)
  })

  test('says which formats there are when asked for another', async () => {
    expect((await problemOf(`/v1/oids/${AGENT}/timeline?format=xml`, 400)).detail).toContain('json, ndjson, csv')
    expect((await get(`/v1/oids/${AGENT}/timeline`, { accept: 'image/png' })).status).toBe(406)
  })

  test('tells an unknown oid from a malformed one, and an appId from an oid', async () => {
    expect((await problemOf(`/v1/oids/${id('f')}/timeline`, 404)).detail).toContain('No record names the oid')
    expect((await problemOf('/v1/oids/nonsense/timeline', 400)).errors).toMatchObject([{ field: 'oid' }])
    expect((await problemOf(`/v1/oids/${APP_OF_AGENT}/timeline`, 404)).detail).toContain(`Ask for ${AGENT} (Weather Agent)`)
    expect((await timelineOf('', BLUEPRINT_PRINCIPAL)).items).toEqual([])
  })

  test('streams ndjson whole, in the order asked for', async () => {
    const response = await get(`/v1/oids/${AGENT}/timeline?order=asc`, { accept: 'application/x-ndjson' })
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines.map((line) => TimelineItem.parse(JSON.parse(line)).id)).toEqual([id('8'), ...[1, 2, 3, 4, 5, 6, 7].map((number) => id('7', number))])
  })

  test('streams more pages than there are listeners for without a warning, and survives a client that hangs up', async () => {
    const many = id('f', 1)
    await insertEvent(database.pool, { id: id('3', 1), time: START, timeline: [{ oid: many, role: 'actor', tenant: TENANT }] })
    await repeatEvent(database.pool, id('3', 1), 15_000)
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const whole = await (await get(`/v1/oids/${many}/timeline?format=ndjson`)).text()
    const gone = new AbortController()
    const cut = await fetch(`${server.url}/v1/oids/${many}/timeline?format=ndjson`, { headers: { authorization: `Bearer ${TOKEN}` }, signal: gone.signal })
    gone.abort()
    await expect(cut.text()).rejects.toThrow('abort')
    await database.pool.query('delete from timeline where oid = $1', [many])
    process.off('warning', onWarning)
    expect(
      new Set(
        whole
          .trimEnd()
          .split('\n')
          .map((line) => (JSON.parse(line) as TimelineItem).id),
      ).size,
    ).toBe(15_000)
    expect(warnings).toEqual([])
    expect((await get('/healthz')).status).toBe(200)
  })

  test('gives csv in which no cell is a formula', async () => {
    const response = await get(`/v1/oids/${AGENT}/timeline?format=csv`)
    expect(response.headers.get('content-type')).toMatch('text/csv')
    const text = await response.text()
    expect(text.split('\r\n')).toHaveLength(10)
    expect(text).toContain(",'=cmd|calc!A1,")
  })

  test('names the next page of a limited csv in the header Link', async () => {
    const first = await get(`/v1/oids/${AGENT}/timeline?format=csv&limit=5`)
    const link = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1]
    const second = await get(link ?? '/missing')
    expect((await first.text()).split('\r\n')).toHaveLength(7)
    expect((await second.text()).split('\r\n')).toHaveLength(5)
    expect(second.headers.get('link')).toBeNull()
  })
})

describe('events', () => {
  test('come with their evidence', async () => {
    const detail = EventDetail.parse(await (await get(`/v1/events/${id('8')}`)).json())
    expect(detail.evidence).toMatchObject({
      format: 'cloudtrail',
      file: 'logs/trail.json',
      line: 7,
      masked: ['/protoPayload/request/subjectToken'],
      variants: [{ format: 'lookup', file: 'logs/lookup.json', line: null }],
    })
    expect(detail.evidence?.rawSha256).toBe(detail.rawSha256)
  })

  test('give their record byte for byte, with its hash in the header', async () => {
    const response = await get(`/v1/events/${id('8')}/raw`)
    const text = await response.text()
    expect(text).toBe('{"insertId":"x",  "note":"exactly as it was — ünïcode"}')
    expect(response.headers.get('content-type')).toMatch('application/json')
    expect(response.headers.get('repr-digest')).toBe(`sha-256=:${createHash('sha256').update(text).digest('base64')}:`)
  })

  test('give another of their texts by its hash', async () => {
    const hash = createHash('sha256').update('{"insertId":"x"}').digest('hex')
    expect(await (await get(`/v1/events/${id('8')}/raw?sha256=${hash}`)).text()).toBe('{"insertId":"x"}')
    await problemOf(`/v1/events/${id('8')}/raw?sha256=${'0'.repeat(64)}`, 404)
    await problemOf(`/v1/events/${id('8')}/raw?sha256=abc`, 400)
  })

  test('are refused when the stored text does not have its hash', async () => {
    await database.pool.query(
      `insert into heads select $2, time_ns, format, rank, decode(repeat('00', 32), 'hex'), chunk_id, slot, file_id, line, masked from heads where event_id = $1`,
      [id('8'), id('8', 9)],
    )
    const problem = await problemOf(`/v1/events/${id('8', 9)}/raw`, 500)
    expect(JSON.stringify(problem)).not.toMatch(/\.ts|SHA/)
  })

  test('that do not exist are 404', async () => {
    await problemOf(`/v1/events/${id('f')}`, 404)
    await problemOf(`/v1/events/${id('f')}/raw`, 404)
  })
})

describe('agents and oids', () => {
  test('agents come with Blueprint, managed identities, topology and counts', async () => {
    const { items } = page(Agent).parse(await (await get('/v1/agents')).json())
    expect(items.map((agent) => agent.name)).toEqual(['Second Agent', 'Weather Agent'])
    expect(items[1]).toEqual({
      tenantId: TENANT,
      oid: AGENT,
      name: 'Weather Agent',
      appId: APP_OF_AGENT,
      status: null,
      blueprint: { appId: BLUEPRINT_APP, objectId: BLUEPRINT_OBJECT, principalOid: BLUEPRINT_PRINCIPAL, name: 'Weather Blueprint' },
      uamis: [{ oid: UAMI, name: 'mi-weather', current: true }],
      topology: { aws: 'option-2', gcp: 'option-1' },
      firstSeen: '2026-05-28T20:25:40.000000000Z',
      lastSeen: '2026-05-28T20:32:40.000000123Z',
      counts: { bySource: { entra: 0, aws: 4, gcp: 4, app: 0 }, byConfidence: { exact: 7, derived: 0, probable: 0, asserted: 0, ambiguous: 1, none: 0 } },
      exactEvents: 7,
      candidateEvents: 1,
      targetEvents: 0,
    })
  })

  test('agents are paged and searched', async () => {
    const first = page(Agent).parse(await (await get('/v1/agents?limit=1')).json())
    const second = page(Agent).parse(await (await get(`/v1/agents?limit=1&cursor=${first.next}`)).json())
    expect([...first.items, ...second.items].map((agent) => agent.oid)).toEqual([SECOND_AGENT, AGENT])
    expect(second.next).toBeNull()
    expect(await bodyOf('/v1/agents?text=weather%20ag')).toMatchObject({ items: [{ oid: AGENT }] })
    expect(await bodyOf(`/v1/agents?tenant=${OTHER_TENANT}`)).toEqual({ items: [], next: null })
  })

  const oidAnswer = async (oid: string): Promise<OidAnswer> => OidAnswer.parse(await (await get(`/v1/oids/${oid}`)).json())

  test('an oid says what it is and what it is linked with', async () => {
    const agent = await oidAnswer(AGENT)
    expect(agent).toMatchObject({
      resolvedFrom: null,
      items: [
        {
          kind: 'agent',
          names: ['Weather Agent', 'Old name'],
          counts: { byRole: { actor: 7, candidate: 1, target: 0 }, byKind: { 'token.exchanged': 2, 'llm.invoked': 6 } },
        },
      ],
    })
    const both = [
      { oid: AGENT, name: 'Weather Agent' },
      { oid: SECOND_AGENT, name: 'Second Agent' },
    ]
    expect((await oidAnswer(UAMI)).items).toMatchObject([{ kind: 'managed-identity', msiType: 'userAssigned', agents: both }])
    expect((await oidAnswer(BLUEPRINT_PRINCIPAL)).items).toMatchObject([{ kind: 'blueprint', agents: both, uamis: [{ oid: UAMI }] }])
    expect((await oidAnswer(SHARED)).items.map((item) => item.tenantId)).toEqual([TENANT, OTHER_TENANT])
    await problemOf(`/v1/oids/${id('f')}`, 404)
  })

  test('an appId in the place of an oid is resolved, and the answer says so', async () => {
    expect(await oidAnswer(APP_OF_AGENT)).toMatchObject({ id: APP_OF_AGENT, resolvedFrom: 'appId', items: [{ oid: AGENT, counts: { byRole: { actor: 7 } } }] })
    expect(await oidAnswer(BLUEPRINT_APP)).toMatchObject({ resolvedFrom: 'appId', items: [{ oid: BLUEPRINT_PRINCIPAL }] })
    expect(await oidAnswer(BLUEPRINT_OBJECT)).toMatchObject({ resolvedFrom: 'objectId', items: [{ oid: BLUEPRINT_PRINCIPAL }] })
  })
})

test('what could not be understood is listed', async () => {
  const first = page(Rejected).parse(await bodyOf('/v1/rejected?limit=2'))
  const second = page(Rejected).parse(await bodyOf(`/v1/rejected?limit=2&cursor=${first.next}`))
  expect([...first.items, ...second.items].map((item) => item.id).toSorted()).toEqual([1, 2, 3].map((number) => id('6', number)))
  expect(first.items[0]).toMatchObject({ file: 'bad.json', reason: 'not JSON', text: 'x' })
  expect(await (await get('/v1/unmapped')).json()).toEqual({ items: [{ id: 1, format: 'cloudtrail', paths: ['a.b'], exampleEvent: id('7') }], next: null })
  expect((await problemOf('/v1/rejected?cursor=abc', 400)).errors).toMatchObject([{ field: 'cursor' }])
})

describe('who may ask', () => {
  test.each(['/v1/agents', `/v1/oids/${AGENT}/timeline`, '/v1/rejected', '/v1/nothing-of-the-kind'])('%s wants the token', async (path) => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      const response = await get(path, { authorization })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
      expect(Problem.parse(await response.json()).status).toBe(401)
    }
  })

  test('health and the API description are open', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) expect((await get(path, { authorization: '' })).status).toBe(200)
  })

  test('a database that lost its policies, as a restored dump does, is told by /readyz with the way out: it would answer that it holds nothing', async () => {
    await database.pool.query('alter policy everything on timeline rename to lost')
    try {
      expect((await problemOf('/readyz', 503)).detail).toMatch(/lacks the policy everything of timeline.*run `trailjoin migrate`/)
      expect((await get('/healthz')).status).toBe(200)
    } finally {
      await database.pool.query('alter policy lost on timeline rename to everything')
    }
    expect((await get('/readyz')).status).toBe(200)
  })

  test('a foreign Host header is turned away, whatever the token', async () => {
    const { request } = await import('node:http')
    const status = await new Promise((resolve) => {
      request(`${server.url}/v1/agents`, { headers: { host: 'evil.example', authorization: `Bearer ${TOKEN}` } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).end()
    })
    expect(status).toBe(421)
  })

  test('other methods than GET are refused, and other origins get no leave to read', async () => {
    const response = await fetch(`${server.url}/v1/agents`, { method: 'DELETE', headers: { authorization: `Bearer ${TOKEN}` } })
    expect(response.status).toBe(405)
    const cross = await get('/v1/agents', { origin: 'https://evil.example' })
    expect(cross.headers.get('access-control-allow-origin')).toBeNull()
    expect(cross.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(cross.headers.get('cache-control')).toBe('no-store')
  })

  test('unknown paths are problems, too', async () => {
    await problemOf('/v1/nothing', 404)
    await problemOf('/nothing', 404)
    await problemOf('/v1/oids/%E0%A4%A/timeline', 400)
  })
})

const OpenApi = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.object({ get: z.object({ parameters: z.array(z.object({ name: z.string() })) }).optional() })),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
})

test('the API description covers every route, and all its references resolve', async () => {
  const document = OpenApi.parse(await bodyOf('/openapi.json'))
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/v1/agents', '/v1/oids/{oid}', '/v1/oids/{oid}/timeline', '/v1/events/{id}', '/v1/events/{id}/raw', '/healthz']),
  )
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1])
  expect(references.length).toBeGreaterThan(5)
  for (const name of references) expect(document.components.schemas).toHaveProperty(name!)
  const names = document.paths['/v1/oids/{oid}/timeline']?.get?.parameters.map((parameter) => parameter.name)
  expect(names).toEqual(['oid', 'from', 'to', 'source', 'kind', 'outcome', 'confidence', 'text', 'tenant', 'order', 'limit', 'cursor', 'format', 'manifest'])
})
