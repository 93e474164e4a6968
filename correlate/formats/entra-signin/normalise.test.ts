import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { eventOf, sample } from '../entra/fixtures.ts'

const AGENT = 'a0a0a0a0-1111-4222-8333-444444444444'
const BLUEPRINT = 'b0b0b0b0-1111-4222-8333-444444444444'
const USER = '99999999-1111-4222-8333-444444444444'
const OTHER = 'c0c0c0c0-1111-4222-8333-444444444444'

const base = {
  id: '00000001-5a5a-4b4b-8c8c-0d0d0d0d0100',
  createdDateTime: '2026-05-02T10:00:00Z',
  status: { errorCode: 0 },
}
const service = (fields: JsonObject): JsonObject => ({
  ...base,
  appId: AGENT,
  servicePrincipalId: OTHER,
  signInEventTypes: ['servicePrincipal'],
  ...fields,
})
const user = (fields: JsonObject): JsonObject => ({
  ...base,
  appId: AGENT,
  userId: USER,
  userPrincipalName: 'ada@example.com',
  signInEventTypes: ['nonInteractiveUser'],
  ...fields,
})

describe('kind of principal', () => {
  test.each([
    ['agenticAppInstance', 'agent'],
    ['AgentIdentity', 'agent'],
    ['AGENTICAPPINSTANCE', 'agent'],
    ['agentIdentityBlueprintPrincipal', 'blueprint'],
    ['agenticApp', 'blueprint'],
    ['notAgentic', 'service-principal'],
    ['unknownFutureValue', 'service-principal'],
    ['constructor', 'service-principal'],
    ['', 'service-principal'],
  ])('agentType %j makes it %s', (agentType, kind) => {
    const event = eventOf(service({ agent: { agentType, parentAppId: BLUEPRINT } }))
    expect(event.proof).toEqual({ by: 'principal', oid: OTHER, appId: AGENT, kind })
    expect(event.directory).toMatchObject([{ type: 'seen', oid: OTHER, kind, blueprintAppId: kind === 'agent' ? BLUEPRINT : null }])
  })

  test('a managed identity is known by its log, its msiType or its credential', () => {
    const rows = [
      { signInEventTypes: ['managedIdentity'] },
      { signInEventTypes: [], managedServiceIdentity: { msiType: 'systemAssigned' } },
      { signInEventTypes: [], clientCredentialType: 'managedIdentity' },
    ]
    for (const fields of rows) {
      const event = eventOf(service(fields))
      expect(event.action).toBe('entra:ManagedIdentitySignIn')
      expect(event.proof).toMatchObject({ kind: 'managed-identity' })
    }
  })

  test('a row without a principal proves nothing', () => {
    expect(eventOf(service({ servicePrincipalId: '' })).proof).toEqual({ by: 'nothing' })
    expect(eventOf(service({ servicePrincipalId: '00000000-0000-0000-0000-000000000000' })).proof).toEqual({ by: 'nothing' })
    expect(eventOf(service({ servicePrincipalId: 'sp-1' })).directory).toEqual([])
  })
})

describe('a user row', () => {
  test('with an agent proves the agent behind AppId, acting for the user', () => {
    const event = eventOf(user({ agent: { agentType: 'agenticAppInstance', parentAppId: BLUEPRINT } }))
    expect(event).toMatchObject({
      action: 'entra:NonInteractiveUserSignIn',
      proof: { by: 'application', appId: AGENT },
      onBehalfOf: USER,
      directory: [],
    })
  })

  test('with an agent and its service principal proves that principal', () => {
    const event = eventOf(
      user({
        servicePrincipalId: OTHER,
        agent: { agentType: 'agentidentity', parentAppId: BLUEPRINT },
      }),
    )
    expect(event).toMatchObject({
      proof: { by: 'principal', oid: OTHER, kind: 'agent' },
      onBehalfOf: USER,
    })
    expect(event.directory).toMatchObject([{ oid: OTHER, kind: 'agent', blueprintAppId: BLUEPRINT }])
  })

  test("of the agent's own user account proves the agent, acting as that user", () => {
    const event = eventOf(user({ agent: { agentType: 'notAgentic', agentSubjectType: 'agentIDuser' } }))
    expect(event).toMatchObject({ proof: { by: 'application', appId: AGENT }, onBehalfOf: USER })
  })

  test('without an agent proves the user and keeps its client for others to know', () => {
    for (const fields of [{}, { agent: null }, { agent: '' }, { agent: { agentType: 'notAgentic' } }, { agent: { agentType: 'agenticApp' } }]) {
      expect(eventOf(user(fields))).toMatchObject({
        proof: { by: 'principal', oid: USER, appId: AGENT, kind: 'user' },
        onBehalfOf: null,
        directory: [],
      })
    }
  })

  test('with empty service principal columns (msticpy) proves the user', () => {
    const event = eventOf(sample('msticpy-signinlogs.first30.ndjson')[0]!)
    expect(event).toMatchObject({
      action: 'entra:SignIn',
      proof: { by: 'principal', oid: 'bdb72692-2275-412b-8af0-ea21c2ebd174', kind: 'user' },
      tenantId: '4b2462a4-bbee-495a-a0e1-f23ae524cc9c',
    })
  })
})

describe('outcome', () => {
  const diagnostic = (fields: JsonObject, status: JsonObject | null): JsonObject => ({
    time: '2026-05-02T10:01:00Z',
    category: 'ServicePrincipalSignInLogs',
    ...fields,
    properties: service(status === null ? { status: null } : { status }),
  })

  test.each([
    [{ resultType: '0' }, null, null],
    [{ resultType: 0 }, null, null],
    [{ resultType: 'Success' }, null, null],
    [{ resultType: '' }, { errorCode: 0 }, null],
    [{ resulttype: 7000215 }, null, '7000215'],
    [{ resultType: '7000215' }, { errorCode: 7000215 }, '7000215'],
    [{ resultType: 'Failure' }, { errorCode: 50126 }, '50126'],
    [{ resultType: 'Failure' }, null, 'Failure'],
    [{}, { errorCode: 700213 }, '700213'],
  ])('of %j with status %j has code %j', (fields, status, code) => {
    const event = eventOf(diagnostic(fields, status))
    expect(event.outcome).toBe(code === null ? 'success' : 'failure')
    expect(event.error?.code ?? null).toBe(code)
  })

  test('that is not there at all is none: the record is only half there', () => {
    expect(() => eventOf(diagnostic({}, null))).toThrow('no outcome (resultType, status.errorCode)')
    const { appId: _, servicePrincipalId: __, ...nobody } = service({})
    expect(() => eventOf({ ...diagnostic({ resultType: '0' }, null), properties: nobody })).toThrow('no principal (servicePrincipalId, userId, appId)')
  })

  test('a principal that Entra did not find is not written down as seen', () => {
    for (const errorCode of [700016, 7000229]) expect(eventOf(service({ status: { errorCode } })).directory).toEqual([])
    expect(eventOf(service({ status: { errorCode: 7000112 } })).directory).toHaveLength(1)
  })

  test('only a successful sign-in shows that a federated credential was valid', () => {
    const types = (errorCode: number): string[] => eventOf(service({ federatedCredentialId: OTHER, status: { errorCode } })).directory.map((fact) => fact.type)
    expect(types(0)).toEqual(['seen', 'fic-used'])
    expect(types(700213)).toEqual(['seen'])
  })
})
