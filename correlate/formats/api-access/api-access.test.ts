import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { answerTo, checkGolden, goldens, uncoveredFields } from '../golden.ts'
import { format } from './index.ts'

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures')
const AGENT = 'aaaaaaaa-1111-2222-3333-444444444444'
const USER = 'dddddddd-5555-4666-8777-888888888888'
const BLUEPRINT = 'b0b0b0b0-1111-4222-8333-444444444444'
const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
const all = goldens(join(import.meta.dirname, 'golden'))

function event(claims: JsonObject, context: { tenantId?: string } = {}): TrailEvent {
  const value = { time: '2026-05-12T08:20:11.250Z', method: 'GET', path: '/weather', ...claims }
  expect(format.recognise(value)).toBe(true)
  const answer = answerTo(format, value, context)
  if ('reject' in answer) throw new Error(answer.reject)
  return answer.event
}

describe('API access log lines as events', () => {
  test.each(all)('$name', (golden) => {
    expect(format.recognise(golden.value)).toBe(true)
    checkGolden(format, golden)
  })

  test.each(goldens(join(import.meta.dirname, 'golden/words')))('in words of others: $name', (golden) => checkGolden(format, golden))

  test('every field that an access log can fill is filled in some golden', () => {
    const never = ['asserted', 'cloud', 'deliveredNs', 'issues', 'model', 'nearKey', 'requestKey', 'targets', 'usage', 'uses']
    expect(uncoveredFields(format, all)).toEqual(never)
  })
})

describe('who called', () => {
  test.each<[string, JsonObject, TrailEvent['proof'], string | null]>([
    [
      'an application token',
      { idtyp: 'app', oid: AGENT, appid: AGENT },
      { by: 'principal', oid: AGENT, appId: AGENT, kind: null } as TrailEvent['proof'],
      null,
    ],
    [
      'an application token of another principal',
      { idtyp: 'app', oid: USER, appid: AGENT },
      { by: 'principal', oid: USER, appId: AGENT, kind: null } as TrailEvent['proof'],
      null,
    ],
    ['equal oid and appid', { oid: AGENT, appid: AGENT }, { by: 'principal', oid: AGENT, appId: AGENT, kind: null } as TrailEvent['proof'], null],
    ['only an oid', { oid: AGENT.toUpperCase() }, { by: 'principal', oid: AGENT, appId: null, kind: null } as TrailEvent['proof'], null],
    ['only an appid', { appid: AGENT }, { by: 'application', appId: AGENT } as TrailEvent['proof'], null],
    ['only azp', { azp: AGENT }, { by: 'application', appId: AGENT } as TrailEvent['proof'], null],
    ['a user token', { idtyp: 'user', oid: USER, appid: AGENT }, { by: 'application', appId: AGENT } as TrailEvent['proof'], USER],
    ['a token with scopes', { scp: 'Weather.Read', oid: USER, appid: AGENT }, { by: 'application', appId: AGENT } as TrailEvent['proof'], USER],
    ['different oid and appid', { oid: USER, appid: AGENT }, { by: 'application', appId: AGENT } as TrailEvent['proof'], USER],
    ['a user token without client', { idtyp: 'user', oid: USER }, { by: 'principal', oid: USER, appId: null, kind: 'user' } as TrailEvent['proof'], null],
  ])('%s', (_name, claims, proof, onBehalfOf) => {
    const one = event(claims)
    expect([one.proof, one.onBehalfOf]).toEqual([proof, onBehalfOf])
  })

  test('the Blueprint claim makes the caller of its own token an agent, and says nothing about a user', () => {
    expect(event({ idtyp: 'app', oid: AGENT, appid: AGENT, xms_par_app_azp: BLUEPRINT }).directory).toMatchObject([
      { type: 'seen', oid: AGENT, kind: 'agent', blueprintAppId: BLUEPRINT },
    ])
    expect(event({ idtyp: 'user', oid: USER, appid: AGENT, xms_par_app_azp: BLUEPRINT }).directory).toEqual([])
  })

  test('a tenant comes from the token, else from the operator', () => {
    expect([
      event({ oid: AGENT, tid: TENANT }, { tenantId: BLUEPRINT }).tenantId,
      event({ oid: AGENT }, { tenantId: TENANT }).tenantId,
      event({ oid: AGENT }).tenantId,
    ]).toEqual([TENANT, TENANT, null])
  })
})

