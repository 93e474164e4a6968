import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen, type Listening } from '../listen.ts'
import { setCaller } from './caller-of.ts'
import { limitCallers, limitFailures } from './limits.ts'
import { LOCAL_CALLER } from './local-token.ts'

let server: Listening
const waiting: (() => void)[] = []

beforeAll(async () => {
  const app = express()
  app.use(...limitFailures({ perCaller: 0, perAddress: 0, failuresPerAddress: 3 }))
  app.get('/good', (_request, response) => void waiting.push(() => response.send('good')))
  app.get('/bad', (_request, response) => void response.status(401).send('bad'))
  server = await listen(app, { host: '127.0.0.1', port: 0 })
})
afterAll(() => server.close())

test('good requests do not count as failures, however many are on their way at once', async () => {
  const answers = Array.from({ length: 10 }, async () => (await fetch(`${server.url}/good`)).status)
  while (waiting.length < 10) await new Promise((resolve) => setTimeout(resolve, 5))
  waiting.splice(0).forEach((answer) => answer())
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 10 }, () => 200))
})

test('an address that keeps failing is told to wait', async () => {
  const statuses: number[] = []
  for (let turn = 0; turn < 5; turn++) statuses.push((await fetch(`${server.url}/bad`)).status)
  expect(statuses).toEqual([401, 401, 401, 429, 429])
  const refused = await fetch(`${server.url}/good`)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('each caller has a limit of its own, addresses have one together, and the local token has none', async () => {
  const app = express()
  app.use((request, response, next) => {
    const id = request.headers['x-caller'] as string
    setCaller(response, id === 'local' ? LOCAL_CALLER : { id, name: null, roles: ['reader'], scope: [] })
    next()
  })
  app.use(...limitCallers({ perCaller: 3, perAddress: 5, failuresPerAddress: 0 }))
  app.get('/', (_request, response) => void response.send('good'))
  const limited = await listen(app, { host: '127.0.0.1', port: 0 })
  const ask = (caller: string) => fetch(limited.url, { headers: { 'x-caller': caller } })
  const statuses = async (caller: string, times: number) => {
    const list: number[] = []
    for (let turn = 0; turn < times; turn++) list.push((await ask(caller)).status)
    return list
  }
  try {
    expect(await statuses('ada', 4)).toEqual([200, 200, 200, 429])
    expect(await statuses('bob', 2)).toEqual([200, 429])
    expect(await statuses('local', 10)).toEqual(Array.from({ length: 10 }, () => 200))
    const refused = await ask('ada')
    expect(refused.headers.get('content-type')).toMatch('application/problem+json')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ type: '/problems/too-many-requests', status: 429 })
  } finally {
    await limited.close()
  }
})
