/**
 * No secret reaches the database: everything goes in (samples, worked cases, a simulated world, records made to hide secrets), everything
 * that the database holds is searched. Each kind of secret is planted once, too, to show that the search would find it.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packChunk } from '#database/chunk.ts'
import { secretsIn } from '../simulate/secrets.ts'
import { writeWorld } from '../simulate/write.ts'
import { dump } from './dump.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import { SAMPLES, importInto, sampleRecord } from './samples.ts'

const SCENARIOS = join(import.meta.dirname, 'fixtures', 'scenarios')
const CASES = ['option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain']
const mustNotAppear = CASES.flatMap(
  (name) => (JSON.parse(readFileSync(join(SCENARIOS, name, 'expected.json'), 'utf8')) as { mustNotAppear: string[] }).mustNotAppear,
)

/** Made up for this test; put together at run time so that no scanner takes this file for a leak. */
const JWT = ['eyJhbGciOiJSUzI1NiJ9', 'eyJzdWIiOiJ0aGUtc3ViamVjdCJ9', 'c2lnbmF0dXJlLW9mLXRoZS10b2tlbg'].join('.')
const PEM = ['-----BEGIN ', 'PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END ', 'PRIVATE KEY-----'].join('')
const GOOGLE = ['ya29.', 'c0AfakeTokenOfThisTestOnly0123456789'].join('')
const AWS = ['IQoJb3JpZ2luX2Vj', 'ThisIsASessionTokenOfThisTestOnly01234567890123456789'].join('')
const PROMPT = 'the-prompt-of-this-test-says-swordfish'