describe('the rest of a line', () => {
  test('the query of a path never appears', () => {
    expect(
      JSON.stringify(event({ oid: AGENT, api: 'weather', path: '/f?token=secret#x' }), (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
    ).not.toContain('secret')
    expect(event({ oid: AGENT, api: 'weather', path: '/f?token=secret' }).action).toBe('weather:GET /f')
  })

  test.each([
    [200, 'success', null],
    ['399', 'success', null],
    [400, 'failure', '400'],
    ['503', 'failure', '503'],
    [undefined, 'success', null],
  ])('status %s is %s', (status, outcome, code) => {
    const one = event(status === undefined ? { oid: AGENT } : { oid: AGENT, status })
    expect([one.outcome, one.error?.code ?? null]).toEqual([outcome, code])
  })

  test('lines without a request id are told apart by their content', () => {
    const [first, again, other] = [event({ oid: AGENT }), event({ oid: AGENT }), event({ oid: AGENT, status: 200 })]
    expect(first.nativeId).toBe(first.id)
    expect(first.id).toBe(again.id)
    expect(first.id).not.toBe(other.id)
  })

  test('two APIs may use one request id', () => {
    expect(event({ oid: AGENT, api: 'a', requestId: '1' }).id).not.toBe(event({ oid: AGENT, api: 'b', requestId: '1' }).id)
  })

  test('a line without time or without caller is rejected with that reason', () => {
    const lines = [
      { oid: AGENT, method: 'GET', path: '/' },
      { time: 'yesterday', oid: AGENT, path: '/' },
      { time: '2026-05-12T08:20:11Z', api: 'weather', method: 'GET', path: '/', status: 401 },
      { time: '2026-05-12T08:20:11Z', oid: 'nobody', path: '/' },
    ]
    expect(lines.map((value) => format.recognise(value))).toEqual([true, true, true, true])
    expect(lines.map((value) => answerTo(format, value))).toEqual([
      { reject: 'no event time (time)' },
      { reject: 'time must be an instant (ISO 8601 or since 1970), got "yesterday"' },
      { reject: 'no caller: neither oid nor appid is a GUID' },
      { reject: 'no caller: neither oid nor appid is a GUID' },
    ])
  })
})

describe('real files', () => {
  test('every Weather API line of the worked cases is recognised and stands at the expected time with the expected caller', () => {
    let seen = 0
    for (const name of readdirSync(join(FIXTURES, 'scenarios')).filter((entry) => entry.startsWith('option'))) {
      const folder = join(FIXTURES, 'scenarios', name)
      const wanted = (
        JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
          records: { nativeId: string; time: string; tenantId: string; subjectOid: string }[]
        }
      ).records
      if (!existsSync(join(folder, 'records/weather-api'))) continue
      const file = readdirSync(join(folder, 'records/weather-api'))[0]!
      for (const line of readFileSync(join(folder, 'records/weather-api', file), 'utf8')
        .split('\n')
        .filter(Boolean)) {
        const one = event(JSON.parse(line) as JsonObject)
        const want = wanted.find((record) => record.nativeId === one.nativeId)!
        expect([formatTime(one.timeNs), one.tenantId, one.proof]).toEqual([
          want.time,
          want.tenantId,
          { by: 'principal', oid: want.subjectOid, appId: want.subjectOid, kind: null },
        ])
        seen += 1
      }
    }
    expect(seen).toBe(8)
  })

  test('no public sample of another cloud is taken for an access log', () => {
    let looked = 0
    for (const cloud of ['aws', 'entra', 'gcp', 'other']) {
      for (const file of readdirSync(join(FIXTURES, 'samples', cloud))) {
        for (const line of readFileSync(join(FIXTURES, 'samples', cloud, file), 'utf8')
          .split('\n')
          .filter(Boolean)) {
          const value = JSON.parse(line) as JsonObject | string
          // The Azure activity file holds bare operation names among its records.
          if (typeof value === 'string') continue
          expect(format.recognise(value), `${file}: ${line.slice(0, 120)}`).toBe(false)
          looked += 1
        }
      }
    }
    expect(looked).toBeGreaterThan(400)
  })
})
