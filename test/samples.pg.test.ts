/**
 * Every file of the public samples through the product, with the exact totals. The expected numbers were counted apart from the product
 * (distinct record ids, records without a time, contents an id) and by reading the lines that are rejected.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImportSummary } from '#ingest/import.ts'
import { findFiles } from '#ingest/paths.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import { SAMPLES, exported, importInto, reasons } from './samples.ts'

const NO_TIME = {
  aws: 'cloudtrail: no event time (eventTime)',
  gcp: 'gcp-audit: no event time (timestamp)',
  entra: 'entra-audit: no event time (activityDateTime, timeGenerated)',
}
const UNKNOWN = 'no known record format'
const NO_JSON = 'nothing in it could be read: it holds no JSON record'
const allRejected = (records: number): string => `nothing in it could be read: all ${records} records were rejected`

interface Totals {
  readonly read: number
  readonly stored: number
  /** Records of known events; `variants` of them with a text of their own. */
  readonly duplicates?: number
  readonly variants?: number
  readonly byFormat?: Readonly<Record<string, number>>
  readonly rejected?: Readonly<Record<string, number>>
  readonly error?: string
}

/** In the order in which the files are imported into one store: what a later file repeats of an earlier one is a duplicate there. */
const EXPECTED: readonly (readonly [string, Totals])[] = [
  ['SOURCES.md', { read: 1, stored: 0, rejected: { 'not JSON: it begins with "#"': 1 }, error: NO_JSON }],
  ['TRAPS.md', { read: 1, stored: 0, rejected: { 'not JSON: it begins with "#"': 1 }, error: NO_JSON }],
  ['aws/c7n-eventbridge.ndjson', { read: 24, stored: 21, duplicates: 2, variants: 2, byFormat: { cloudtrail: 23 }, rejected: { [NO_TIME.aws]: 1 } }],
  ['aws/invictus-slices.ndjson', { read: 124, stored: 124, byFormat: { cloudtrail: 124 } }],
  ['aws/keyless-kingdom.ndjson', { read: 1, stored: 1, byFormat: { cloudtrail: 1 } }],
  ['aws/openshift-cad.ndjson', { read: 13, stored: 3, duplicates: 3, variants: 3, byFormat: { cloudtrail: 6 }, rejected: { [NO_TIME.aws]: 6, [UNKNOWN]: 1 } }],
  [
    'aws/panther-cloudtrail.half.ndjson',
    {
      read: 241,
      stored: 87,
      duplicates: 142,
      variants: 135,
      byFormat: { cloudtrail: 229 },
      rejected: { [NO_TIME.aws]: 11, 'cloudtrail: eventTime must be an instant (ISO 8601 or since 1970), got "redacted"': 1 },
    },
  ],
  ['aws/plaso-lookupevents.ndjson', { read: 6, stored: 6, byFormat: { cloudtrail: 6 } }],
  ['aws/stratus-detonation.ndjson', { read: 310, stored: 309, duplicates: 1, byFormat: { cloudtrail: 310 } }],
  [
    'containers/218007301253_CloudTrail_us-east-1_20230710T1145Z_7xgocspSowgK0Gto.json.gz',
    { read: 29, stored: 0, duplicates: 29, byFormat: { cloudtrail: 29 } },
  ],
  ['containers/AADAuditEvents.Zip', { read: 4, stored: 3, duplicates: 1, variants: 1, byFormat: { 'entra-audit': 4 } }],
  [
    'containers/broken-array.opensearch.json',
    {
      read: 12,
      stored: 10,
      byFormat: { cloudtrail: 10 },
      rejected: {
        'not JSON: unexpected "}" on line 85, byte 3053, in the array that begins on line 1': 1,
        'not JSON: the text ends inside the record, in the array that begins on line 1': 1,
      },
      error: 'line 435, byte 17418: the text ends inside the array that begins on line 1',
    },
  ],
  ['containers/cloudevents-structured.gcp-audit.json', { read: 1, stored: 1, byFormat: { 'gcp-audit': 1 } }],
  ['containers/eventbridge-envelope.c7n.json', { read: 1, stored: 0, duplicates: 1, variants: 1, byFormat: { cloudtrail: 1 } }],
  ['containers/lookup-events.plaso.jsonl', { read: 6, stored: 0, duplicates: 6, byFormat: { cloudtrail: 6 } }],
  ['containers/panther-rule-tests.yml', { read: 1, stored: 0, rejected: { 'not JSON: it begins with "A"': 1 }, error: NO_JSON }],
  ['entra/msticpy-signinlogs.first30.ndjson', { read: 30, stored: 16, duplicates: 14, variants: 14, byFormat: { 'entra-signin': 30 } }],
  ['entra/otrf-goldensaml-auditlogs.ndjson', { read: 4, stored: 0, duplicates: 4, byFormat: { 'entra-audit': 4 } }],
  ['entra/panther-azure-signin.half.ndjson', { read: 22, stored: 17, duplicates: 5, variants: 5, byFormat: { 'entra-audit': 7, 'entra-signin': 15 } }],
  ['entra/stratus-docs.ndjson', { read: 3, stored: 0, rejected: { [NO_TIME.entra]: 3 }, error: allRejected(3) }],
  ['gcp/google-cloudevents.ndjson', { read: 3, stored: 3, byFormat: { 'gcp-audit': 3 } }],
  ['gcp/google-docs-federation.ndjson', { read: 9, stored: 1, byFormat: { 'gcp-audit': 1 }, rejected: { [NO_TIME.gcp]: 8 } }],
  ['gcp/keyless-kingdom.ndjson', { read: 1, stored: 1, byFormat: { 'gcp-audit': 1 } }],
  [
    'gcp/panther-audit.half.ndjson',
    { read: 60, stored: 46, duplicates: 5, variants: 5, byFormat: { 'gcp-audit': 51 }, rejected: { [NO_TIME.gcp]: 5, [UNKNOWN]: 4 } },
  ],
  ['gcp/plaso-gcp-logging.ndjson', { read: 11, stored: 11, byFormat: { 'gcp-audit': 11 } }],
  ['gcp/security-analytics.ndjson', { read: 13, stored: 11, duplicates: 2, variants: 2, byFormat: { 'gcp-audit': 13 } }],
  ['gcp/stratus-docs.ndjson', { read: 12, stored: 0, rejected: { [NO_TIME.gcp]: 12 }, error: allRejected(12) }],
  [
    'other/stratus-azure-activity.ndjson',
    {
      read: 15,
      stored: 0,
      rejected: {
        [UNKNOWN]: 11,
        'no record: "\\"" where an object belongs': 3,
        'entra-audit: no event time (properties.activityDateTime, properties.timeGenerated, time)': 1,
      },
      error: allRejected(15),
    },
  ],
]
const EVENTS = EXPECTED.reduce((sum, [, { stored }]) => sum + stored, 0)
const READ = EXPECTED.reduce((sum, [, { read }]) => sum + read, 0)
const VARIANTS = EXPECTED.reduce((sum, [, { variants = 0 }]) => sum + variants, 0)
const count = (totals: Readonly<Record<string, number>>): number => Object.values(totals).reduce((sum, one) => sum + one, 0)
const REJECTED = EXPECTED.reduce((sum, [, { rejected = {} }]) => sum + count(rejected), 0)

