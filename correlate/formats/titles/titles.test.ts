import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { checkGolden, goldens } from '../golden.ts'
import { readEvent, readRecord } from '../reading.ts'
import { fromTitles } from './index.ts'
import { tableTime } from './time.ts'

describe('rows of tables as events', () => {
  test.each(goldens(join(import.meta.dirname, 'examples')))('$name', (golden) => {
    const read = readEvent(golden.value, golden.context)
    checkGolden('reading' in read ? read.reading.format : readRecord(golden.value)!.format, golden)
  })
})

describe('a time of a table is read where it names one instant', () => {
  test.each([
    ['11/10/2026, 10:00:00.000 AM', '2026-11-10T10:00:00.000Z'],
    ['11/10/2026, 12:30:00 AM', '2026-11-10T00:30:00Z'],
    ['11/10/2026, 12:30:00\u202FPM', '2026-11-10T12:30:00Z'],
    ['13/11/2026 10:00', '2026-11-13T10:00:00Z'],
    ['11/13/2026 1:00:00 PM', '2026-11-13T13:00:00Z'],
    ['13.11.2026, 10:00:00,5', '2026-11-13T10:00:00.5Z'],
    ['5/5/2026 10:00:00 am', '2026-05-05T10:00:00Z'],
    ['November 10, 2026, 10:00:00 (UTC+01:00)', '2026-11-10T10:00:00+01:00'],
    ['Nov 10, 2026 10:00:00 AM', '2026-11-10T10:00:00Z'],
  ])('%s', (written, time) => expect(tableTime(written)).toBe(time))

  test.each([
    '11/10/2026 10:00:00',
    '11/10/2026, 10:00:00 am',
    '10.11.2026, 10:00',
    '11/10/2026, 13:00:00 PM',
    '11/13/26 10:00',
    'Nov, 2026',
    '2026-11-10T10:00:00Z',
    '',
  ])('%j stays as it is, to be read or refused by its value', (written) => expect(tableTime(written)).toBe(written))
})

describe('an audit of the admin center', () => {
  const row = (more: JsonObject): JsonObject => ({ 'Date (UTC)': '2026-11-10T10:00:00Z', Activity: 'Update application', Result: 'success', ...more })
  const told = (more: JsonObject): JsonObject => (fromTitles(row(more)) as { value: JsonObject }).value

  test('has the changes of each target by their number, in order, and no target without a cell', () => {
    const value = told({
      Target2ObjectId: 'two',
      Target1ModifiedProperty10Name: 'ten',
      Target1ModifiedProperty2Name: 'two',
      Target1ModifiedProperty2NewValue: '["x"]',
      Target1Type: 'Application',
      Target3Type: '',
      AdditionalDetail1Key: '',
    })
    expect(value['targetResources']).toEqual([
      {
        id: null,
        displayName: null,
        type: 'Application',
        userPrincipalName: null,
        modifiedProperties: [
          { displayName: 'two', oldValue: null, newValue: '["x"]' },
          { displayName: 'ten', oldValue: null, newValue: null },
        ],
      },
      { id: 'two', displayName: null, type: null, userPrincipalName: null, modifiedProperties: [] },
    ])
    expect(value['additionalDetails']).toEqual([])
  })

  test('was made by an application where only an application is named, by a user where a user is', () => {
    expect(told({ ActorServicePrincipalId: 's', ActorDisplayName: 'App' })['initiatedBy']).toEqual({
      user: null,
      app: { servicePrincipalId: 's', displayName: 'App', appId: null },
    })
    expect(told({ ActorObjectId: 'o', ActorUserPrincipalName: 'u@example.com', IPAddress: '203.0.113.7' })['initiatedBy']).toEqual({
      user: { id: 'o', userPrincipalName: 'u@example.com', ipAddress: '203.0.113.7' },
      app: null,
    })
  })
})

test('a row of the event history names neither account, caller nor model, for it does not know them', () => {
  const told = fromTitles({
    'Event name': 'Converse',
    'Event source': 'bedrock.amazonaws.com',
    'User name': 'weather-1',
    'AWS access key': 'ASIA',
    'Error code': '',
    Odd: 'x',
  })
  expect(told).toEqual({
    value: { eventName: 'Converse', eventSource: 'bedrock.amazonaws.com', userIdentity: { accessKeyId: 'ASIA' }, eventTime: undefined },
    left: ['odd'],
  })
})

test('columns that nobody knows are told as not understood', () => {
  const read = readEvent(
    { 'Event name': 'Converse', 'Event source': 'bedrock.amazonaws.com', 'User name': 'x', 'Event time': '2026-11-10T10:00:00Z', Odd: 'x' },
    {},
  )
  expect('reading' in read && read.reading.left).toEqual(['odd'])
})

test.each<JsonObject>([{ a: 1 }, { eventName: 'x', eventSource: 'y' }, { 'Date (UTC)': '2026-11-10T10:00:00Z' }, {}])('%j is no row of these', (value) =>
  expect(fromTitles(value)).toBeNull(),
)

test('a notification of S3 is no record of CloudTrail, though it has members of the same names', () => {
  const notification = { eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'us-east-1', eventTime: '2026-11-10T10:00:00Z', eventName: 'ObjectCreated:Put' }
  expect(readRecord(notification)?.name).not.toBe('cloudtrail')
})
