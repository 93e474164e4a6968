/** Pushed records over HTTP, from the request to the store. */
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '#api/app.ts'
import type { Caller } from '#api/access/caller.ts'
import { listen } from '#api/listen.ts'
import type { Listening } from '#api/listen.ts'
import { PushAnswer } from '#api/records/contract.ts'
import type { RecordSink } from '#core/sink.ts'
import { createCorrelator } from '#correlate/index.ts'
import { createMemoryTransport } from '#transport/memory.ts'
import { createTransportSink } from '#transport/sink.ts'
import { createIntake } from '../cli/intake.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'

const TENANT = '8b3b1038-1ba0-46aa-9121-e8db34476a93'
const OTHER = '60b9efb2-0555-4a4f-bf2b-aefa7cdbd805'
const CALLERS: Readonly<Record<string, Pick<Caller, 'roles' | 'scope'>>> = {
  all: { roles: ['ingest'], scope: 'everything' },
  one: { roles: ['ingest'], scope: [TENANT] },
  two: { roles: ['ingest'], scope: [TENANT] },
  three: { roles: ['ingest'], scope: [TENANT] },
  reader: { roles: ['reader'], scope: 'everything' },
}

/** A line of an API's access log. */
const call = (requestId: string, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    time: '2026-05-12T08:20:11.250Z',
    api: 'weather',
    requestId,
    method: 'GET',
    path: '/forecast',
    status: 200,
    durationMs: 12,
    tid: TENANT,
    oid: 'd1becabc-cdb8-465c-a235-c346cd27be7a',
    appid: 'd1becabc-cdb8-465c-a235-c346cd27be7a',
    aud: 'fd91f632-f287-49b9-b564-e1f62f197e06',
    idtyp: 'app',
    sourceIp: '20.1.2.3',
    userAgent: 'python-requests/2.32',
    ...more,
  })

let database: TestDatabase
let server: Listening
let sink: RecordSink
/** Stands before the sink while it is set. */
let instead: RecordSink['deliver'] | null = null

beforeAll(async () => {
  database = await createTestDatabase()
  sink = createCorrelator(database.pool)
  server = await serve({ knows: sink.knows, deliver: (...batch) => (instead ? instead(...batch) : sink.deliver(...batch)), drain: () => sink.drain() })
})
afterAll(async () => {
  await server?.close()
  await sink?.drain()
  await database?.drop()
})

async function serve(target: RecordSink): Promise<Listening> {
  const auth = (header: string | undefined): Promise<Caller | null> => {
    const name = header?.replace('Bearer ', '') ?? ''
    const caller = CALLERS[name]
    return Promise.resolve(caller ? { ...caller, id: `token:${name}`, name: null } : null)
  }
  const quiet = { info: () => undefined, error: () => undefined }
  return await listen(createApp({ pool: database.pool, auth, log: quiet, services: { intake: createIntake(target) } }), { host: '127.0.0.1', port: 0 })
}

