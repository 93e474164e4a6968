/** Nothing is concluded from the absence of records that are known to be missing. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createSourceStore } from '#ingest/engine/store.ts'
import { type TestDatabase, createTestDatabase } from '../../test/postgres.ts'
import { createLogPositions } from '../store/log-positions.ts'
import { findingsOf } from './testing/evaluate.ts'
import { TENANT, World, guid } from './testing/world.ts'

const UAMI = guid('uami')
/** A time of the world's clock: `HH:MM` on its day, with days before or after in front. */
const at = (time: string): Date => {
  const [, day = '0', clock] = /^(?:([+-]\d+) )?(.+)$/.exec(time)!
  return new Date(`${new Date(Date.UTC(2026, 8, 10 + Number(day))).toISOString().slice(0, 10)}T${clock}:00Z`)
}
const nanos = (time: string): bigint => BigInt(at(time).getTime()) * 1_000_000n
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const world = (): World =>
  new World()
    .fics('fic', '-3 06:01', [], [UAMI])
    .signIn('log-begins', '-2 07:00', { kind: 'managed-identity', oid: guid('another'), msiType: 'userAssigned' })
    .awsExchange('exchange', '10:00', { subject: UAMI })
    .signIn('log-goes-on', '12:00', { kind: 'managed-identity', oid: guid('another'), msiType: 'userAssigned' })

const fires = async (): Promise<boolean> => {
  await concludeAll(database.pool)
  return (await database.pool.query(`select 1 from findings where rule = 'exchange-without-issuance'`)).rowCount! > 0
}

test('an exchange without issuance is no finding while a gap of the source may hide the sign-in', async () => {
  const found = await findingsOf(database.pool, world())
  expect(found.map(({ rule }) => rule)).toContain('exchange-without-issuance')
  await concludeAll(database.pool)
  const store = createSourceStore(database.pool)
  const part = { source: 'entra', part: 'signins', kind: 'entra-log-analytics', tenantId: TENANT }
  const gapAt = (from: string, until: string) =>
    store.advance(part, {
      cursor: {},
      watermark: null,
      gaps: [{ from: nanos(from), until: nanos(until), reason: 'for the test' }],
      counts: { records: 0, stored: 0, duplicates: 0, rejected: 0 },
    })
  // More than a token's life before the exchange.
  await gapAt('-2 07:30', '-2 08:30')
  expect(await fires()).toBe(true)
  await gapAt('08:00', '08:30')
  expect(await fires()).toBe(false)
})

test('nor while messages between collector and store are lost that may have held it, until they are stored after all', async () => {
  await findingsOf(database.pool, world())
  await concludeAll(database.pool)
  const positions = createLogPositions(database.pool)
  const gap = { log: 't', partition: 0, firstOffset: 0n, lastOffset: 9n, cause: 'retention', detail: null } as const
  // Two days later: the sign-in was delivered long before.
  await positions.pass({ ...gap, from: at('+2 10:30'), until: at('+2 10:40') }, { next: 10n, epoch: 0 })
  expect(await fires()).toBe(true)
  await positions.pass({ ...gap, partition: 1, from: at('10:30'), until: at('10:40') }, { next: 10n, epoch: 0 })
  expect(await fires()).toBe(false)
  await database.pool.query(`update log_gaps set closed_at = now()`)
  await database.pool.query(`delete from progress where name = 'findings'`)
  expect(await fires()).toBe(true)
})
