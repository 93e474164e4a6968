import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '#core/record.ts'
import { eventOf, sample } from '../entra/fixtures.ts'

const APP_OBJECT = '7247dcbe-1752-4b88-a8d3-2d092451b60e'
const APP = '5a565765-ef0c-4484-8faa-0712bb9c1000'
const UAMI = '4b9dbaf4-ba5e-4c4d-bb08-61ea58ca8025'
const NEW_UAMI = '5b9dbaf4-ba5e-4c4d-bb08-61ea58ca8025'
const SP = '186a9cc3-f43d-4cc8-9b30-af9b081a8309'

const fic = (subject: string | null, more: JsonObject = {}): JsonObject => ({
  Name: 'f',
  Issuer: 'https://login.microsoftonline.com/x/v2.0',
  Subject: subject,
  Id: 'i',
  Audiences: ['api://AzureADTokenExchange'],
  ...more,
})
const change = (activity: string, type: string, id: string, modified: readonly JsonObject[], more: JsonObject = {}, target: JsonObject = {}): JsonObject => ({
  id: 'Directory_1',
  activityDisplayName: activity,
  activityDateTime: '2026-05-02T10:00:00Z',
  result: 'success',
  targetResources: [{ id, displayName: 'Thing', type, modifiedProperties: modified, ...target }],
  ...more,
})
const ficChange = (before: Json, after: Json): JsonObject =>
  change('Update application', 'Application', APP_OBJECT, [{ displayName: 'FederatedIdentityCredentials', oldValue: before, newValue: after }])

describe('federated credentials', () => {
  test('name the subjects that were added or removed, and no unchanged one', () => {
    const event = eventOf(ficChange(JSON.stringify([fic(UAMI), fic(SP)]), JSON.stringify([fic(NEW_UAMI), fic(SP)])))
    expect(event.kind).toBe('trust.changed')
    expect(event.targets).toEqual([UAMI, NEW_UAMI])
    expect(event.directory.find((fact) => fact.type === 'fics')).toMatchObject({
      objectId: APP_OBJECT,
      before: [{ subject: UAMI }, { subject: SP }],
      after: [{ subject: NEW_UAMI }, { subject: SP }],
    })
  })

  test('name the subject of a credential whose issuer changed', () => {
    expect(eventOf(ficChange(JSON.stringify([fic(UAMI)]), JSON.stringify([fic(UAMI, { Issuer: 'https://elsewhere.example' })]))).targets).toEqual([UAMI])
  })

  test('name the agent of an /eid1/ subject, and nobody for a subject that is no oid', () => {
    expect(eventOf(ficChange('[]', JSON.stringify([fic(`/eid1/c/pub/t/EREREaqqu0uMzCIiIiIiIg/a/sLCwsBERIkKDM0RERERERA/${SP}`)]))).targets).toEqual([SP])
    expect(eventOf(ficChange('[]', JSON.stringify([fic(`repo:x/y:ref:${SP}`)]))).targets).toEqual([])
  })

  test('that the record does not show are unknown, not none', () => {
    const fics = (before: Json, after: Json): unknown => eventOf(ficChange(before, after)).directory.find((fact) => fact.type === 'fics')
    expect(fics(null, '[]')).toMatchObject({ before: null, after: [] })
    expect(fics('[{"Name":"cut', '[1]')).toMatchObject({ before: null, after: null })
  })

  test('with a matching expression in place of a subject stand for no one', () => {
    expect(
      eventOf(ficChange('[]', JSON.stringify([fic(null, { ClaimsMatchingExpressionValue: 'x' }), fic(UAMI)]))).directory.find((fact) => fact.type === 'fics'),
    ).toMatchObject({ after: [{ subject: UAMI }] })
  })

  test('of the Stratus documentation are read once the record has a time', () => {
    const event = eventOf({
      ...sample('stratus-docs.ndjson')[0]!,
      activityDateTime: '2026-05-02T10:00:00Z',
    })
    expect(event).toMatchObject({
      kind: 'trust.changed',
      targets: [],
      resource: '[REMOVED]',
      directory: [],
    })
  })
})

describe('life of a principal', () => {
  test.each([
    ['Add service principal', 'created'],
    ['Remove service principal', 'deleted'],
    ['Delete service principal', 'deleted'],
    ['Hard Delete service principal', 'deleted'],
    ['Restore service principal ', 'restored'],
  ])('%j means %s', (activity, expected) => {
    const event = eventOf(change(activity, 'ServicePrincipal', SP, []))
    expect(event).toMatchObject({
      kind: 'identity.changed',
      targets: [SP],
      action: `entra:${activity.trim()}`,
    })
    expect(event.directory.filter((fact) => fact.type === 'lifecycle')).toEqual([{ type: 'lifecycle', id: SP, change: expected }])
  })

  test('an application is no target, its facts carry its object id', () => {
    const event = eventOf(
      change(
        'Hard Delete application',
        'Application',
        APP_OBJECT,
        [{ displayName: 'AppId', oldValue: `["${APP}"]`, newValue: '[]' }],
        {},
        { agentType: 'agenticApp' },
      ),
    )
    expect(event.targets).toEqual([])
    expect(event.directory).toEqual([
      { type: 'application', objectId: APP_OBJECT, appId: APP, name: 'Thing', blueprint: true },
      { type: 'lifecycle', id: APP_OBJECT, change: 'deleted' },
    ])
  })

  test.each([
    ['Update service principal', '[true]', '[false]', ['disabled']],
    ['Update service principal', '[false]', '[true]', ['enabled']],
    ['Update service principal', 'true', 'false', ['disabled']],
    ['Add service principal', '[]', '[true]', ['created']],
    ['Add service principal', '[]', '[false]', ['created', 'disabled']],
    ['Add owner to service principal', null, null, []],
  ])('%s with AccountEnabled %s to %s: %j', (activity, oldValue, newValue, expected) => {
    const event = eventOf(change(activity, 'ServicePrincipal', SP, [{ displayName: 'AccountEnabled', oldValue, newValue }]))
    expect(event.directory.flatMap((fact) => (fact.type === 'lifecycle' ? [fact.change] : []))).toEqual(expected)
  })

  test('a refused change gives no facts', () => {
    const event = eventOf(
      change('Add service principal', 'ServicePrincipal', SP, [], {
        result: 'failure',
        resultReason: 'Microsoft.Online.Workflows.ValidationException',
      }),
    )
    expect(event).toMatchObject({
      outcome: 'failure',
      error: { code: 'failure', message: 'Microsoft.Online.Workflows.ValidationException' },
      targets: [SP],
      directory: [],
    })
  })
})

