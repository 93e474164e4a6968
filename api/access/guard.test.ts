import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { listen } from '../listen.ts'
import type { Listening } from '../listen.ts'
import { allowedOrigins, knownHostsOnly, securityHeaders } from './guard.ts'

let server: Listening | undefined
afterEach(() => server?.close())

async function serve(options: {
  readonly hosts?: readonly string[]
  readonly origins?: readonly string[]
  readonly tls?: boolean
  readonly asks?: readonly string[]
}): Promise<void> {
  const app = express()
  app.use(
    securityHeaders({ tls: options.tls ?? false, asks: options.asks ?? [] }),
    knownHostsOnly(options.hosts ?? []),
    ...allowedOrigins(options.origins ?? []),
  )
  app.use((_request, response) => response.json({}))
  server = await listen(app, { host: '127.0.0.1', port: 0 })
}

/** `fetch` writes the Host header itself, so this does not use it. */
async function ask(host: string, path = '/v1/agents'): Promise<number | undefined> {
  const asked = request(`${server!.url}${path}`, { headers: { host } })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

describe('the server answers', () => {
  test('to loopback names and to those of the list, in any case and with any port', async () => {
    await serve({ hosts: ['trailjoin.example.com', '[2001:db8::1]'] })
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:8417', '[::1]:8417', 'trailjoin.example.com', 'Trailjoin.Example.COM:443', '[2001:db8::1]:80'])
      expect(await ask(host), host).toBe(200)
  })

  test('to no other name', async () => {
    await serve({ hosts: ['trailjoin.example.com'] })
    for (const host of [
      'evil.example',
      'trailjoin.example.com.evil.example',
      'xtrailjoin.example.com',
      'localhost.evil.example',
      'localhost:x',
      '127.0.0.1@evil.example',
    ])
      expect(await ask(host), host).toBe(421)
  })

  test('to probes by whatever address', async () => {
    await serve({})
    expect(await ask('10.1.2.3:8417', '/healthz')).toBe(200)
    expect(await ask('10.1.2.3:8417', '/readyz')).toBe(200)
    expect(await ask('10.1.2.3:8417', '/metrics')).toBe(421)
  })
})

describe('pages of other origins', () => {
  const from = (origin: string, method = 'GET') =>
    fetch(`${server!.url}/v1/agents`, {
      method,
      headers: { origin, ...(method === 'OPTIONS' ? { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' } : {}) },
    })

  test('get no leave to read unless they are on the list', async () => {
    await serve({})
    expect((await from('https://soc.example')).headers.get('access-control-allow-origin')).toBeNull()
    await server!.close()
    await serve({ origins: ['https://soc.example'] })
    expect((await from('https://soc.example')).headers.get('access-control-allow-origin')).toBe('https://soc.example')
    for (const origin of ['https://evil.example', 'http://soc.example', 'https://soc.example:444', 'null'])
      expect((await from(origin)).headers.get('access-control-allow-origin'), origin).toBeNull()
  })

  test('may ask beforehand, and get no cookies sent along', async () => {
    await serve({ origins: ['https://soc.example'] })
    const response = await from('https://soc.example', 'OPTIONS')
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toContain('authorization')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })
})

test('browsers are told to stay with https only where there is https', async () => {
  await serve({})
  const plain = (await fetch(server!.url)).headers
  expect(plain.get('strict-transport-security')).toBeNull()
  expect(plain.get('x-content-type-options')).toBe('nosniff')
  expect(plain.get('content-security-policy')).toContain("frame-ancestors 'none'")
  await server!.close()
  await serve({ tls: true })
  expect((await fetch(server!.url)).headers.get('strict-transport-security')).toBe('max-age=31536000')
})

test('the page may ask this server and nobody else, but for the issuers where people sign in', async () => {
  await serve({})
  const policy = async (): Promise<string> => (await fetch(server!.url)).headers.get('content-security-policy') ?? ''
  expect(await policy()).toContain("default-src 'self'")
  expect(await policy()).not.toContain('connect-src')
  await server!.close()
  await serve({ asks: ['https://login.example'] })
  expect((await policy()).split(';')).toContain("connect-src 'self' https://login.example")
})
