import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { eventOf, recognisers, sample } from './fixtures.ts'
import { rankOf } from './view.ts'

const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
const AGENT = 'a0a0a0a0-1111-4222-8333-444444444444'
const BLUEPRINT = 'b0b0b0b0-1111-4222-8333-444444444444'
const ID = '00000001-5a5a-4b4b-8c8c-0d0d0d0d0100'

const graph = {
  id: ID,
  createdDateTime: '2026-05-02T10:00:00.1234567Z',
  correlationId: '0c000001-0000-4000-8000-000000000001',
  appId: AGENT,
  servicePrincipalId: AGENT,
  servicePrincipalName: 'Weather Agent',
  resourceId: BLUEPRINT,
  status: { errorCode: 0 },
  ipAddress: '51.138.81.106',
  uniqueTokenIdentifier: 'AQAAAFpaS0uMjA0NDQ0BAA',
  agent: { agentType: 'agenticAppInstance', parentAppId: BLUEPRINT },
  signInEventTypes: ['servicePrincipal'],
}
const diagnostic = {
  time: '2026-05-02T10:00:48.1234567Z',
  resourceId: `/tenants/${TENANT}/providers/Microsoft.aadiam`,
  operationName: 'Sign-in activity',
  category: 'ServicePrincipalSignInLogs',
  tenantId: TENANT,
  resultType: '0',
  correlationId: graph.correlationId,
  properties: { ...graph, createdDateTime: '2026-05-02T10:00:00.1234567+00:00' },
}
const row = {
  Type: 'AADServicePrincipalSignInLogs',
  TenantId: '77777777-0000-4000-8000-000000000000',
  AADTenantId: TENANT,
  ResourceId: `/tenants/${TENANT}/providers/Microsoft.aadiam`,
  TimeGenerated: '2026-05-02T10:00:00.1234567Z',
  CreatedDateTime: '2026-05-02T10:00:00.1234567Z',
  Id: ID.toUpperCase(),
  CorrelationId: graph.correlationId,
  AppId: AGENT,
  ServicePrincipalId: AGENT,
  ServicePrincipalName: 'Weather Agent',
  ResourceIdentity: BLUEPRINT,
  ResultType: '0',
  IPAddress: '51.138.81.106',
  UniqueTokenIdentifier: graph.uniqueTokenIdentifier,
  Agent: JSON.stringify(graph.agent),
}

describe('one sign-in by several roads', () => {
  test('is one event, the same in every field but the tenant and the delivery', () => {
    const [one, two, three] = [graph, diagnostic, row].map((value) => ({
      ...eventOf(value),
      tenantId: null,
      deliveredNs: null,
    }))
    expect(two).toEqual(one)
    expect(three).toEqual(one)
  })

  test('is normalised from the diagnostic record before the row before Graph', () => {
    expect([diagnostic, row, graph].map((value) => rankOf(value))).toEqual([0, 1, 2])
    expect([diagnostic, row, graph].map((value) => rankOf(value, true))).toEqual([3, 4, 5])
  })
})

describe('tenant', () => {
  test('is never the Log Analytics workspace', () => {
    expect(eventOf(row).tenantId).toBe(TENANT)
    expect(eventOf({ ...row, AADTenantId: '' }).tenantId).toBe(TENANT)
    expect(eventOf({ ...row, AADTenantId: '', ResourceId: '' }).tenantId).toBeNull()
  })

  test('of a lower-cased envelope is read', () => {
    const { tenantId, resourceId, ...rest } = diagnostic
    expect(eventOf({ ...rest, tenantid: tenantId }).tenantId).toBe(TENANT)
    expect(eventOf({ ...rest, resourceid: resourceId }).tenantId).toBe(TENANT)
  })

  test('of a Graph row is its own only where the sign-in stays in one tenant, else the declared one', () => {
    const declared = '33333333-aaaa-4bbb-8ccc-222222222222'
    expect(eventOf({ ...graph, crossTenantAccessType: 'none', resourceTenantId: TENANT }, { tenantId: declared }).tenantId).toBe(TENANT)
    expect(
      eventOf(
        {
          ...graph,
          crossTenantAccessType: 'b2bCollaboration',
          homeTenantId: TENANT,
          resourceTenantId: TENANT,
        },
        { tenantId: declared },
      ).tenantId,
    ).toBe(declared)
    expect(eventOf({ ...graph, homeTenantId: TENANT, resourceTenantId: declared }).tenantId).toBeNull()
    expect(eventOf(graph, { tenantId: declared }).tenantId).toBe(declared)
    expect(eventOf(graph).tenantId).toBeNull()
  })
})

