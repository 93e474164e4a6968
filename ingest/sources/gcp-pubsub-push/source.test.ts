import { createSign, generateKeyPairSync } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test, describe } from 'vitest'
import { startFakeServer } from '../../../test/clouds/fake-server.ts'
import { collectingSink } from '../../collecting-sink.ts'
import type { CollectingSink } from '../../collecting-sink.ts'
import { memoryStore } from '../../engine/memory-store.ts'
import { openSource } from '../../engine/open.ts'
import { runSources } from '../../engine/run.ts'
import { QUICK } from '../../engine/test-run.ts'
import type { Collector, Source } from '../../engine/source.ts'
import source from './source.ts'

const SUBSCRIPTION = 'projects/one/subscriptions/trailjoin'

interface Endpoint {
  readonly url: string
  readonly sink: CollectingSink
  readonly store: ReturnType<typeof memoryStore>
  stop(): Promise<void>
}

const running: Endpoint[] = []
afterEach(async () => {
  for (const endpoint of running.splice(0)) await endpoint.stop()
})

/** The source, run by the engine as the program runs it. */
async function start(auth: unknown = { token: { env: 'PUSH' } }, sink: CollectingSink = collectingSink()): Promise<Endpoint> {
  const store = memoryStore()
  const stop = new AbortController()
  const listening = Promise.withResolvers<number>()
  const opened = await openSource(
    { kind: source.kind, name: 'push', everySeconds: 1, context: {}, settings: source.settings.parse({ listen: { port: 0 }, auth, idleSeconds: 0.3 }) },
    {
      kinds: new Map([[source.kind, source as Source<unknown>]]),
      environment: { PUSH: 'a-long-secret' },
      log: (_, message, fields) => (message === 'push endpoint listens' ? listening.resolve(Number(fields?.['port'])) : undefined),
    },
  )
  const over = runSources({ sources: [opened], sink, store, signal: stop.signal, log: () => undefined, delays: QUICK })
  const endpoint: Endpoint = {
    url: `http://127.0.0.1:${await listening.promise}/pubsub`,
    sink,
    store,
    async stop() {
      stop.abort()
      await over
    },
  }
  running.push(endpoint)
  return endpoint
}

let ids = 0
const entry = (more = ''): string => `{"insertId":"id-${ids++}","timestamp":"2026-09-01T10:00:00.123456789Z","n":1.0${more}}`
const envelope = (data: string): string =>
  JSON.stringify({ message: { data: Buffer.from(data).toString('base64'), messageId: '1', publishTime: '2026-09-01T10:00:01Z' }, subscription: SUBSCRIPTION })

const push = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}?token=a-long-secret`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

/** A source as the configuration opens it, on a free port; `ports` are those on which it has listened. */
async function listening(): Promise<{ readonly collector: Collector; readonly ports: readonly number[] }> {
  const ports: number[] = []
  const opened = await openSource(
    {
      kind: source.kind,
      name: 'push',
      everySeconds: 1,
      context: {},
      settings: source.settings.parse({ listen: { port: 0 }, auth: { token: { env: 'PUSH' } }, idleSeconds: 0.05 }),
    },
    {
      kinds: new Map([[source.kind, source as Source<unknown>]]),
      environment: { PUSH: 'a-long-secret' },
      log: (_, message, fields) => void (message === 'push endpoint listens' && ports.push(Number(fields?.['port']))),
    },
  )
  return { collector: opened.collectors[0]!, ports }
}

test('a collector that another process relieves frees its port and refuses what waits; its next poll listens again', async () => {
  const { collector, ports } = await listening()
  const pollOnce = async (): Promise<void> => {
    for await (const page of collector.poll(null, new AbortController().signal)) await page.acknowledge?.()
  }
  await pollOnce()
  const url = (): string => `http://127.0.0.1:${ports.at(-1)}/pubsub`
  const waiting = push(url(), envelope(entry())).then(
    ({ status }) => status,
    () => 'cut off',
  )
  await pause(100)
  await collector.release?.()
  // Cut off where the machine is too busy to answer within the second that closing allows: Pub/Sub sends it again either way.
  expect([503, 'cut off']).toContain(await waiting)
  await expect(push(url(), envelope(entry()))).rejects.toThrow()
  await pollOnce()
  expect(ports).toHaveLength(2)
  const answered = push(url(), envelope(entry()))
  let done = false
  void answered.finally(() => (done = true))
  while (!done) await pollOnce()
  expect((await answered).status).toBe(204)
  await collector.close?.()
})

