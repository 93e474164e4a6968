import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { id, insertEvent, insertFact, repeatEvent, seen, TENANT } from '#api/fixture.ts'
import { ocsfFaults } from '../../test/ocsf-schema.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { startProgram } from '../../test/program.ts'
import type { Ended } from '../../test/program.ts'

const AGENT = id('a')

let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-exports-'))
  await insertFact(database.pool, TENANT, seen(AGENT, { kind: 'agent', name: 'Weather \u001b[31mAgent' }))
  await insertEvent(database.pool, {
    id: id('7', 1),
    time: 1_780_000_000_000_000_000n,
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await repeatEvent(database.pool, id('7', 1), 1500)
}, 60_000)

afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

const trailjoin = (...args: readonly string[]): Promise<Ended> => startProgram(args, folder, { DATABASE_URL: database.url }).ended

test('an export has a manifest beside it that fits, also where a limit cut it', async () => {
  const whole = await trailjoin('timeline', AGENT, '--format', 'ocsf', '--manifest', 'whole.json')
  expect(whole).toMatchObject({ code: 0, stderr: '' })
  expect(
    whole.stdout
      .trimEnd()
      .split('\n')
      .flatMap((line) => ocsfFaults(JSON.parse(line) as Record<string, unknown>)),
  ).toEqual([])
  expect(JSON.parse(await readFile(join(folder, 'whole.json'), 'utf8'))).toMatchObject({
    items: 1500,
    complete: true,
    sha256: createHash('sha256').update(whole.stdout).digest('hex'),
  })
  const part = await trailjoin('timeline', AGENT, '--format', 'timesketch', '--limit', '10', '--from', '2026-05-28T20:30:00Z', '--manifest', 'part.json')
  expect(part.stderr).toBe('1290 older events left out (--limit 10).\n')
  expect(JSON.parse(await readFile(join(folder, 'part.json'), 'utf8'))).toMatchObject({
    items: 10,
    complete: false,
    leftOut: { byFilters: 200, byLimit: 1290 },
  })
})

test('a bundle is written whole or not at all, verified, and a changed byte ends verify with 1', async () => {
  const made = await trailjoin('bundle', AGENT, '--from', '2026-05-28', '-o', 'case.zip')
  expect(made).toMatchObject({ code: 0, stderr: 'case.zip: 1500 events. Note its SHA-256: it tells this file from one that was made anew.\n' })
  const bytes = await readFile(join(folder, 'case.zip'))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect(made.stdout).toBe(`${sha256}\n`)
  const good = await trailjoin('verify', 'case.zip', '--sha256', sha256)
  expect(good).toMatchObject({ code: 0, stderr: '' })
  expect(good.stdout).toMatch('case.zip: whole and unchanged, and the file that was noted.')
  expect(good.stdout).toMatch('1500 events and 0 that they rest on, 1500 raw records')
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(join(folder, 'bad.zip'), bytes)
  const bad = await trailjoin('verify', 'bad.zip')
  expect(bad).toMatchObject({ code: 1, stdout: '' })
  expect(bad.stderr).toMatch('something was changed')
  expect(await trailjoin('bundle', AGENT, '-o', join('no', 'such', 'folder.zip'))).toMatchObject({ code: 1, stdout: '' })
  expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
}, 120_000)

test('resolve tells what an identifier is, without what an attacker wrote into a name', async () => {
  const agent = await trailjoin('resolve', AGENT)
  expect(agent).toMatchObject({ code: 0, stderr: '' })
  expect(agent.stdout).toContain(`oid ${AGENT}: agent "Weather  [31mAgent" of tenant ${TENANT}`)
  expect((await trailjoin('resolve', 'AKIA****')).stdout).toMatch(/^Cannot be looked up\. It is masked/)
  expect(JSON.parse((await trailjoin('resolve', id('7', 3), '--format', 'json')).stdout)).toMatchObject({ occurrences: [{ field: 'id', events: 1 }] })
}, 120_000)
