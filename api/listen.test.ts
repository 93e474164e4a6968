import { once } from 'node:events'
import { connect } from 'node:net'
import express from 'express'
import { describe, expect, test } from 'vitest'
import { listen } from './listen.ts'

test.each(['0.0.0.0', '192.0.2.1', '::', 'trailjoin.example'])('listening on %s is refused with the reason', async (host) => {
  await expect(listen(express(), { host, port: 0 })).rejects.toThrow('a local token is not enough')
})

test('a port that is taken gives a message that says what to do', async () => {
  const first = await listen(express(), { host: '127.0.0.1', port: 0 })
  await expect(listen(express(), { host: '127.0.0.1', port: Number(new URL(first.url).port) })).rejects.toThrow('--port')
  await first.close()
})

test('with identities the network may reach it', async () => {
  const server = await listen(express(), { host: '0.0.0.0', port: 0, identities: true })
  expect(server.url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/)
  await server.close()
})

test.each(['127.0.0.2', '::1', 'localhost'])('%s is this machine', async (host) => {
  const server = await listen(express(), { host, port: 0 }).catch((error: unknown) => {
    // A machine without IPv6, or with one loopback address only.
    if (error instanceof Error && error.message.includes('no address of this machine')) return null
    throw error
  })
  await server?.close()
})

describe('a client is cut off', () => {
  const times = { headersTimeout: 200, timeout: 400, connectionsCheckingInterval: 50 }

  /** What comes until the server ends the connection. */
  async function talk(url: string, text: string): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(text)
    let answer = ''
    socket.on('data', (data) => (answer += data.toString()))
    await once(socket, 'close')
    return answer
  }

  test('that does not finish its headers', async () => {
    const server = await listen(express(), { host: '127.0.0.1', port: 0, times })
    expect(await talk(server.url, 'GET / HTTP/1.1\r\nHost: localhost\r\nX: ')).toContain(' 408 ')
    await server.close()
  })

  test('that neither sends nor takes anything', async () => {
    const app = express().use((_request, response) => void response.write('x'))
    const server = await listen(app, { host: '127.0.0.1', port: 0, times })
    expect(await talk(server.url, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).toContain(' 200 ')
    await server.close()
  })
})
