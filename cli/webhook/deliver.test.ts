import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { deliverWebhook, webhookUrlFault } from './deliver.ts'
import { isSigned, signatureHeaders, webhookKey } from './sign.ts'

const KEY = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
const MESSAGE = { id: 'msg_1', contentType: 'application/json', body: '{"test": 2432232314}' }

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

let close: (() => void) | null = null
afterEach(() => close?.())

/** A receiver that answers by turns as told (the last answer from then on). */
async function receiver(...answers: readonly ((response: ServerResponse) => void)[]): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts) })
      answers[Math.min(received.length, answers.length) - 1]!(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=hunter2`, received }
}
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end()

describe('a signature', () => {
  test('is that of the Standard Webhooks specification’s own example', () => {
    expect(signatureHeaders(KEY, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })
  test('holds for its id, time, body and key alone', () => {
    const headers = signatureHeaders(KEY, 'a', 7, 'body')
    const other = webhookKey(`whsec_${Buffer.alloc(32, 1).toString('base64')}`)
    expect(isSigned(KEY, headers, Buffer.from('body'))).toBe(true)
    expect(isSigned(KEY, { ...headers, 'webhook-signature': `v1,AAAA v2,x ${headers['webhook-signature']}` }, 'body')).toBe(true)
    expect([
      isSigned(other, headers, 'body'),
      isSigned(KEY, headers, 'body2'),
      isSigned(KEY, { ...headers, 'webhook-id': 'b' }, 'body'),
      isSigned(KEY, { ...headers, 'webhook-timestamp': '8' }, 'body'),
      isSigned(KEY, {}, 'body'),
    ]).toEqual([false, false, false, false, false])
  })
  test('is of no id that could be taken for another message', () => {
    expect(() => signatureHeaders(KEY, 'a.1', 7, 'x')).toThrow('letters, digits')
  })
  test.each(['', 'hunter2', 'whsec_', 'whsec_c2hvcnQ=', `whsec_${Buffer.alloc(65).toString('base64')}`, 'whsec_%%%'])(
    '%j is no secret, and is not repeated',
    (text) => {
      expect(() => webhookKey(text)).toThrow('openssl rand')
      expect(() => webhookKey(text)).not.toThrow(/hunter2|c2hv/)
    },
  )
})

describe('a webhook', () => {
  test('arrives signed, with its type and bytes', async () => {
    const { url, received } = await receiver(status(204))
    const body = new Uint8Array([0, 255, 10])
    await deliverWebhook({ url, key: KEY }, { id: 'r-1', contentType: 'application/pdf', body, headers: { 'x-name': 'a.pdf' } })
    expect(received[0]!.headers).toMatchObject({ 'content-type': 'application/pdf', 'x-name': 'a.pdf', 'webhook-id': 'r-1' })
    expect(Buffer.from(body).equals(received[0]!.body)).toBe(true)
    expect(isSigned(KEY, received[0]!.headers, received[0]!.body)).toBe(true)
  })
  test('is sent again under the same id and a new time after a passing fault', async () => {
    const { url, received } = await receiver((response) => void response.destroy(), status(503), status(429), status(200))
    let clock = 1_000_000
    await deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 1, now: () => (clock += 1_000) })
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual(['msg_1', 'msg_1', 'msg_1', 'msg_1'])
    expect(received.map(({ headers }) => headers['webhook-timestamp'])).toEqual(['1001', '1002', '1003', '1004'])
    expect(received.every(({ headers, body }) => isSigned(KEY, headers, body))).toBe(true)
  })
  test.each([400, 401, 404, 410])('refused with %d is given up at once, without telling the address', async (code) => {
    const { url, received } = await receiver(status(code))
    await expect(deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 1 })).rejects.toThrow(`answered ${code}`)
    await expect(deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 1 })).rejects.not.toThrow('hunter2')
    expect(received).toHaveLength(2)
  })
  test('is given up after the last attempt', async () => {
    const { url, received } = await receiver(status(500))
    await expect(deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 1, retries: 2 })).rejects.toThrow('answered 500')
    expect(received).toHaveLength(3)
  })
  test('never follows a redirect', async () => {
    const { url, received } = await receiver((response) => status(307, { location: '/elsewhere' })(response))
    await expect(deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 1 })).rejects.toThrow('redirects are not followed')
    expect(received).toHaveLength(1)
  })
  test('that is not answered in time counts as a passing fault', async () => {
    const { url, received } = await receiver(() => undefined, status(200))
    await deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 1, timeoutMs: 100 })
    expect(received).toHaveLength(2)
  })
  test('stops when it is told to', async () => {
    const { url } = await receiver(status(500))
    const stop = new AbortController()
    const sent = deliverWebhook({ url, key: KEY }, MESSAGE, { pauseMs: 60_000, signal: stop.signal })
    setTimeout(() => stop.abort(new Error('stopped')), 50)
    await expect(sent).rejects.toThrow('stopped')
  })
  test('that is nowhere says so', async () => {
    await expect(deliverWebhook({ url: 'http://127.0.0.1:1/', key: KEY }, MESSAGE, { pauseMs: 1, retries: 1 })).rejects.toThrow('127.0.0.1:1 cannot be reached')
  })
})

test.each([
  ['https://example.com/hook?x=1', null],
  ['http://localhost:9000/', null],
  ['http://[::1]:9000/', null],
  ['http://example.com/', 'https'],
  ['http://127.0.0.1.example.com/', 'https'],
  ['https://user:pw@example.com/', 'password'],
  ['ftp://example.com/', 'https'],
  ['nonsense', 'no address'],
])('%s is an address for webhooks: %o', (url, fault) => {
  if (fault === null) expect(webhookUrlFault(url)).toBeNull()
  else expect(webhookUrlFault(url)).toContain(fault)
})
