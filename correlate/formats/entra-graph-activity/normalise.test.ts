import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { eventOf } from '../entra/fixtures.ts'

const AGENT = 'a0a0a0a0-1111-4222-8333-444444444444'
const USER = '99999999-1111-4222-8333-444444444444'
const call = (fields: JsonObject): JsonObject => ({
  Type: 'MicrosoftGraphActivityLogs',
  TimeGenerated: '2026-05-02T10:00:00Z',
  RequestId: 'r1',
  OperationId: 'o1',
  RequestMethod: 'get',
  RequestUri: 'https://graph.microsoft.com/v1.0/me?$select=mail',
  ResponseStatusCode: 200,
  AppId: AGENT,
  ...fields,
})

describe('a Graph call', () => {
  test('keeps the path and drops the query', () => {
    expect(eventOf(call({})).action).toBe('graph:GET /v1.0/me')
    expect(eventOf(call({ RequestUri: '' })).action).toBe('graph:GET /')
  })

  test('app-only proves the service principal, delegated the client for the user, else the user alone', () => {
    expect(eventOf(call({ ServicePrincipalId: AGENT }))).toMatchObject({
      proof: { by: 'principal', oid: AGENT, appId: AGENT },
      onBehalfOf: null,
    })
    expect(eventOf(call({ UserId: USER }))).toMatchObject({
      proof: { by: 'application', appId: AGENT },
      onBehalfOf: USER,
    })
    expect(eventOf(call({ UserId: USER, AppId: '' }))).toMatchObject({
      proof: { by: 'principal', oid: USER, kind: 'user' },
      onBehalfOf: null,
    })
    expect(eventOf(call({ AppId: '' })).proof).toEqual({ by: 'nothing' })
  })

  test('fails from status 400 on, with the status as the code', () => {
    expect(eventOf(call({ ResponseStatusCode: '429' }))).toMatchObject({
      outcome: 'failure',
      error: { code: '429' },
    })
    expect(eventOf(call({ ResponseStatusCode: 304 })).outcome).toBe('success')
  })

  test('is one event by either road, and two operations of one request are two', () => {
    const diagnostic = {
      time: '2026-05-02T10:00:00Z',
      category: 'MicrosoftGraphActivityLogs',
      properties: {
        requestId: 'r1',
        operationId: 'o1',
        requestMethod: 'GET',
        requestUri: 'https://graph.microsoft.com/v1.0/me',
        appId: AGENT,
      },
    }
    expect(eventOf(diagnostic).id).toBe(eventOf(call({})).id)
    expect(eventOf(call({ OperationId: 'o2' })).id).not.toBe(eventOf(call({})).id)
  })
})