const post = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}, token = 'all', query = ''): Promise<Response> =>
  fetch(`${server.url}/v1/records${query}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson', ...headers },
  })

async function pushed(...input: Parameters<typeof post>): Promise<PushAnswer> {
  const response = await post(...input)
  const body: unknown = await response.json()
  expect(response.status, JSON.stringify(body)).toBe(200)
  return PushAnswer.parse(body)
}
const statuses = ({ results }: PushAnswer): string[] => results.map(({ line, status }) => `${line} ${status}`)
const count = async (table: string, where = 'true'): Promise<number> =>
  Number((await database.pool.query<{ n: bigint }>(`select count(*) as n from ${table} where ${where}`)).rows[0]!.n)

describe('a push', () => {
  test('is stored before it is answered, with a result for each line, and pushing it again changes nothing', async () => {
    const body = [call('a-1'), call('a-2'), '', call('a-1')].join('\n')
    const first = await pushed(body)
    expect(first).toMatchObject({ read: 3, stored: 2, duplicates: 1, rejected: 0, accepted: 0 })
    expect(statuses(first)).toEqual(['1 stored', '2 stored', '4 duplicate'])
    expect(await count('heads', `format = 'api-access'`)).toBe(2)
    expect(statuses(await pushed(body))).toEqual(['1 duplicate', '2 duplicate', '4 duplicate'])
    expect(await count('heads', `format = 'api-access'`)).toBe(2)
  })

  test('keeps broken lines with their reason, the first included, and none of them harms a neighbour', async () => {
    const body = ['this is no JSON', call('b-1'), '{"a":', '[1,2]', '{"some":"thing"}', call('b-2', { time: undefined }), call('b-3')].join('\r\n')
    const answer = await pushed(body)
    expect(statuses(answer)).toEqual(['1 rejected', '2 stored', '3 rejected', '4 rejected', '5 rejected', '6 rejected', '7 stored'])
    expect(answer.results.filter((result) => result.status === 'rejected').every((result) => result.reason !== null && result.reason !== '')).toBe(true)
    expect(answer.results[4]?.reason).toBe('no known record format')
    const { rows } = await database.pool.query<{ line: number; reason: string }>(
      `select line, reason from rejected join files f on f.id = file_id where f.name = 'push:token:all' order by line`,
    )
    expect(rows).toEqual(answer.results.flatMap(({ line, status, reason }) => (status === 'rejected' ? [{ line, reason }] : [])))
    expect(statuses(await pushed(body)).filter((one) => one.endsWith('stored'))).toEqual([])
    expect(await count('rejected')).toBe(rows.length)
  })

  test('takes gzip, wrappers and what the clouds log', async () => {
    const [aws, wrapped] = ['d', 'e'].map((name) => cloudTrail(name))
    const answer = await pushed(gzipSync([aws, JSON.stringify({ Records: [JSON.parse(wrapped!), JSON.parse(cloudTrail('f'))] })].join('\n')), {
      'content-encoding': 'gzip',
    })
    expect(statuses(answer)).toEqual(['1 stored', '2 stored', '2 stored'])
  })

  test('masks credentials before anything is stored', async () => {
    const secret = 'eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJvaWQiOiJzZWNyZXQifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg'
    await pushed([call('g-1', { authorization: `Bearer ${secret}` }), `no json ${secret}`].join('\n'))
    const { rows } = await database.pool.query<{ text: string }>(`select text from rejected where text like 'no json%'`)
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.map((row) => row.text).join()).not.toContain(secret)
    const { rows: heads } = await database.pool.query<{ masked: string[] }>(`select masked from heads where masked is not null`)
    expect(heads.map((head) => head.masked)).toContainEqual(['/authorization'])
  })

  test('of a caller bound to tenants writes records of these and no others', async () => {
    const body = [call('h-1'), call('h-2', { tid: OTHER }), cloudTrail('h')].join('\n')
    const answer = await pushed(body, {}, 'one')
    expect(statuses(answer)).toEqual(['1 stored', '2 rejected', '3 rejected'])
    expect(answer.results[1]?.reason).toContain(OTHER)
    expect(await count('events', `tenant_id = '${OTHER}'`)).toBe(0)
    expect((await post(call('h-3'), {}, 'one', `?tenant=${OTHER}`)).status).toBe(400)
  })

  test('needs the role ingest', async () => {
    expect((await post(call('i-1'), {}, 'reader')).status).toBe(403)
    expect((await post(call('i-1'), {}, 'nobody')).status).toBe(401)
    expect(await count('heads', `format = 'api-access' and line = 1 and file_id = (select id from files where name = 'push:token:reader')`)).toBe(0)
  })

  test('of the wrong type, encoding or size is refused as such, and nothing of it is stored', async () => {
    const before = await count('heads')
    expect((await post('a,b', { 'content-type': 'text/csv' })).status).toBe(415)
    const brotli = await post(call('j-1'), { 'content-encoding': 'br' })
    expect([brotli.status, brotli.headers.get('accept-encoding')]).toEqual([415, 'gzip, identity'])
    expect((await post(Buffer.from('no gzip'), { 'content-encoding': 'gzip' })).status).toBe(400)
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, `${call('j-2')}\n`))
    expect(bomb.length).toBeLessThan(1024 * 1024)
    expect((await post(bomb, { 'content-encoding': 'gzip' })).status).toBe(413)
    expect((await post(Buffer.alloc(11 * 1024 * 1024, `${call('j-3')}\n`))).status).toBe(413)
    expect((await post('1\n'.repeat(20_001))).status).toBe(413)
    expect(await count('heads')).toBe(before)
  })

  test('that cannot be stored for certain is answered with 503 and a time to come again', async () => {
    instead = () => Promise.reject(new Error('the disk is full'))
    try {
      const response = await post(call('k-1'))
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await response.text()).not.toContain('disk')
    } finally {
      instead = null
    }
    expect(statuses(await pushed(call('k-1')))).toEqual(['1 stored'])
  })

  test('waits while too many are on their way, is told to come again when that takes long, and finds the door open afterwards; no caller keeps another out', async () => {
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    instead = async (...batch) => {
      await gate
      return await sink.deliver(...batch)
    }
    const refused = async (id: string, token: string): Promise<[number, boolean]> => {
      const response = await post(call(id), {}, token)
      return [response.status, Number(response.headers.get('retry-after')) > 0]
    }
    const waiting = ['l-1', 'l-2'].map((id) => post(call(id)))
    await expect.poll(() => refused('l-3', 'all'), { timeout: 20_000 }).toEqual([429, true])
    for (const token of ['one', 'two']) waiting.push(post(call(`l-${token}-1`), {}, token), post(call(`l-${token}-2`), {}, token))
    await expect.poll(() => refused('l-4', 'three'), { timeout: 20_000 }).toEqual([503, true])
    // They hang: their senders have been told so, and their places are theirs until they end.
    expect((await Promise.all(waiting)).map((response) => response.status)).toEqual([503, 503, 503, 503, 503, 503])
    open()
    instead = null
    await expect.poll(async () => statuses(await pushed(call('l-1'))), { timeout: 20_000 }).toEqual(['1 duplicate'])
    expect(statuses(await pushed(call('l-3')))).toEqual(['1 stored'])
  })

  test('of a shipper that sends each line by itself, many at once, is slowed down and never turned away', async () => {
    const lines = Array.from({ length: 300 }, (_, index) => call(`shipper-${index}`))
    const refused: number[] = []
    const workers = Array.from({ length: 60 }, async () => {
      for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
        const { status } = await post(line)
        if (status !== 200) refused.push(status)
      }
    })
    await Promise.all(workers)
    expect(refused).toEqual([])
    expect(await count('events', `native_id like 'shipper-%'`)).toBe(300)
  })

  test('is taken in while another caller sends slowly with all that it may', async () => {
    const slow = Array.from({ length: 4 }, () => {
      const request = httpRequest(`${server.url}/v1/records`, {
        method: 'POST',
        agent: false,
        headers: { authorization: 'Bearer two', 'content-type': 'application/x-ndjson', 'content-length': 1000 },
      })
      const answered = new Promise<number | null>((resolve) => {
        request.on('response', ({ statusCode }) => resolve(statusCode ?? null)).on('error', () => resolve(null))
      })
      request.write('{"half":')
      return { request, answered }
    })
    // Two of them hold their places, two find none: by that it is known that all four have arrived.
    const first = await Promise.any(slow.map(async ({ answered }) => (await answered) ?? Promise.reject(new Error('broken'))))
    expect(first).toBe(429)
    expect(statuses(await pushed(call('n-1')))).toEqual(['1 stored'])
    for (const { request } of slow) request.destroy()
    await expect.poll(async () => (await post(call('n-2'), {}, 'two')).status).toBe(200)
  })

  test('that is cut off stores nothing and gives its place back', async () => {
    for (let n = 0; n < 6; n++) {
      await new Promise<void>((resolve) => {
        const request = httpRequest(`${server.url}/v1/records`, {
          method: 'POST',
          headers: {
            authorization: 'Bearer all',
            'content-type': 'application/x-ndjson',
            'content-encoding': n % 2 === 0 ? 'gzip' : 'identity',
            'content-length': 1000,
          },
        })
        request.on('error', () => undefined).on('close', resolve)
        request.write(n % 2 === 0 ? gzipSync(call('m-1')).subarray(0, 20) : call('m-1'))
        setTimeout(() => request.destroy(), 50)
      })
    }
    await expect.poll(async () => (await post(call('m-2'))).status).toBe(200)
    expect(await count('events', `native_id = 'm-1'`)).toBe(0)
  })
})

test('behind Kafka a record is accepted when it is published, and what no correlator will know is said at once', async () => {
  const transport = createMemoryTransport()
  const behind = await serve(createTransportSink(transport, sink.knows))
  const published: string[] = []
  await transport.consume('records', 'test', (batch) => {
    published.push(...batch.map((message) => message.value))
    return Promise.resolve()
  })
  // In memory a message is published once somebody has it.
  await transport.consume('rejected', 'test', () => Promise.resolve())
  const response = await fetch(`${behind.url}/v1/records`, {
    method: 'POST',
    body: [call('n-1'), '{"some":"thing"}', 'broken'].join('\n'),
    headers: { authorization: 'Bearer all', 'content-type': 'application/x-ndjson' },
  })
  const answer = PushAnswer.parse(await response.json())
  expect(statuses(answer)).toEqual(['1 accepted', '2 rejected', '3 rejected'])
  expect(answer).toMatchObject({ read: 3, accepted: 1, rejected: 2 })
  await expect.poll(() => published.length).toBe(2)
  await behind.close()
  await transport.close()
})

/** A CloudTrail record of nobody in particular. */
function cloudTrail(name: string): string {
  const text = readFileSync(join(import.meta.dirname, 'fixtures', 'samples', 'aws', 'stratus-detonation.ndjson'), 'utf8')
  const record = JSON.parse(text.split('\n')[0]!) as Record<string, unknown>
  return JSON.stringify({ ...record, eventID: `push-${name}` })
}
