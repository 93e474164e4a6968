/** Reports about formats that people have: exports of CloudWatch Logs, shapes of Google Cloud, access logs with times of all kinds, tables. */
import { afterEach, describe, expect, test } from 'vitest'
import { type Study, study } from './study.ts'

const AGENT = '7a6b5c4d-1111-4222-8333-94a5b6c7d8e9'
const TENANT = '5d0f7c1a-0b2e-4c3d-9e4f-aa11bb22cc33'
let one: Study

afterEach(() => one.close())

async function read(folder: string, files: readonly string[], options: { readonly tenantId?: string } = {}): Promise<Study> {
  one = await study(
    files.map((file) => `${folder}/${file}`),
    options,
  )
  return one
}

/** Rows of values in an order that says nothing. */
const sorted = (rows: readonly (readonly (string | null)[])[]): readonly string[] => rows.map((row) => row.join(' | ')).toSorted()

const rejected = ({ summary }: Study): (readonly [number | null, string])[] => summary.rejections.map(({ origin, reason }) => [origin.line, reason])

describe('26-cloudwatch-exports: invocation logs from CloudWatch Logs are read by every road', () => {
  const FOLDER = '26-cloudwatch-exports'

  test.each([
    ['export-task.txt', 2],
    ['filter.json', 1],
    ['get-query-results.json', 1],
    ['insights-console.json', 2],
    ['lambda-awslogs.json', 1],
    ['tail.txt', 1],
    ['own-firehose.gz', 3],
    ['own-kinesis-event.json', 1],
    ['own-tail-json.txt', 2],
  ])('%s', async (file, records) => {
    const { summary, usage } = await read(FOLDER, [file])
    expect([summary.byFormat, summary.rejected, summary.errors]).toEqual([{ 'bedrock-invocation': records }, 0, []])
    expect(usage.reduce((sum, { inputTokens }) => sum + Number(inputTokens), 0)).toBe(100 * records)
  })

  test('what is no record stands beside it, each for itself', async () => {
    await read(FOLDER, ['own-insights.csv', 'own-cli-text.txt', 'own-export-broken.txt'])
    expect(one.summary.byFormat).toEqual({ 'bedrock-invocation': 4 })
    expect(sorted(rejected(one).map(([line]) => [String(line)]))).toEqual(['2', '2', '3'])
  })

  test('a query that names fields instead of the message gives the same, as far as it names them', async () => {
    const { events, usage } = await read(FOLDER, ['own-insights-fields.json'])
    expect(events).toMatchObject([
      { kind: 'llm.metered', time: '2026-11-10T10:05:01.000000000Z', requestId: 'a1000000-0000-4000-8000-000000000002', cloud: { account: '012345678901' } },
    ])
    expect(usage).toMatchObject([{ modelId: 'amazon.nova-lite-v1:0', inputTokens: 7, outputTokens: 3 }])
  })

  test('no prompt and no completion is kept, neither of what was read nor of what was not', async () => {
    await read(FOLDER, ['own-insights.csv', 'own-insights-fields.json', 'own-tail-json.txt', 'own-export-broken.txt'])
    expect((await one.dump()).filter((text) => text.includes('CANARY'))).toEqual([])
    expect(JSON.stringify(one.summary)).not.toContain('CANARY')
  })
})

describe('29-gcp-shapes: entries of Google Cloud as command lines and consoles hand them out', () => {
  const FOLDER = '29-gcp-shapes'

  test('gcloud.yaml: a document of YAML is an entry', async () => {
    const { events, summary } = await read(FOLDER, ['gcloud.yaml'])
    expect(summary.byFormat).toEqual({ 'gcp-audit': 1 })
    expect(events).toMatchObject([{ nativeId: 'y1', time: '2026-11-10T10:00:00.000000000Z', kind: 'credential.minted' }])
  })

  test('own-gcloud.yaml: ids that look like numbers stay, one bad document costs that document, and no prompt is kept', async () => {
    const { events, summary } = await read(FOLDER, ['own-gcloud.yaml'])
    expect(events.map(({ nativeId }) => nativeId).toSorted()).toEqual(['-w4d2ze1a', '00123', '5e12'])
    expect(events.every(({ subjectOid, kind, time }) => subjectOid === AGENT && kind === 'llm.invoked' && time === '2026-11-10T10:05:00.500000001Z')).toBe(true)
    expect(summary.rejected).toBe(1)
    expect((await one.dump()).filter((text) => text.includes('CANARY'))).toEqual([])
  })

  test('own-aws-lookup.yaml: so are the items of a list in YAML', async () => {
    const { events, summary } = await read(FOLDER, ['own-aws-lookup.yaml'])
    expect([summary.byFormat, summary.rejected]).toEqual([{ cloudtrail: 2 }, 0])
    expect(events.every(({ time }) => time === '2026-11-10T10:05:00.000000000Z')).toBe(true)
  })

  test('own-logs-explorer.csv: columns with paths are the members of an entry', async () => {
    const { events } = await read(FOLDER, ['own-logs-explorer.csv'])
    expect(sorted(events.map(({ nativeId, outcome, error, subjectOid }) => [nativeId, outcome, error?.code ?? null, subjectOid]))).toEqual(
      sorted([
        ['le1', 'success', null, AGENT],
        ['le2', 'failure', '7', AGENT],
      ]),
    )
  })
})