let database: TestDatabase
let straight: string
const summaries = new Map<string, ImportSummary>()

beforeAll(async () => {
  database = await createTestDatabase()
  for (const [file] of EXPECTED) summaries.set(file, await importInto(database.pool, file))
  straight = await exported(database.pool)
})
afterAll(() => database?.drop())

async function rows(table: string): Promise<number> {
  const { rows: found } = await database.pool.query<{ count: number }>(`select count(*)::integer as count from ${table}`)
  return found[0]!.count
}

test('the table of totals names every file of the samples', async () => {
  const { files } = await findFiles([SAMPLES])
  expect(files.map(({ path }) => path.slice(SAMPLES.length + 1)).toSorted()).toEqual(EXPECTED.map(([file]) => file).toSorted())
})

describe('each file imports with exactly these totals', () => {
  test.each(EXPECTED)('%s', (file, { read, stored, duplicates = 0, variants = 0, byFormat = {}, rejected = {}, error }) => {
    const summary = summaries.get(file)!
    expect({ ...summary, files: summary.files.length, rejections: reasons(summary), errors: summary.errors.map(({ reason }) => reason) }).toEqual({
      read,
      stored,
      duplicates,
      variants,
      rejected: count(rejected),
      byFormat,
      files: 1,
      rejections: rejected,
      errors: error === undefined ? [] : [error],
      skipped: [],
    })
    expect(read).toBe(stored + duplicates + count(rejected))
  })
})

test('the store holds what the totals say: an event each, every further text, every rejection with file, reason and text', async () => {
  expect({ events: await rows('events'), heads: await rows('heads'), conclusions: await rows('conclusions') }).toEqual({
    events: EVENTS,
    heads: EVENTS,
    conclusions: EVENTS,
  })
  expect(await rows('variants')).toBe(VARIANTS)
  expect(await rows('rejected')).toBe(REJECTED)
  expect(await rows(`rejected where reason = '' or text = '' or (line is null and reason not like 'not JSON%')`)).toBe(0)
  expect(await rows('pending')).toBe(0)
})

test('no sample record names an Entra agent, so none is attributed to one', async () => {
  expect(await rows(`conclusions where agent_oid is not null or confidence <> 'none' or candidates <> '{}'`)).toBe(0)
})

test('importing the folder again stores nothing new and changes nothing', async () => {
  const before = { rejected: await rows('rejected'), variants: await rows('variants'), chunks: await rows('chunks') }
  const again = await importInto(database.pool, SAMPLES)
  expect(again).toMatchObject({ read: READ, stored: 0, variants: 0, duplicates: READ - REJECTED, rejected: REJECTED })
  expect({ rejected: await rows('rejected'), variants: await rows('variants'), chunks: await rows('chunks') }).toEqual(before)
  expect(await exported(database.pool)).toBe(straight)
})

describe('the order of the files does not matter: the canonical export is the same bytes', () => {
  const files = EXPECTED.map(([file]) => file)
  test.each([['backwards', files.toReversed()], ...[1, 2, 3].map((seed) => [`shuffled with ${seed}`, shuffled(files, seed)] as const)] as const)(
    '%s',
    async (_name, order) => {
      const other = await createTestDatabase()
      try {
        const summary = await importInto(other.pool, ...order)
        expect(summary).toMatchObject({ read: READ, stored: EVENTS, variants: VARIANTS, rejected: REJECTED })
        expect(await exported(other.pool)).toBe(straight)
      } finally {
        await other.drop()
      }
    },
  )
})

/** The same order for the same seed (a linear congruential generator: any will do here). */
function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const result = [...items]
  let state = seed
  for (let last = result.length - 1; last > 0; last--) {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    const other = Math.floor((state / 4_294_967_296) * (last + 1))
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}