/** Looks of secrets, whoever made them. What the product leaves of a masked value must not match. */
const LOOKS: Readonly<Record<string, RegExp>> = {
  'a JWT': /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}/,
  'a private key': /PRIVATE KEY-----(?:\\+[nr]|\s)*[A-Za-z0-9+/]{16,}/,
  'a Google access token': /ya29\.(?!\*\*\*masked\*\*\*)[\w.-]{4,}/,
  'an AWS session token': /(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{16,}/,
  'a value under sessionToken': /sessionToken[\\"]*"\s*:\s*[\\"]*"(?!\*\*\*masked\*\*\*|HIDDEN_|[\\"])/i,
}
const NEEDLES = [...mustNotAppear, PROMPT]

/** What of a text is a secret, described. */
function findings(text: string): string[] {
  const looks = Object.entries(LOOKS).filter(([, look]) => look.test(text))
  const needles = NEEDLES.filter((needle) => text.includes(needle))
  return [...looks.map(([name]) => name), ...needles, ...secretsIn(text)]
}

let database: TestDatabase
let folder: string
let texts: readonly string[]

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-secrets-'))
  await writeWorld(join(folder, 'world'), { seed: 5, agents: 6, days: 1, duplicates: 0.1 })
  await hostile(folder)
  await importInto(
    database.pool,
    SAMPLES,
    ...CASES.map((name) => join(SCENARIOS, name, 'records')),
    join(folder, 'world', 'records'),
    join(folder, 'hostile.ndjson'),
    join(folder, 'foreign.txt'),
  )
  texts = await dump(database.pool)
})
afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Secrets where nobody expects them: odd keys, nested JSON texts, error messages, addresses, lines that are no record, foreign files. */
async function hostile(into: string): Promise<void> {
  const call = sampleRecord('aws/stratus-detonation.ndjson', 32)
  const withId = (number: number, more: object): string => JSON.stringify({ ...call, eventID: `00000000-0000-4000-8000-00000000000${number}`, ...more })
  await writeFile(
    join(into, 'hostile.ndjson'),
    [
      withId(1, { responseElements: { credentials: { accessKeyId: 'ASIAQ2W3E4R5T6Y7U8I9', sessionToken: AWS, expiration: 'Jul 30, 2024, 9:46:15 PM' } } }),
      withId(2, { requestParameters: { WebIdentityToken: JWT, note: `as seen in ${JWT} there` }, errorMessage: `bad token ${JWT}` }),
      withId(3, { additionalEventData: { nested: JSON.stringify({ deep: JSON.stringify({ SessionToken: AWS, privateKeyData: PEM }) }) } }),
      withId(4, { requestParameters: { url: `https://example.com/cb?code=x&access_token=${GOOGLE}`, Authorization: `Bearer ${GOOGLE}` } }),
      withId(5, { userAgent: `agent/1.0 ${JWT}` }),
      withId(6, { requestParameters: { sessionToken: AWS.slice(0, 8), sessiontoken: AWS } }).replace('"sessiontoken":', '"sessionToken":'),
      `{"broken": "${JWT}", "sessionToken": "${AWS}`,
      JSON.stringify({ neither: 'known', token: JWT, key: PEM, google: GOOGLE }),
      JSON.stringify({
        schemaType: 'ModelInvocationLog',
        schemaVersion: '1.0',
        timestamp: '2026-05-01T00:00:00Z',
        accountId: '123456789012',
        region: 'us-east-1',
        requestId: 'r',
        operation: 'Converse',
        modelId: 'm',
        input: { inputBodyJson: { messages: [{ content: [{ text: PROMPT }] }] }, inputTokenCount: 3 },
        output: { outputBodyJson: { output: PROMPT, usage: { inputTokens: 3, outputTokens: 4 } }, outputTokenCount: 4 },
      }),
      '',
    ].join('\n'),
  )
  await writeFile(join(into, 'foreign.txt'), `token = ${JWT} ${GOOGLE}\n${PEM}\n`)
}

test('the search looks at every table, into the compressed records and at what was rejected', async () => {
  const { rows } = await database.pool.query<{ events: number; chunks: number; records: number }>(
    'select (select count(*) from events)::integer as events, (select count(*) from chunks)::integer as chunks, (select sum(records) from chunks)::integer as records',
  )
  const of = (table: RegExp): number => texts.filter((text) => table.test(text)).length
  expect(of(/^events_\w+: /)).toBe(rows[0]!.events)
  expect(of(/^chunks\.body: /)).toBe(rows[0]!.records)
  expect(of(/^timeline_\w+: /)).toBeGreaterThan(0)
  expect(of(/^rejected: .*no known record format/s)).toBeGreaterThan(0)
  // A piece of a raw record that stands in no column: found only by unpacking.
  expect(texts.filter((text) => text.includes('ASIAQ2W3E4R5T6Y7U8I9') && text.startsWith('chunks.body: '))).not.toHaveLength(0)
  expect(mustNotAppear.length).toBeGreaterThan(50)
})

test('no credential, prompt or completion of any record is found in the database', () => {
  const found = texts.flatMap((text) => findings(text).map((secret) => `${secret} in ${text.slice(0, 300)}`))
  expect(found).toEqual([])
})

test('what was masked says so', async () => {
  const { rows } = await database.pool.query<{ count: number }>('select count(*)::integer as count from heads where masked is not null')
  expect(rows[0]!.count).toBeGreaterThan(20)
  expect(texts.filter((text) => text.startsWith('chunks.body: ') && text.includes('***masked')).length).toBeGreaterThanOrEqual(rows[0]!.count)
})

describe('the search finds a secret that got in', () => {
  test.each([
    ['a JWT', JWT],
    ['a private key', PEM],
    ['a private key', JSON.stringify({ key: PEM })],
    ['a Google access token', GOOGLE],
    ['an AWS session token', AWS],
    ['a value under sessionToken', JSON.stringify({ sessionToken: '1111' })],
    [PROMPT, PROMPT],
    [mustNotAppear[0]!, `… ${mustNotAppear[0]} …`],
  ])('%s', async (name, secret) => {
    const other = await createTestDatabase()
    try {
      const chunk = packChunk(['{}', secret])
      await other.pool.query('insert into chunks (records, raw_bytes, body) values ($1, $2, $3)', [chunk.records, chunk.rawBytes, chunk.body])
      await other.pool.query('insert into files (name) values ($1)', [secret])
      const found = (await dump(other.pool)).filter((text) => findings(text).includes(name)).map((text) => text.split(': ')[0]!)
      expect(found.toSorted()).toEqual(['chunks.body', 'files'])
    } finally {
      await other.drop()
    }
  })
})