test('a push that is still arriving when another process relieves the collector is refused at once, and is not kept for the next poll', async () => {
  const { collector, ports } = await listening()
  const pollOnce = async (): Promise<number> => {
    let pieces = 0
    for await (const page of collector.poll(null, new AbortController().signal)) {
      pieces += page.pieces.length
      await page.acknowledge?.()
    }
    return pieces
  }
  await pollOnce()
  const body = envelope(entry())
  const request = httpRequest({
    port: ports[0],
    host: '127.0.0.1',
    path: '/pubsub?token=a-long-secret',
    method: 'POST',
    headers: { 'content-length': body.length },
  })
  const answer = new Promise<number | string>((resolve) => {
    request.on('response', ({ statusCode }) => resolve(statusCode ?? 0)).on('error', () => resolve('cut off'))
  })
  request.write(body.slice(0, 10))
  // Until it is let in.
  await pause(100)
  const released = Promise.resolve(collector.release?.())
  const started = performance.now()
  request.end(body.slice(10))
  // Cut off only where the machine is too busy to answer within the second that closing allows.
  expect([503, 'cut off']).toContain(await answer)
  if ((await answer) === 503) expect(performance.now() - started).toBeLessThan(1000)
  await released
  expect(await pollOnce()).toBe(0)
  await collector.close?.()
})

/** As Pub/Sub does: again and again until the answer is 2xx. */
async function pushUntilDone(url: string, body: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    const answer = await push(url, body).catch(() => null)
    if (answer?.ok) return tries
    await pause(5)
  }
}

test('a push is answered when its record is stored, and the record is the exact text of the message', async () => {
  const { url, sink } = await start()
  const text = entry()
  const answer = await push(url, envelope(text))
  expect(answer.status).toBe(204)
  expect(sink.records.map((record) => [record.text, record.origin.file])).toEqual([[text, `gcp:pubsub/${SUBSCRIPTION}`]])
})

test('a push without the envelope is a record, too', async () => {
  const { url, sink } = await start()
  const text = entry()
  expect((await push(url, text)).status).toBe(204)
  expect(sink.records.map((record) => record.text)).toEqual([text])
})

test('while storing fails pushes are refused, and what comes again is stored once: nothing is lost or doubled', async () => {
  const sink = collectingSink()
  const deliver = sink.deliver.bind(sink)
  let deliveries = 0
  Object.assign(sink, {
    deliver: (...batch: Parameters<typeof deliver>) =>
      ++deliveries % 2 === 1 && deliveries < 8 ? Promise.reject(new Error('the database is away')) : deliver(...batch),
  })
  const { url, store } = await start(undefined, sink)
  const texts = Array.from({ length: 60 }, () => entry())
  const tries = await Promise.all(texts.map((text) => pushUntilDone(url, envelope(text))))
  expect(Math.max(...tries)).toBeGreaterThan(1)
  expect(sink.records.map(({ text }) => text).toSorted()).toEqual(texts.toSorted())
  expect((await store.statuses())[0]).toMatchObject({ stored: 60n, duplicates: 0n })
  // Silence after the last one: what was sent has arrived.
  await expect.poll(async () => (await store.statuses())[0]?.watermark ?? null, { timeout: 5000 }).not.toBeNull()
})

test('a push that is repeated is delivered again and known as a repeat', async () => {
  const { url, sink, store } = await start()
  const body = envelope(entry())
  await push(url, body)
  await push(url, body)
  expect(sink.records).toHaveLength(2)
  expect((await store.statuses())[0]).toMatchObject({ stored: 1n, duplicates: 1n })
})

