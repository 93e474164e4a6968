import { setImmediate } from 'node:timers/promises'
import { OAuth2Client } from 'google-auth-library'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startFakeLogging } from '../../../test/clouds/gcp.ts'
import type { FakeLogging } from '../../../test/clouds/gcp.ts'
import { listEntries } from './list.ts'

let gcp: FakeLogging
beforeEach(async () => {
  gcp = await startFakeLogging('ya29.test')
})
afterEach(() => gcp.close())

// An error that nobody listens to is none that a caller can catch: vitest fails the run for it, and a collector would have ended.
test('a read that is stopped at any moment ends as an error of that read and of nothing else', async () => {
  const auth = new OAuth2Client()
  auth.setCredentials({ access_token: 'ya29.test', expiry_date: Date.now() + 3_600_000 })
  const reader = { auth: auth as unknown as Parameters<typeof listEntries>[0]['auth'], base: gcp.url, pacer: () => Promise.resolve(), timeoutMs: 5000 }
  const request = { resourceNames: ['projects/one'], filter: 'x', orderBy: 'timestamp asc' as const, pageSize: 10 }
  const outcomes: string[] = []
  for (let turns = 0; turns < 30; turns++) {
    const stop = new AbortController()
    const read = listEntries(reader, request, stop.signal).then(
      () => 'read',
      () => 'stopped',
    )
    for (let turn = 0; turn < turns; turn++) await (turns % 2 === 0 ? setImmediate() : undefined)
    stop.abort()
    outcomes.push(await read)
  }
  expect(outcomes).toContain('stopped')
})
