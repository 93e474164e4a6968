import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeHub } from '../../../test/clouds/event-hubs.ts'
import type { FakeHub } from '../../../test/clouds/event-hubs.ts'
import { collection } from '../../engine/test-run.ts'
import { hostOf } from './connection.ts'
import source from './source.ts'

const SECRET = 'Endpoint=sb://weather.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=c2VjcmV0'
const environment = { HUB: SECRET, TOKEN: 'eyJ.hub-token' }

let hub: FakeHub
beforeEach(async () => void (hub = await startFakeHub()))
afterEach(() => hub.close())

const collect = (changes: Record<string, unknown>) =>
  collection({ source, settings: { namespace: 'weather', hubs: ['entra'], emulator: hub.broker, idleSeconds: 0.1, ...changes }, environment })

test('a connection string signs in by SASL PLAIN under the name $ConnectionString; a refusal is a denial that does not print it', async () => {
  const run = collect({ connectionString: { env: 'HUB' } })
  const [outcome] = await run.poll(1)
  expect(hub.signIns[0]).toEqual({ mechanism: 'PLAIN', sent: `\0$ConnectionString\0${SECRET}` })
  expect(outcome?.error).toMatchObject({ code: 'SOURCE_DENIED', message: expect.stringContaining('Listen claims are required') })
  expect(outcome?.error?.message).not.toContain('c2VjcmV0')
  expect(await run.check()).toMatchObject([{ level: 'problem', next: expect.stringContaining('Listen') }])
}, 30_000)

test('a token signs in by SASL OAUTHBEARER', async () => {
  const [outcome] = await collect({ credential: { token: { env: 'TOKEN' } } }).poll(1)
  expect(hub.signIns[0]?.mechanism).toBe('OAUTHBEARER')
  expect(hub.signIns[0]?.sent).toContain('auth=Bearer eyJ.hub-token')
  expect(outcome?.error?.code).toBe('SOURCE_DENIED')
}, 30_000)

test('an endpoint that is not there is unavailable, and stops nothing else', async () => {
  await hub.close()
  const [outcome] = await collect({ connectionString: { env: 'HUB' } }).poll(1)
  expect(outcome?.error?.code).toBe('SOURCE_UNAVAILABLE')
}, 60_000)

test('a namespace is a host of its cloud', () => {
  expect(hostOf('weather', 'public')).toBe('weather.servicebus.windows.net')
  expect(hostOf('weather', 'usgov')).toBe('weather.servicebus.usgovcloudapi.net')
  expect(hostOf('weather.servicebus.chinacloudapi.cn', 'public')).toBe('weather.servicebus.chinacloudapi.cn')
})

describe('the settings', () => {
  const base = { namespace: 'weather', hubs: ['entra'] }
  test.each([
    [{ ...base, emulator: 'example.com:9092' }, 'is not on this machine'],
    [{ ...base, connectionString: SECRET }, 'reference to a secret'],
    [{ ...base, connectionString: { env: 'HUB' }, credential: { token: { env: 'TOKEN' } } }, 'not both'],
    [{ ...base, hubs: ['entra', 'entra'] }, 'twice'],
    [{ ...base, namespace: 'sb://weather' }, 'is no Event Hubs namespace'],
    [{ ...base, topic: 'entra' }, 'topic'],
  ])('%j is refused', (settings, message) => {
    const result = source.settings.safeParse(settings)
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).toContain(message)
  })
})
