import { describe, expect, test } from 'vitest'
import { parseApiLogs, readApiLogs } from './api-logs-section.ts'

const parse = (text: string) => parseApiLogs(text, 'trailjoin.yaml')

test('a log says by which members its lines are known, and where their fields stand', () => {
  const text = `
apiLogs:
  - name: weather
    when: { logger: access, version: 2, token: true }
    fields: { time: at, oid: who.object, requestId: ctx.rid }
    timeForm: epoch-seconds
    zone: "+01:00"
    api: weather
    tenantId: 5D0F7C1A-0B2E-4C3D-9E4F-AA11BB22CC33
`
  expect(parse(text)).toEqual([
    {
      name: 'weather',
      when: { logger: 'access', version: 2, token: true },
      fields: { time: 'at', oid: 'who.object', requestId: 'ctx.rid' },
      timeForm: 'epoch-seconds',
      zone: '+01:00',
      api: 'weather',
      tenantId: '5d0f7c1a-0b2e-4c3d-9e4f-aa11bb22cc33',
    },
  ])
})

test('a file that was named must be there', async () => {
  await expect(readApiLogs('/nowhere/trailjoin.yaml')).rejects.toThrow('/nowhere/trailjoin.yaml does not exist')
})

test.each(['', 'sources: []', 'apiLogs:'])('%j describes no log', (text) => expect(parse(text)).toEqual([]))

describe('is refused with file, line and reason:', () => {
  test.each([
    ['apiLogs:\n  - name: a\n    when: { x: y }\n    fields: { time: t }', 'trailjoin.yaml:4: apiLogs[0].fields must say where the caller stands'],
    ['apiLogs:\n  - name: a\n    when: { x: y }\n    fields: { oid: o }', 'trailjoin.yaml:4: apiLogs[0].fields must say where the time stands'],
    ['apiLogs:\n  - name: a\n    when: {}\n    fields: { time: t, oid: o }', 'trailjoin.yaml:3: apiLogs[0].when must name at least one member'],
    [
      'apiLogs:\n  - name: a\n    when: { x: y }\n    fields: { time: t, oid: o }\n    timeForm: unix',
      'trailjoin.yaml:5: apiLogs[0].timeForm must be one of iso',
    ],
    ['apiLogs:\n  - name: a\n    when: { x: y }\n    fields: { time: t, oid: o }\n    zone: CET', 'trailjoin.yaml:5: apiLogs[0].zone must be Z or an offset'],
    ['apiLogs:\n  - name: a\n    when: { x: y }\n    fields: { time: t, oid: o, user: u }', 'apiLogs[0].fields.user'],
    ['apiLogs:\n  - name: a\n    when: { x: y }\n    fields: { time: t, oid: o }\n    colour: red', 'trailjoin.yaml:5: apiLogs[0].colour is not known here'],
    [
      'apiLogs:\n  - { name: a, when: { x: y }, fields: { time: t, oid: o } }\n  - { name: a, when: { x: z }, fields: { time: t, oid: o } }',
      'trailjoin.yaml:3: apiLogs[1].name "a" is the name of another apiLog',
    ],
    ['apiLogs: { name: a }', 'trailjoin.yaml:1: apiLogs is no list'],
  ])('%j', (text, message) => expect(() => parse(text)).toThrow(message))
})
