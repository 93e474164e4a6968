import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { format } from './index.ts'

function event(entry: JsonObject): TrailEvent {
  const answer = format.normalise({ value: { insertId: 'a', logName: 'projects/p/logs/l', timestamp: '2026-09-01T10:00:00Z', ...entry }, context: {} })
  if ('reject' in answer) throw new Error(answer.reject)
  return answer.event
}
const endOf = (entry: JsonObject): readonly unknown[] => {
  const { outcome, error } = event(entry)
  return [outcome, error?.code ?? null, error?.message ?? null]
}
const call = (payload: JsonObject, more: JsonObject = {}): readonly unknown[] =>
  endOf({ protoPayload: { serviceName: 'compute.googleapis.com', methodName: 'v1.compute.instances.delete', ...payload }, ...more })
const signIn = (name: string, metadata?: JsonObject): readonly unknown[] =>
  call({ serviceName: 'login.googleapis.com', methodName: `google.login.LoginService.${name}`, ...(metadata ? { metadata } : {}) })

describe('an audited call', () => {
  test.each([
    [{}, {}, ['success', null, null]],
    [{ status: {} }, { severity: 'ERROR' }, ['success', null, null]],
    [{ status: { code: 0 } }, {}, ['success', null, null]],
    [{ status: { code: 7, message: 'denied' } }, {}, ['failure', '7', 'denied']],
    [{ status: { code: '7' } }, {}, ['failure', '7', null]],
    [{ status: { code: 'PERMISSION_DENIED' } }, {}, ['failure', 'PERMISSION_DENIED', null]],
    [{ status: { code: 'OK' } }, {}, ['success', null, null]],
    [{ status: { message: 'NOT_FOUND' } }, {}, ['failure', 'NOT_FOUND', 'NOT_FOUND']],
    [{ status: { message: 'OK' } }, {}, ['success', null, null]],
    [{}, { severity: 'NOTICE' }, ['success', null, null]],
    [{}, { severity: 'ERROR' }, ['failure', 'ERROR', null]],
    [{}, { severity: 'Critical' }, ['failure', 'CRITICAL', null]],
    [{}, { severity: 500 }, ['failure', '500', null]],
    [{}, { httpRequest: { status: 403 } }, ['failure', '403', null]],
    [{}, { httpRequest: { status: '200' } }, ['success', null, null]],
    [{ response: { error: { code: 404, message: 'not found' } } }, {}, ['failure', '404', 'not found']],
  ])('with %j in an entry with %j ends in %j', (payload, entry, ending) => expect(call(payload, entry)).toEqual(ending))
})

describe('a sign-in event of Google Workspace', () => {
  const parameters = (...pairs: readonly (readonly [string, string])[]): JsonObject => ({
    event: [{ eventName: 'login', eventType: 'login', parameter: pairs.map(([name, value]) => ({ name, value })) }],
  })
  test('fails and succeeds by its name', () => {
    expect(signIn('loginFailure')).toEqual(['failure', 'loginFailure', null])
    expect(signIn('loginSuccess')[0]).toBe('success')
    expect(signIn('logout')[0]).toBe('success')
    expect(signIn('2svDisable')[0]).toBe('success')
    expect(signIn('riskySensitiveActionBlocked')[0]).toBe('failure')
    expect(signIn('riskySensitiveActionAllowed')[0]).toBe('success')
    expect(call({ serviceName: 'login.googleapis.com', methodName: 'google.apps.login.v1.SamlLoginFailed' })[0]).toBe('failure')
    expect(call({ serviceName: 'login.googleapis.com', methodName: 'google.apps.login.v1.SamlLoginSucceeded' })[0]).toBe('success')
  })
  test('says why it failed where a parameter does', () => {
    const metadata = { event: [{ eventName: 'login_failure', parameter: [{ name: 'login_failure_type', value: 'login_failure_invalid_password' }] }] }
    expect(signIn('loginFailure', metadata)).toEqual(['failure', 'login_failure', 'login_failure_invalid_password'])
  })
  test('that is a challenge ends as its status says, and nobody knows without one', () => {
    expect(signIn('loginChallenge', parameters(['login_challenge_status', 'Challenge Passed.']))[0]).toBe('success')
    expect(signIn('loginVerification', parameters(['login_challenge_status', 'Challenge Failed.']))[0]).toBe('failure')
    expect(signIn('loginChallenge')[0]).toBe('unknown')
  })
  test('that is a warning says nothing of how anything ended', () => {
    for (const name of ['suspiciousLogin', 'govAttackWarning', 'accountDisabledPasswordLeak']) expect(signIn(name)[0]).toBe('unknown')
  })
  test('of the administrator is a change that was made', () => {
    const metadata = { event: [{ eventName: 'CREATE_USER', eventType: 'USER_SETTINGS' }] }
    expect(call({ serviceName: 'admin.googleapis.com', methodName: 'google.admin.AdminService.createUser', metadata })[0]).toBe('success')
  })
})

describe('an entry that is no audit record', () => {
  test.each([
    [
      { httpRequest: { status: 401 }, jsonPayload: { statusDetails: 'handled_by_identity_aware_proxy' } },
      ['failure', '401', 'handled_by_identity_aware_proxy'],
    ],
    [{ httpRequest: { status: 204 } }, ['success', null, null]],
    [{ jsonPayload: {}, severity: 'INFO' }, ['unknown', null, null]],
    [{ textPayload: 'x', severity: 'WARNING' }, ['unknown', null, null]],
    [{ textPayload: 'x', severity: 'ERROR' }, ['failure', 'ERROR', null]],
    [{ textPayload: 'x' }, ['unknown', null, null]],
  ])('%j ends in %j', (entry, ending) => expect(endOf(entry)).toEqual(ending))

  test('shows address, program and region of the request that it logs', () => {
    const request = { httpRequest: { status: 200, remoteIp: '192.0.2.11', userAgent: 'curl/8' }, resource: { labels: { location: 'us-west1' } } }
    expect(event(request)).toMatchObject({ sourceIp: '192.0.2.11', userAgent: 'curl/8', cloud: { region: 'us-west1' } })
  })
})
