import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { Refused } from './check.ts'
import { apiTokens, countUsableTokens, createToken, listTokens, revokeToken } from './tokens.ts'

const TENANT = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const inAnHour = (): Date => new Date(Date.now() + 3_600_000)
const make = (name: string, expiresAt = inAnHour()) => createToken(database.pool, { name, roles: ['reader', 'compliance'], scope: [TENANT], expiresAt })

test('a token is 256 random bits, of which the database holds the hash and the beginning', async () => {
  const { token, entry } = await make('one')
  expect(Buffer.from(token.slice(3), 'base64url')).toHaveLength(32)
  expect(entry).toMatchObject({ name: 'one', prefix: token.slice(0, 11), roles: ['reader', 'compliance'], scope: [TENANT], revokedAt: null, lastUsedAt: null })
  const { rows } = await database.pool.query<{ row: string; hash: string }>(
    `select t::text as row, encode(hash, 'hex') as hash from api_tokens t where id = $1`,
    [entry.id],
  )
  expect(rows[0]?.hash).toBe(createHash('sha256').update(token).digest('hex'))
  expect(rows[0]?.row).not.toContain(token.slice(11))
  expect(JSON.stringify(await listTokens(database.pool))).not.toContain(token.slice(11))
})

test('a token gives its caller with its roles and tenants, and is seen to be used', async () => {
  const check = apiTokens(database.pool)
  const { token, entry } = await make('two')
  expect(await check(token)).toEqual({ id: `token:${entry.id}`, name: 'two', roles: ['reader', 'compliance'], scope: [TENANT] })
  const used = async () => (await listTokens(database.pool)).find(({ id }) => id === entry.id)?.lastUsedAt ?? null
  await expect.poll(used).toBeInstanceOf(Date)
  const all = await createToken(database.pool, { name: 'all', roles: ['admin'], scope: 'everything', expiresAt: inAnHour() })
  expect(await check(all.token)).toMatchObject({ scope: 'everything' })
})

test('a token is refused from the moment it is revoked, or has expired', async () => {
  const check = apiTokens(database.pool)
  const { token, entry } = await make('three')
  expect(await check(token)).not.toBeNull()
  expect(await revokeToken(database.pool, entry.prefix)).toMatchObject([{ id: entry.id }])
  await expect(check(token)).rejects.toThrow('revoked')
  await expect(check((await make('four', new Date(Date.now() - 1))).token)).rejects.toThrow('expired')
})

test('what is no token of this database is refused, and what is no API token is left to others', async () => {
  const check = apiTokens(database.pool)
  for (const text of [`tj_${'A'.repeat(43)}`, 'tj_', 'tj_short', `tj_${'A'.repeat(44)}`, "tj_' or true --"]) await expect(check(text)).rejects.toThrow(Refused)
  for (const text of ['', 'abc', 'TJ_abc', 'a.b.c']) expect(await check(text)).toBeNull()
})

test('a name that several tokens have revokes none of them', async () => {
  await make('twin')
  await make('twin')
  const named = await revokeToken(database.pool, 'twin')
  expect(named).toHaveLength(2)
  expect(named.every(({ revokedAt }) => revokedAt === null)).toBe(true)
  expect((await listTokens(database.pool)).filter(({ name, revokedAt }) => name === 'twin' && revokedAt === null)).toHaveLength(2)
  expect(await revokeToken(database.pool, 'nobody')).toEqual([])
})

test('only tokens that still let somebody in are counted', async () => {
  const before = await countUsableTokens(database.pool)
  const { entry } = await make('counted')
  await make('late', new Date(Date.now() - 1))
  expect(await countUsableTokens(database.pool)).toBe(before + 1)
  await revokeToken(database.pool, entry.id)
  expect(await countUsableTokens(database.pool)).toBe(before)
})

test('a role that this release does not know gives nothing', async () => {
  const { token, entry } = await make('future')
  await database.pool.query(`update api_tokens set roles = '{emperor,reader}' where id = $1`, [entry.id])
  expect(await apiTokens(database.pool)(token)).toMatchObject({ roles: ['reader'] })
})