describe('31-api-log-times: an own API log is read, or refused by its value', () => {
  const FOLDER = '31-api-log-times'

  test('in.ndjson', async () => {
    const { events, summary } = await read(FOLDER, ['in.ndjson'])
    expect(summary.rejected).toBe(0)
    const calls = events.filter(({ kind }) => kind === 'api.called')
    expect(calls.map(({ time }) => time).toSorted()).toEqual([
      ...Array<string>(5).fill('2026-11-10T10:05:00.000000000Z'),
      ...Array<string>(2).fill('2026-11-10T10:05:00.123000000Z'),
    ])
    expect(calls.every(({ agentOid }) => agentOid === AGENT)).toBe(true)
  })

  test('own-words.ndjson: the words of nginx, Caddy, ECS, Python, Log4j, ASP.NET and pino', async () => {
    const { events } = await read(FOLDER, ['own-words.ndjson'])
    expect(sorted(events.map(({ time, action, outcome, tenantId, subjectOid, sourceIp }) => [time, action, outcome, tenantId, subjectOid, sourceIp]))).toEqual(
      sorted([
        ['2026-11-10T10:05:00.000000000Z', 'api:GET /w', 'failure', TENANT, AGENT, null],
        ['2026-11-10T10:05:00.000000000Z', 'api:GET /w', 'success', TENANT, AGENT, '203.0.113.7'],
        ['2026-11-10T10:05:00.000000000Z', 'api:/w', 'success', TENANT, AGENT, null],
        ['2026-11-10T10:05:00.123000000Z', 'api:GET /a', 'success', TENANT, AGENT, null],
        ['2026-11-10T10:05:00.123000000Z', 'api:GET /w', 'success', TENANT, AGENT, null],
        ['2026-11-10T10:05:00.123456700Z', 'api:GET /w', 'success', TENANT, AGENT, '203.0.113.7'],
        ['2026-11-10T10:05:00.123456789Z', 'api:GET /w', 'success', TENANT, AGENT, null],
        ['2026-11-10T10:05:00.250000000Z', 'api:GET /w', 'success', TENANT, AGENT, null],
        ['2026-11-10T10:05:00.500000000Z', 'weather:GET /w', 'success', TENANT, AGENT, '203.0.113.7'],
        ['2026-11-10T10:05:01.123000000Z', 'api:GET /b', 'success', TENANT, AGENT, null],
      ]),
    )
    const reasons = rejected(one)
    expect(reasons.map(([line]) => line)).toEqual([9, 10, 11])
    for (const [index, value] of ['"yesterday"', '"10/11/2026 10:05"', '20261110100500'].entries()) expect(reasons[index]![1]).toContain(value)
  })
})