test('poison is acknowledged and kept with its reason, so that it does not come for ever', async () => {
  const { url, sink } = await start()
  for (const body of [envelope('no json'), envelope('{"cut":'), 'not even an envelope', envelope(''), '']) expect((await push(url, body)).status).toBe(204)
  expect(sink.records).toEqual([])
  // The one without any text is nothing at all.
  expect(sink.rejections).toHaveLength(4)
  expect(sink.rejections.every(({ reason }) => reason !== '')).toBe(true)
})

describe('who may push', () => {
  test('with the shared token, as a parameter or as a bearer token; nobody else', async () => {
    const { url, sink } = await start()
    const post = (address: string, headers: Record<string, string> = {}) => fetch(address, { method: 'POST', body: envelope(entry()), headers })
    expect((await post(url)).status).toBe(401)
    expect((await post(`${url}?token=wrong`)).status).toBe(401)
    expect((await post(`${url}?token=a-long-secret&token=x`)).status).toBe(401)
    expect((await post(url, { authorization: 'Bearer wrong' })).status).toBe(401)
    expect(sink.records).toEqual([])
    expect((await post(url, { authorization: 'Bearer a-long-secret' })).status).toBe(204)
    expect((await fetch(`${url}?token=a-long-secret`)).status).toBe(404)
  })

  test('with a token that Google signed for the subscription’s service account and this audience', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const google = await startFakeServer((_, __, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ k1: publicKey }))
    })
    const sign = (claims: Record<string, unknown>): string => {
      const now = Math.floor(Date.now() / 1000)
      const payload = {
        iss: 'https://accounts.google.com',
        aud: 'https://trailjoin.example',
        email: 'push@one.iam.gserviceaccount.com',
        email_verified: true,
        iat: now,
        exp: now + 600,
        ...claims,
      }
      const head = [{ alg: 'RS256', kid: 'k1', typ: 'JWT' }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      return `${head}.${createSign('RSA-SHA256').update(head).sign(privateKey).toString('base64url')}`
    }
    const { url, sink } = await start({
      oidc: { audience: 'https://trailjoin.example', serviceAccount: 'push@one.iam.gserviceaccount.com', certificates: google.url },
    })
    const status = async (token: string) =>
      (await fetch(url, { method: 'POST', body: envelope(entry()), headers: { authorization: `Bearer ${token}` } })).status
    expect(await status(sign({}))).toBe(204)
    for (const claims of [
      { aud: 'https://other.example' },
      { email: 'other@one.iam.gserviceaccount.com' },
      { email_verified: false },
      { iss: 'https://evil.example' },
      { exp: 1 },
    ]) {
      expect(await status(sign(claims))).toBe(401)
    }
    expect(await status(`${sign({}).slice(0, -8)}AAAAAAAA`)).toBe(401)
    expect(sink.records).toHaveLength(1)
    await google.close()
  })

  test('when it cannot be found out, Pub/Sub is asked to come again', async () => {
    const { url, sink } = await start({ token: { env: 'NOT_SET' } })
    expect((await push(url, envelope(entry()))).status).toBe(503)
    expect(sink.records).toEqual([])
  })
})

test('a body that no message can have is refused without being kept', async () => {
  const { url, sink } = await start()
  expect((await push(url, 'x'.repeat(16 * 1024 * 1024))).status).toBe(413)
  expect([...sink.records, ...sink.rejections]).toEqual([])
})

describe('the settings', () => {
  test.each([
    [{ listen: { port: 1 }, auth: { token: 'plain' } }, 'reference to a secret'],
    [{ listen: { port: 1 } }, 'auth'],
    [{ listen: { port: 99_999 }, auth: { token: { env: 'A' } } }, 'port'],
    [{ listen: { port: 1 }, auth: { token: { env: 'A' } }, path: 'pubsub' }, 'is no path'],
  ])('%j is refused', (settings, message) => {
    const result = source.settings.safeParse(settings)
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).toContain(message)
  })
})
