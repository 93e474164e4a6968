import { expect, test } from 'vitest'
import type { Resolution } from './api-types.ts'
import { shown } from './look-up.ts'

const NOTHING: Resolution = {
  query: 'q',
  looksLike: ['IP address'],
  refused: null,
  principals: [],
  morePrincipals: 0,
  others: [],
  occurrences: [],
  notSearched: [],
}
const occurrence = (principals: Resolution['occurrences'][number]['principals'], events = 7): Resolution['occurrences'][number] => ({
  field: 'sourceIp',
  match: 'exact',
  events,
  atLeast: false,
  firstSeen: null,
  lastSeen: '2026-09-01T10:00:00.000000000Z',
  principals,
  morePrincipals: 0,
  sample: [],
})
const attributed = { tenantId: null, confidence: 'exact', events: 7 } as const

test('what it names comes before whom its events are attributed to, each oid once', () => {
  const principal = { as: 'oid', tenantId: null, oid: 'a', kind: 'agent', name: 'Weather', appId: null, firstSeen: null, lastSeen: null } as const
  const { suggestions, message } = shown({
    ...NOTHING,
    principals: [principal],
    occurrences: [
      occurrence([
        { ...attributed, subjectOid: 'u', agentOid: 'a' },
        { ...attributed, subjectOid: 'u', agentOid: null },
        { ...attributed, subjectOid: null, agentOid: null },
      ]),
    ],
  })
  expect(suggestions).toEqual([
    { oid: 'a', name: 'Weather', what: 'agent' },
    { oid: 'u', name: 'subject', what: 'of 7 events with this address' },
  ])
  expect(message).toBeNull()
})

test('that nothing is found, that nobody is proven, and that it is masked, are told', () => {
  expect(shown(NOTHING).message).toBe('No record in the store bears it. It looks like: IP address.')
  expect(shown({ ...NOTHING, occurrences: [occurrence([{ ...attributed, subjectOid: null, agentOid: null }])] }).message).toMatch('nobody is proven')
  expect(shown({ ...NOTHING, refused: 'It is masked.' }).message).toBe('It is masked.')
})

test('what was not searched is told, and counts that are no totals are "at least"', () => {
  const notSearched = ['The inside of records.']
  expect(shown({ ...NOTHING, notSearched }).message).toBe('Not found in what was searched. It looks like: IP address. Not searched: The inside of records.')
  const some = { ...occurrence([{ ...attributed, subjectOid: null, agentOid: null }]), atLeast: true }
  expect(shown({ ...NOTHING, occurrences: [some], notSearched }).message).toMatch(/^At least 7 events bear it, .* Not searched: The inside of records\.$/)
  expect(shown({ ...NOTHING, occurrences: [{ ...some, principals: [{ ...attributed, subjectOid: 'u', agentOid: null }] }] }).suggestions).toMatchObject([
    { what: 'of at least 7 events with this address' },
  ])
})
