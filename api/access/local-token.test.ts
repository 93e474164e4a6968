import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bearerToken, localToken } from './local-token.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-token-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('the local token is 32 random bytes, readable by its owner alone, and the same ever after', async () => {
  const token = await localToken(folder)
  expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600)
  expect(await localToken(folder)).toBe(token)
  expect((await readFile(join(folder, 'token'), 'utf8')).trim()).toBe(token)
})

test('processes that start at once agree on one token', async () => {
  const tokens = await Promise.all(Array.from({ length: 10 }, () => localToken(folder)))
  expect(new Set(tokens).size).toBe(1)
})

test('a token file that others could read is closed, and one that holds no token is refused', async () => {
  await writeFile(join(folder, 'token'), 'short', { mode: 0o644 })
  await expect(localToken(folder)).rejects.toThrow('does not hold a token')
  expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600)
})

test('only the very token is accepted', async () => {
  const authenticate = bearerToken('secret-token')
  expect(await authenticate('Bearer secret-token')).toEqual({ id: 'local', name: null, roles: ['admin'], scope: 'everything' })
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'secret-token', 'Bearer secret-toke', 'Bearer secret-token2', 'Bearer secret-token extra'])
    expect(await authenticate(header)).toBeNull()
})