describe('36-csv: tables are read as far as they prove anything, and every other row is kept with its line and a reason', () => {
  const FOLDER = '36-csv'

  test('ApplicationSignIns: a sign-in of the service principal', async () => {
    const { events, summary } = await read(FOLDER, ['ApplicationSignIns_2026-11-10.csv'], { tenantId: TENANT })
    expect([summary.byFormat, summary.rejected]).toEqual([{ 'entra-signin': 1 }, 0])
    expect(events).toMatchObject([{ nativeId: 'a', kind: 'token.issued', outcome: 'success', subjectOid: AGENT, tenantId: TENANT, sourceIp: '203.0.113.7' }])
  })

  test('event_history: a call with its access key; no model and no account, for the row names none', async () => {
    const { events, summary } = await read(FOLDER, ['event_history.csv'])
    expect([summary.byFormat, summary.rejected]).toEqual([{ cloudtrail: 1 }, 0])
    expect(events).toMatchObject([
      {
        nativeId: 'e',
        kind: 'llm.invoked',
        outcome: 'success',
        model: null,
        requestId: 'r',
        cloud: { account: null, region: 'us-east-1' },
        time: '2026-11-10T10:00:00.000000000Z',
      },
    ])
    expect(events[0]!.sessionId).not.toBeNull()
  })

  test('query_data: a row that does not tell its log is kept, with its columns', async () => {
    await read(FOLDER, ['query_data.csv'])
    expect(one.summary.stored).toBe(0)
    expect(rejected(one)).toEqual([[2, 'no known record format: the columns TimeGenerated [UTC], Id, AppId do not tell which log the row is of']])
  })

  test('own-InteractiveSignIns: 57 columns, two of one title; codes, words, and what is neither', async () => {
    const { events } = await read(FOLDER, ['own-InteractiveSignIns.csv'])
    expect(sorted(events.map(({ nativeId, outcome, error, tenantId }) => [nativeId.slice(-1), outcome, error?.code ?? null, tenantId]))).toEqual(
      sorted([
        ['1', 'success', null, TENANT],
        ['2', 'failure', '50126', TENANT],
        ['3', 'failure', 'Interrupted', TENANT],
      ]),
    )
    expect(rejected(one)).toEqual([
      [5, 'entra-signin: Status must be Success, Failure or Interrupted, or Sign-in error code a number, got "odd"'],
      [6, expect.stringMatching(/^entra-signin: no event time/)],
    ])
  })

  test('own-MSISignIns: the managed identity, and that it is assigned by users', async () => {
    const { events, principals } = await read(FOLDER, ['own-MSISignIns.csv'])
    expect(events).toMatchObject([
      { action: 'entra:ManagedIdentitySignIn', outcome: 'success', subjectOid: 'c0c0c0c0-1111-4222-8333-444444444444', tenantId: TENANT },
    ])
    expect(principals).toMatchObject([{ kind: 'managed-identity' }])
  })

  test('own-AuditLogs: who, what, and which object', async () => {
    const { events } = await read(FOLDER, ['own-AuditLogs.csv'], { tenantId: TENANT })
    expect(events).toMatchObject([
      {
        action: 'entra:Delete service principal',
        kind: 'identity.changed',
        outcome: 'success',
        targets: [AGENT],
        cloud: { principal: 'admin@example.com' },
        sourceIp: '198.51.100.9',
      },
      { action: 'entra:Add service principal', outcome: 'failure', error: { code: 'failure', message: 'denied' }, cloud: { principal: 'Deployer' } },
    ])
  })

  test('own-query-data: Log Analytics with semicolons; times that name one day are read, the other is refused by its value', async () => {
    const { events } = await read(FOLDER, ['own-query-data.csv'])
    expect(events.map(({ time, agentOid }) => [time, agentOid])).toEqual([
      ['2026-11-10T13:00:00.123000000Z', AGENT],
      ['2026-11-10T13:00:00.123456700Z', AGENT],
      ['2026-11-13T13:00:00.000000000Z', AGENT],
    ])
    expect(rejected(one)).toEqual([[5, expect.stringContaining('"11/10/2026, 13:00:00.000"')]])
  })

  test('own-query-local: times in a zone that the table does not name are refused', async () => {
    await read(FOLDER, ['own-query-local.csv'])
    expect(rejected(one)).toEqual([[2, expect.stringContaining('TimeGenerated [Local Time]')]])
  })

  test('own-powershell: names of types where objects belong are refused', async () => {
    await read(FOLDER, ['own-powershell.csv'])
    expect([one.summary.stored, one.summary.rejected]).toEqual([0, 1])
    expect(rejected(one)[0]![1]).toContain('Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus')
  })

  test.each([
    ['own-athena.csv', '050'],
    ['own-sentinel-aws.csv', '070'],
  ])('%s: a call as CloudTrail writes it', async (file, end) => {
    const { events } = await read(FOLDER, [file])
    expect(events).toMatchObject([
      {
        nativeId: `e3600000-0000-4000-8000-000000000${end}`,
        kind: 'llm.invoked',
        cloud: { account: '012345678901', region: 'us-east-1', principal: 'arn:aws:sts::012345678901:assumed-role/weather-agent/weather-1' },
        model: { id: 'amazon.nova-lite-v1:0' },
        time: '2026-11-10T10:05:00.000000000Z',
      },
    ])
    expect(events[0]!.sessionId).not.toBeNull()
  })

  test('own-hunting: Defender says which principal is a managed identity', async () => {
    const { events } = await read(FOLDER, ['own-hunting.csv'])
    expect(events).toMatchObject([
      { nativeId: '36000000-0000-4000-8000-000000000061', action: 'entra:ManagedIdentitySignIn', outcome: 'failure', error: { code: '700016' } },
      { nativeId: '36000000-0000-4000-8000-000000000060', action: 'entra:ServicePrincipalSignIn', outcome: 'success', subjectOid: AGENT },
    ])
  })

  test('own-event-history: an exchange without its parameters proves no subject', async () => {
    const { events } = await read(FOLDER, ['own-event-history.csv'])
    expect(events).toMatchObject([
      { action: 'sts:AssumeRoleWithWebIdentity', time: '2026-11-10T09:00:00.000000000Z', subjectOid: null, attribution: { confidence: 'none' } },
      { action: 'bedrock:Converse', outcome: 'failure', error: { code: 'AccessDenied' } },
    ])
  })

  test('own-prices: a table of something else is one rejection', async () => {
    await read(FOLDER, ['own-prices.csv'])
    expect([one.summary.read, one.summary.rejected]).toEqual([1, 1])
  })
})
