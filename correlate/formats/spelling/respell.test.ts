import { describe, expect, test } from 'vitest'
import { respell } from './respell.ts'
import { vocabulary } from './vocabulary.ts'

const words = vocabulary(
  [
    'eventName',
    'identity!.arn',
    'identity.userName',
    'identity.issuer.arn',
    'resources[].ARN',
    'resources[].type',
    'kinds[]',
    'free{}',
    'level$',
    'payload.request{}',
    'payload.labels.project_id',
  ],
  {
    columns: { payload_row: 'payload', 'payload.inner': 'payload', 'payload.requestJson': 'payload.request', ActorArn: 'identity.arn' },
    spread: ['AdditionalProperties'],
  },
)
const read = (value: unknown) => respell(value as never, words)
const value = (record: unknown) => read(record).value

describe('names', () => {
  test('of the vocabulary cost nothing: the record comes back itself', () => {
    const record = { eventName: 'x', identity: { arn: 'a' }, resources: [{ ARN: 'r' }], other: { Anything: 1 } }
    expect(read(record)).toEqual({ value: record, changed: false, unreadable: [] })
    expect(value(record)).toBe(record)
  })

  test('mean what they mean at their depth', () => {
    expect(value({ IDENTITY: { ARN: 'a', issuer: { Arn: 'i' } }, Resources: [{ arn: 'r' }] })).toEqual({
      identity: { arn: 'a', issuer: { arn: 'i' } },
      resources: [{ ARN: 'r' }],
    })
  })

  test('run together, dotted or underscored lead to their depth', () => {
    const whole = { identity: { arn: 'a', issuer: { arn: 'i' } } }
    expect(value({ identityArn: 'a', IdentityIssuerArn: 'i' })).toEqual(whole)
    expect(value({ 'identity.arn': 'a', 'identity.issuer.arn': 'i' })).toEqual(whole)
    expect(value({ identity_arn: 'a', identity: { issuer: { arn: 'i' } } })).toEqual(whole)
    expect(value({ ActorArn: 'a' })).toEqual({ identity: { arn: 'a' } })
  })

  test('give way to the right name beside them, unless that one is null', () => {
    expect(value({ eventname: 'foreign', eventName: 'own' })).toEqual({ eventname: 'foreign', eventName: 'own' })
    expect(value({ eventname: 'foreign', eventName: null })).toEqual({ eventName: 'foreign' })
    expect(value({ identityArn: 'foreign', identity: { arn: 'own' } })).toEqual({ identity: { arn: 'own' } })
  })

  test('nobody knows are left with all that is below them', () => {
    expect(value({ EventName: 'x', Vendor: { EventName: 'y' }, free: { EventName: 'z' } })).toEqual({
      eventName: 'x',
      Vendor: { EventName: 'y' },
      free: { EventName: 'z' },
    })
  })

  test('of other columns go where they belong, also the members of an object that an exporter put between', () => {
    expect(value({ payload_row: { inner: { labels: { projectId: 'p' } }, requestJson: '{"a":1}' } })).toEqual({
      payload: { labels: { project_id: 'p' }, request: { a: 1 } },
    })
    expect(value({ eventName: 'x', AdditionalProperties: { identity: { Arn: 'a' }, eventName: 'y' } })).toEqual({ eventName: 'x', identity: { arn: 'a' } })
  })

  test('like those of a prototype are names', () => {
    const record = JSON.parse('{"EventName":"x","__proto__":{"a":1},"constructor":1}') as object
    expect(Object.entries(value(record))).toEqual([
      ['__proto__', { a: 1 }],
      ['constructor', 1],
      ['eventName', 'x'],
    ])
    expect(({} as { a?: number }).a).toBeUndefined()
  })
})

describe('cells', () => {
  const identity = { arn: 'a', userName: 'u' }
  test.each([
    ['JSON', JSON.stringify(identity)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(identity))],
    ['JSON in JSON in JSON', JSON.stringify(JSON.stringify(JSON.stringify(identity)))],
    ['JSON whose outer quotes are lost', JSON.stringify(JSON.stringify(identity)).slice(1, -1)],
    ['JSON with the doubled quotes of CSV', JSON.stringify(identity).replaceAll('"', '""')],
    ['JSON in another spelling', '{"Arn":"a","user_name":"u"}'],
    ['a struct of Athena', '{arn=a, username=u}'],
    ['a cut object of PowerShell', '@{Arn=a; UserName=u}'],
    ['a dict of Python', "{'arn': 'a', 'userName': 'u'}"],
  ])('of %s are read', (_, text) => {
    const result = read({ identity: text })
    expect(result).toEqual({ value: { identity }, changed: true, unreadable: [] })
  })

  test('nested in structs, with lists and with nothing', () => {
    expect(value({ identity: '{arn=null, issuer={arn=i}}' })).toEqual({ identity: { arn: null, issuer: { arn: 'i' } } })
    expect(value({ resources: '[{arn=r, type=null}, {arn=s, type=t}]' })).toEqual({
      resources: [
        { ARN: 'r', type: null },
        { ARN: 's', type: 't' },
      ],
    })
    expect(value({ identity: `{'arn': 'it\\'s "a"', 'userName': None}` })).toEqual({ identity: { arn: `it's "a"`, userName: null } })
  })

  test.each([
    'something else',
    '{"arn":',
    // Two members, or one whose value holds a comma? Nobody can tell.
    '{arn=a, b, userName=u}',
    '{arn=a, stranger=b}',
    '{arn=a, arn=b}',
    'Microsoft.Graph.PowerShell.Models.MicrosoftGraphIdentity',
    7,
    false,
  ])('that cannot be told apart are named, never guessed: %s', (written) => {
    expect(read({ identity: written }).unreadable).toEqual([{ path: 'identity', value: written, fatal: true }])
  })

  test('cut off by an exporter are fatal wherever they stand; others only where the record is half read without them', () => {
    expect(read({ resources: 'gibberish' }).unreadable).toEqual([{ path: 'resources', value: 'gibberish', fatal: false }])
    expect(read({ resources: 'System.Object[]' }).unreadable).toEqual([{ path: 'resources', value: 'System.Object[]', fatal: true }])
    expect(read({ resources: ['System.Collections.Hashtable'] }).unreadable).toEqual([
      { path: 'resources[]', value: 'System.Collections.Hashtable', fatal: true },
    ])
    expect(read({ free: 'text' }).unreadable).toEqual([])
    expect(read({ level: 2 }).unreadable).toEqual([{ path: 'level', value: 2, fatal: false }])
  })

  test('that are empty are nothing', () => {
    for (const nothing of ['', 'null', '<null>', null]) expect(read({ identity: nothing })).toMatchObject({ changed: false, unreadable: [] })
  })
})

test('one object in a list is that object; several are none', () => {
  expect(value({ identity: [{ Arn: 'a' }] })).toEqual({ identity: { arn: 'a' } })
  expect(read({ identity: [{ arn: 'a' }, { arn: 'b' }] }).unreadable).toMatchObject([{ path: 'identity', fatal: true }])
})

test('lists that PowerShell wrote as one item, as an object with a count, or as one text', () => {
  const list = { resources: [{ ARN: 'r' }] }
  expect(value({ resources: { ARN: 'r' } })).toEqual(list)
  expect(value({ resources: { value: [{ ARN: 'r' }], Count: 1 } })).toEqual(list)
  expect(value({ kinds: 'managedIdentity' })).toEqual({ kinds: ['managedIdentity'] })
})