describe('what a service principal is', () => {
  const kindOf = (modified: readonly JsonObject[], more: JsonObject = {}, target: JsonObject = {}): unknown =>
    eventOf(change('Add service principal', 'ServicePrincipal', SP, modified, more, target)).directory[0]
  const typed = (type: string, ...names: readonly string[]): JsonObject[] => [
    { displayName: 'ServicePrincipalType', oldValue: '[]', newValue: JSON.stringify([type]) },
    { displayName: 'AlternativeNames', oldValue: '[]', newValue: JSON.stringify(names) },
  ]

  test('a managed identity says whose it is', () => {
    expect(kindOf(typed('ManagedIdentity', 'isExplicit=True', '/subscriptions/s/x'))).toMatchObject({
      kind: 'managed-identity',
      msiType: 'userAssigned',
      armId: '/subscriptions/s/x',
    })
    expect(kindOf(typed('ManagedIdentity', 'isExplicit=False', '/subscriptions/s/vm'))).toMatchObject({
      msiType: 'systemAssigned',
      armId: '/subscriptions/s/vm',
    })
    expect(kindOf(typed('ManagedIdentity'))).toMatchObject({
      kind: 'managed-identity',
      msiType: null,
      armId: null,
    })
  })

  test('an agent is known by agentType, by ServiceIdentity or by its Blueprint', () => {
    const details = {
      additionalDetails: [
        { key: 'AppId', value: SP },
        { key: 'AgentIdentityBlueprintId', value: APP },
      ],
    }
    expect(kindOf([], details)).toMatchObject({ kind: 'agent', appId: SP, blueprintAppId: APP })
    expect(kindOf(typed('ServiceIdentity'))).toMatchObject({ kind: 'agent', blueprintAppId: null })
    expect(kindOf([], {}, { agentType: 'agenticAppInstance', blueprintId: APP_OBJECT })).toMatchObject({ kind: 'agent', blueprintObjectId: APP_OBJECT })
  })

  test('an application’s principal stays without a kind', () => {
    expect(kindOf(typed('Application'))).toMatchObject({ kind: null })
  })

  test('details of an activity about two objects say nothing about either', () => {
    const event = eventOf(
      change('Add app role assignment to service principal', 'ServicePrincipal', SP, [], {
        additionalDetails: [{ key: 'AppId', value: APP }],
      }),
    )
    expect(event.directory).toMatchObject([{ type: 'seen', oid: SP, appId: null }])
  })
})

describe('who did it and what it is', () => {
  test('a user, an application, an application for a user, or nobody named', () => {
    const by = (initiatedBy: JsonObject | null): unknown => eventOf(change('Add user', 'User', SP, [], { initiatedBy }))
    expect(by({ user: { id: UAMI, userPrincipalName: 'a@b.c', ipAddress: '192.0.2.1' }, app: null })).toMatchObject({
      proof: { by: 'principal', oid: UAMI, kind: 'user' },
      onBehalfOf: null,
      sourceIp: '192.0.2.1',
      cloud: { principal: 'a@b.c' },
    })
    expect(by({ app: { servicePrincipalId: SP, appId: APP, agentType: 'agenticAppInstance' } })).toMatchObject({
      proof: { by: 'principal', oid: SP, appId: APP, kind: 'agent' },
    })
    expect(by({ app: { servicePrincipalId: SP }, user: { id: UAMI } })).toMatchObject({
      proof: { by: 'principal', oid: SP, kind: null },
      onBehalfOf: UAMI,
    })
    expect(by({ app: { appId: APP, displayName: 'x' } })).toMatchObject({
      proof: { by: 'nothing' },
    })
    expect(by(null)).toMatchObject({ proof: { by: 'nothing' } })
  })

  test('secrets and certificates are trust; policies and groups are neither identity nor trust', () => {
    const kind = (activity: string, type: string): string => eventOf(change(activity, type, SP, [])).kind
    expect(kind('Update application – Certificates and secrets management ', 'Application')).toBe('trust.changed')
    expect(kind('Remove service principal credentials', 'ServicePrincipal')).toBe('trust.changed')
    expect(kind('Update policy', 'Policy')).toBe('other')
    expect(kind('Add group', 'Group')).toBe('other')
    expect(kind('Add user', 'User')).toBe('identity.changed')
  })

  test('columns that are text and columns that are parsed read alike (OTRF)', () => {
    const text = sample('otrf-goldensaml-auditlogs.ndjson')[0]!
    const parsed = Object.fromEntries(
      Object.entries(text).map(([key, value]) => [key, typeof value === 'string' && /^[[{]/.test(value) ? (JSON.parse(value) as Json) : value]),
    )
    expect(eventOf(parsed)).toEqual(eventOf(text))
  })
})