describe('time', () => {
  test('is the sign-in, and the delivery of a diagnostic record stands beside it', () => {
    const event = eventOf(diagnostic)
    expect(formatTime(event.timeNs)).toBe('2026-05-02T10:00:00.123456700Z')
    expect(formatTime(event.deliveredNs!)).toBe('2026-05-02T10:00:48.123456700Z')
  })

  test('falls back to the row, then to the delivery, and a null time of an SDK is none', () => {
    expect(formatTime(eventOf({ ...row, CreatedDateTime: '1970-01-01T00:00:00Z' }).timeNs)).toBe('2026-05-02T10:00:00.123456700Z')
    const late = eventOf({
      ...diagnostic,
      properties: { ...diagnostic.properties, createdDateTime: '' },
    })
    expect(formatTime(late.timeNs)).toBe('2026-05-02T10:00:48.123456700Z')
    expect(late.deliveredNs).toBeNull()
  })

  test('that is missing rejects the record', () => {
    const value = { ...graph, createdDateTime: null }
    expect(recognisers(value)[0]!.normalise({ value, context: {} })).toEqual({
      reject: 'no event time (createdDateTime, timeGenerated)',
    })
  })
})

describe('identity', () => {
  test('of a record without an id comes from its content, whatever the order of its keys', () => {
    const { id: _, ...rest } = graph
    const turned = Object.fromEntries(Object.entries(rest).toReversed()) as JsonObject
    expect(eventOf(turned).id).toBe(eventOf(rest).id)
    expect(eventOf(rest).nativeId).toBe(eventOf(rest).id)
    expect(eventOf({ ...rest, ipAddress: '51.138.81.107' }).id).not.toBe(eventOf(rest).id)
  })

  test('is not the token id: five sign-ins of one sample share one, and their own id', () => {
    const events = sample('panther-azure-signin.half.ndjson')
      .slice(15, 20)
      .map((value) => eventOf(value))
    expect(new Set(events.map((event) => event.tokenId)).size).toBe(1)
    expect(new Set(events.map((event) => event.id)).size).toBe(1)
    expect(eventOf({ ...graph, id: '00000002-5a5a-4b4b-8c8c-0d0d0d0d0100' }).id).not.toBe(eventOf(graph).id)
  })
})

test('records of other sources are not recognised', () => {
  const foreign: readonly JsonObject[] = [
    {
      eventVersion: '1.08',
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      eventID: 'x',
      eventTime: '2026-05-02T10:00:00Z',
    },
    {
      protoPayload: { methodName: 'x' },
      insertId: 'x',
      logName: 'x',
      timestamp: '2026-05-02T10:00:00Z',
    },
    {
      time: '2026-05-02T10:00:00Z',
      api: 'weather',
      requestId: 'x',
      oid: AGENT,
      appid: AGENT,
      uti: 'x',
    },
    { schemaType: 'ModelInvocationLog', modelId: 'x', requestId: 'x', operation: 'Converse' },
    {
      operationName: { value: 'Microsoft.Compute/x' },
      properties: { eventCategory: 'Administrative' },
      eventTimestamp: '2022-06-01T11:39:35Z',
    },
    {},
  ]
  for (const value of foreign) expect(recognisers(value)).toEqual([])
})
