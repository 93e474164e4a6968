import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problemHandler } from '../problem.ts'
import { MAX_BYTES, readBody } from './body.ts'

const LONGEST_MS = 400
let server: Server
const late = Promise.withResolvers<unknown>()
beforeAll(async () => {
  const app = express()
  app.post('/', (request, response, next) => {
    void (async () => {
      try {
        response.json({ bytes: (await readBody(request, response, LONGEST_MS)).length })
      } catch (error) {
        next(error)
      }
    })()
  })
  app.post('/gone', (request, response) => {
    void (async () => {
      request.destroy()
      await once(request, 'close')
      late.resolve(await readBody(request, response, LONGEST_MS).catch((error: unknown) => error))
    })()
  })
  app.use(problemHandler({ info: () => undefined, error: () => undefined }))
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void server.close())

interface Answered {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly connection: string | undefined
  readonly body: Record<string, unknown>
}

/** Sends the parts with pauses between them, and goes on until it is answered. */
async function send(parts: readonly Buffer[], { pauseMs = 0, gzip = false, end = true } = {}): Promise<Answered> {
  const { port } = server.address() as AddressInfo
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false, headers: gzip ? { 'content-encoding': 'gzip' } : {} })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request.on('response', resolve).on('error', reject)
  request.flushHeaders()
  let answered = false
  void promise.then(() => (answered = true)).catch(() => (answered = true))
  for (const part of parts) {
    if (answered) break
    request.write(part)
    await sleep(pauseMs)
  }
  if (end) request.end()
  const response = await promise
  let text = ''
  for await (const chunk of response) text += String(chunk)
  request.destroy()
  const { 'content-type': type, connection } = response.headers
  return { status: response.statusCode, type, connection, body: JSON.parse(text) as Record<string, unknown> }
}

const drops = (count: number): Buffer[] => Array.from({ length: count }, () => Buffer.from('{}\n'))

describe('a body', () => {
  test('that comes in parts, as text or as gzip, is read whole', async () => {
    expect(await send(drops(5), { pauseMs: 10 })).toMatchObject({ status: 200, body: { bytes: 15 } })
    const zipped = gzipSync(Buffer.concat(drops(5)))
    expect(await send([zipped.subarray(0, 10), zipped.subarray(10)], { pauseMs: 10, gzip: true })).toMatchObject({ status: 200, body: { bytes: 15 } })
  })

  test.each([
    ['drop by drop', () => send(drops(100), { pauseMs: 50 })],
    [
      'drop by drop as gzip',
      () =>
        send(
          [...gzipSync(Buffer.concat(drops(100)))].map((byte) => Buffer.from([byte])),
          { pauseMs: 50, gzip: true },
        ),
    ],
    ['not at all after its beginning', () => send(drops(1), { end: false })],
    ['not at all', () => send([], { end: false })],
  ])('that comes %s is given up in time, with a problem that says so', async (_how, sent) => {
    const started = performance.now()
    const { status, type, connection, body } = await sent()
    expect({ status, type, connection }).toEqual({ status: 408, type: 'application/problem+json; charset=utf-8', connection: 'close' })
    expect(body).toMatchObject({ type: '/problems/too-slow', status: 408 })
    expect(performance.now() - started).toBeLessThan(LONGEST_MS + 4000)
  })

  test('that is too large is refused as such also where no length was announced', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, '{}\n')
    const parts = Array.from({ length: MAX_BYTES / mebibyte.length + 1 }, () => mebibyte)
    expect(await send(parts, { pauseMs: 5, end: false })).toMatchObject({ status: 413, connection: 'close' })
  })

  test('that is damaged gzip is refused as such', async () => {
    expect(await send([Buffer.from('no gzip'), ...drops(3)], { pauseMs: 5, gzip: true })).toMatchObject({ status: 400 })
  })
  test('whose sender has gone before anybody listens is given up at once, not when its time is over', async () => {
    const { port } = server.address() as AddressInfo
    const request = httpRequest({ port, host: '127.0.0.1', path: '/gone', method: 'POST', agent: false }).on('error', () => undefined)
    request.write('{}\n')
    // 408 would be the end of its time.
    expect(await late.promise).toMatchObject({ status: 400, message: 'The body was cut off.' })
  })
})
