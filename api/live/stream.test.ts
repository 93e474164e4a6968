import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import express from 'express'
import { expect, test } from 'vitest'
import { openEventStream } from './stream.ts'

test('a client that takes nothing is given up, and until then only one message waits for it', { timeout: 20_000 }, async () => {
  const sent = { messages: 0 }
  const { promise: finished, resolve: finish } = Promise.withResolvers<undefined>()
  const app = express()
  app.get('/', async (_request, response) => {
    const events = openEventStream(response, 300)
    while (!events.signal.aborted) {
      await events.send({ event: 'item', data: 'x'.repeat(256 * 1024) })
      sent.messages++
    }
    finish(undefined)
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(client, 'readable')
  // Nothing is read from here on: the kernel's buffers fill, then the server's own.
  await finished
  expect(sent.messages).toBeLessThan(200)
  // The end cannot reach whoever does not read: the connection goes all the same.
  await expect.poll(() => promisify(server.getConnections.bind(server))(), { timeout: 5000 }).toBe(0)
  client.destroy()
  server.close()
  await once(server, 'close')
})

test('a client that reads slowly gets everything in order', { timeout: 20_000 }, async () => {
  const app = express()
  app.get('/', async (_request, response) => {
    const events = openEventStream(response, 5000)
    for (let n = 0; n < 40; n++) await events.send({ event: 'item', id: String(n), data: 'y'.repeat(200 * 1024) })
    events.end('shutdown')
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect([...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]))).toEqual(Array.from({ length: 40 }, (_, n) => n))
  expect(text.endsWith('event: end\ndata: {"reason":"shutdown"}\n\n')).toBe(true)
  server.close()
})
