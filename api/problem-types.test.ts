import express from 'express'
import { expect, test } from 'vitest'
import { listen } from './listen.ts'
import { explainProblem, PROBLEM_TYPES, problemType } from './problem-types.ts'
import { ProblemError, problemHandler } from './problem.ts'

test('every kind explains itself under the name that its type has', () => {
  for (const [name, { status, title }] of Object.entries(PROBLEM_TYPES)) {
    expect(problemType(status, name === 'invalid-parameter')).toEqual({ type: `/problems/${name}`, title })
    expect(explainProblem(name)).toContain(title)
  }
  for (const name of ['', 'nothing', 'constructor', '__proto__', 'toString']) expect(explainProblem(name)).toBeNull()
})

test('what went wrong inside is logged, and told to nobody', async () => {
  const logged: unknown[] = []
  const log = { info: () => undefined, error: (fields: Readonly<Record<string, unknown>>) => void logged.push(fields['err']) }
  const app = express()
  app.get('/fault', () => {
    throw new Error('password hunter2 of table x')
  })
  app.get('/late', () => {
    throw Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' })
  })
  app.get('/wrong', () => {
    throw new ProblemError(400, 'from is later than to', [{ field: 'from', message: 'is later than "to"' }])
  })
  app.post('/body', express.json({ limit: '1kb' }))
  app.use(problemHandler(log))
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${server.url}${path}`, init)
    return { status: response.status, retry: response.headers.get('retry-after'), text: await response.text() }
  }
  try {
    const fault = await ask('/fault')
    expect(fault.status).toBe(500)
    expect(fault.text).not.toMatch(/hunter2|table|\bat /)
    expect(logged).toHaveLength(1)
    expect(await ask('/late')).toMatchObject({ status: 503, retry: '5' })
    expect(JSON.parse((await ask('/wrong')).text)).toMatchObject({ type: '/problems/invalid-parameter', errors: [{ field: 'from' }] })
    const headers = { 'content-type': 'application/json' }
    expect(await ask('/body', { method: 'POST', headers, body: `"${'x'.repeat(2000)}"` })).toMatchObject({ status: 413 })
    expect(JSON.parse((await ask('/body', { method: 'POST', headers, body: '{broken' })).text)).toMatchObject({ status: 400, type: '/problems/bad-request' })
    expect((await ask('/%E0%A4%A')).status).toBeLessThan(500)
  } finally {
    await server.close()
  }
})
