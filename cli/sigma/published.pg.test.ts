/** Rules as they are published, over the clouds' own records: each finds exactly what was planted for it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Study, study } from '../../test/reports/study.ts'
import { linkedEvents } from './events.ts'
import { readRules } from './rule.ts'
import { createRun, linkable, type SigmaRun } from './run.ts'
import { RECORDS } from './testing/records.ts'
import { PUBLISHED, type PublishedRule } from './testing/rules.ts'

let store: Study
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-sigma-'))
  await writeFile(join(folder, 'records.ndjson'), RECORDS.map((record) => JSON.stringify(record)).join('\n'))
  store = await study([folder])
})
afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

const text = ({ name, logsource, detection }: PublishedRule): string => {
  const [product, service] = logsource.split('/')
  return `title: ${name}\nlogsource:\n    product: ${product}\n    service: ${service}\ndetection:\n${detection.replaceAll(/^/gm, '    ')}\nlevel: medium\n`
}

async function over(rules: readonly PublishedRule[]): Promise<{ readonly run: SigmaRun; readonly found: Map<string, string[]> }> {
  const run = createRun(rules.flatMap((rule) => readRules(text(rule), `${rule.name}.yml`)))
  const labels = new Map(store.events.map(({ id, nativeId }) => [id, nativeId]))
  const matches = []
  for await (const event of linkedEvents(store.pool, run, { fromNs: null, toNs: null, sources: null })) matches.push(...run.offer(event))
  const found = new Map<string, string[]>()
  for (const { rule, events } of [...matches, ...run.finish()]) found.set(rule, [...(found.get(rule) ?? []), ...events.map((id) => labels.get(id)!)])
  return { run, found }
}

test('every planted record is read', () => {
  expect(store.summary).toMatchObject({ read: RECORDS.length, stored: RECORDS.length, rejected: 0 })
})

describe('a rule as it is published finds exactly the records that it is for', () => {
  let found: Map<string, string[]>
  let unseen: ReturnType<SigmaRun['unseen']>
  const named = PUBLISHED.map((rule) => ({ ...rule, name: `${rule.logsource} ${rule.name}` }))
  beforeAll(async () => {
    const all = await over(named)
    found = all.found
    unseen = all.run.unseen()
  })
  test.each(named)('$name', ({ name, finds }) => expect((found.get(name) ?? []).toSorted()).toEqual([...finds].toSorted()))
  test('every field of theirs stands in some record', () => expect(unseen).toEqual([]))
})

test('a field that no record has is told of: that nothing was found there says nothing', async () => {
  const { run, found } = await over([
    { name: 'T', logsource: 'azure/signinlogs', detection: 'selection:\n  Status: failure\n  Count: "<10%"\ncondition: selection', finds: [] },
  ])
  expect(found.size).toBe(0)
  expect(run.unseen()).toMatchObject([{ rule: 'T', fields: ['Count'] }])
})

describe('what cannot be found is refused with the reason:', () => {
  const refused = (logsource: string, detection: string): string => `title: T\nlogsource: ${logsource}\ndetection: ${detection}`
  test.each([
    [
      refused('{ product: azure, service: activitylogs }', '{ s: { operationName: MICROSOFT.KEYVAULT/VAULTS/DELETE }, condition: s }'),
      'the Azure activity log, which holds these, is not read',
    ],
    [
      refused('{ product: azure, service: activitylogs }', '{ s: { OperationNameValue: Microsoft.Compute/virtualMachines/write }, condition: s }'),
      'is an operation on Azure resources',
    ],
    [
      refused('{ product: azure, service: activitylogs }', '{ keywords: [Microsoft.Compute/virtualMachines/write], condition: keywords }'),
      'is an operation on Azure resources',
    ],
    [refused('{ product: m365, service: threat_management }', '{ s: { eventName: x }, condition: s }'), 'logs of the product "m365" are not read'],
    [
      refused('{ product: azure, category: user_management, service: entra_id }', '{ s: { a: x }, condition: s }'),
      '"category" of a logsource is not supported',
    ],
    [refused('{ product: aws, service: guardduty }', '{ s: { a: x }, condition: s }'), 'records of aws/guardduty are not read. Of aws these are: cloudtrail'],
    [refused('{ product: azure }', '{ s: { a: x }, condition: s }'), '"product: azure" without a service is not read'],
    [refused('{ product: aws, service: cloudtrail }', '{ s: { eventName|re: "(?<!x)y" }, condition: s }'), 'T.yml:3'],
    [
      refused('{ product: aws, service: cloudtrail }', '{ s: { eventName: x }, condition: "s | count() by userIdentity.arn > 20" }'),
      'a count needs a timeframe',
    ],
    [refused('{ product: aws, service: cloudtrail }', '{ s: { trailjoin.agent: x }, condition: s }'), 'linked events have no field "agent"'],
  ])('%s', (rule, reason) => expect(() => readRules(rule, 'T.yml')).toThrow(reason))
})

test('older names of a logsource are taken, and selections that nothing uses', () => {
  const older =
    'title: T\nlogsource: { product: azure, service: azure.signinlogs }\ndetection: { s: { ResultType: 0 }, unused: { ResultType: 1 }, condition: s }'
  expect(readRules(older, 'T.yml')).toMatchObject([{ vocabulary: { name: 'azure/signinlogs' } }])
  expect(readRules(older.replace('azure, service: azure.signinlogs', 'gcp, service: gcp.audit'), 'T.yml')).toMatchObject([
    { vocabulary: { name: 'gcp/gcp.audit' } },
  ])
})

test('a published correlation groups by members of the record', async () => {
  const rules = readRules(
    'title: many\ncorrelation:\n  type: value_count\n  rules: [secrets]\n  group-by: [userIdentity.arn]\n  timespan: 10m\n  condition: { field: requestParameters.secretId, gte: 3 }\n---\n' +
      'title: secrets\nname: secrets\nlogsource: { product: aws, service: cloudtrail }\ndetection: { s: { eventName: GetSecretValue }, condition: s }',
    'T.yml',
  )
  const run = createRun(rules)
  const matches = []
  for await (const event of linkedEvents(store.pool, run, { fromNs: null, toNs: null, sources: ['aws'] })) matches.push(...run.offer(event))
  expect([...matches, ...run.finish()]).toMatchObject([{ rule: 'many', count: 3, group: { 'userIdentity.arn': 'arn:aws:iam::444455556666:user/dev' } }])
})

test.each([
  ['BigQuery', { protopayload_auditlog: { methodName: 'm', requestJson: '{"direction":"INGRESS"}', requestMetadata: { callerIp: '192.0.2.1' } } }],
  ['Log Analytics', { proto_payload: { audit_log: { method_name: 'm', request: { direction: 'INGRESS' }, request_metadata: { caller_ip: '192.0.2.1' } } } }],
  ['Cloud Logging', { protoPayload: { methodName: 'm', request: { direction: 'INGRESS' }, requestMetadata: { callerIp: '192.0.2.1' } } }],
])('an entry as %s keeps it is read by the same names', (_what, record) => {
  for (const prefix of ['gcp.audit.', 'data.protoPayload.', 'protoPayload.', ''])
    for (const items of [
      `${prefix}method_name: m`,
      `${prefix}methodName: m`,
      `${prefix}request.direction: ingress`,
      `${prefix}requestMetadata.callerIp|cidr: 192.0.2.0/24`,
    ]) {
      const run = createRun(readRules(`title: T\nlogsource: { product: gcp, service: gcp.audit }\ndetection: { s: { ${items} }, condition: s }`, 'T.yml'))
      expect(run.offer({ id: 'e', timeNs: 0n, tenantId: null, field: () => null, format: 'gcp-audit', record: () => record }), items).toHaveLength(1)
    }
})

test('a count may have its timeframe beside the detection', () => {
  const rule =
    'title: T\nlogsource: { product: aws, service: cloudtrail }\ndetection: { s: { eventName: x }, condition: "s | count(eventName) by userIdentity.arn > 6" }\ntimeframe: 5m'
  expect(readRules(rule, 'T.yml').map(({ kind }) => kind)).toEqual(['event', 'correlation'])
})

test('a correlation that cannot be linked is refused by itself, and keeps no other rule from running', () => {
  const event = 'title: e\nname: e\nlogsource: { product: aws, service: cloudtrail }\ndetection: { s: { eventName: x }, condition: s }'
  const correlation = (name: string, rules: string): string =>
    `title: ${name}\nname: ${name}\ncorrelation: { type: event_count, rules: [${rules}], group-by: [userIdentity.arn], timespan: 1h, condition: { gte: 2 } }`
  const all = readRules([event, correlation('good', 'e'), correlation('of-a-correlation', 'good'), correlation('of-nothing', 'z')].join('\n---\n'), 'T.yml')
  const { rules, refused } = linkable(all)
  expect(rules.map(({ title }) => title)).toEqual(['e', 'good'])
  expect(refused.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('correlates the correlation "good"'),
    expect.stringContaining('names the rule "z"'),
  ])
  createRun(rules)
})
