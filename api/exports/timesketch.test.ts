import { expect, test } from 'vitest'
import { id } from '../fixture.ts'
import type { ExportItem } from './item.ts'
import { timesketchLine } from './timesketch.ts'

const ITEM: ExportItem = {
  id: id('7'),
  nativeId: 'native',
  time: '2026-09-01T10:00:00.123456789Z',
  source: 'aws',
  kind: 'llm.invoked',
  action: 'bedrock:Converse',
  outcome: 'failure',
  error: { code: 'Denied', message: 'line one\nline two' },
  tenantId: id('1'),
  subjectOid: id('a'),
  agentOid: null,
  onBehalfOf: null,
  targets: [],
  role: 'candidate',
  attribution: { confidence: 'ambiguous', basis: ['credential'], candidates: [id('b'), id('c')], evidence: [] },
  traceId: null,
  sessionId: null,
  parentId: null,
  cloud: { account: '123456789012', region: null, principal: null },
  model: { id: 'm', name: null, provider: null },
  usage: { inputTokens: 0, outputTokens: null, cacheReadTokens: null, cacheWriteTokens: null },
  sourceIp: '192.0.2.7',
  userAgent: 'evil\u001b[31m\n{"message":"forged"}',
  requestId: null,
  deliveredAt: null,
  ingestedAt: '2026-09-01T10:06:00.000000000Z',
  rawSha256: 'ab'.repeat(32),
  resource: 'x\ny',
  tokenId: null,
}
const read = (item: ExportItem) => JSON.parse(timesketchLine(item)) as Record<string, unknown>

test('a line has what Timesketch must have, of the types that it stores', () => {
  const record = read(ITEM)
  expect(record).toMatchObject({
    message: `aws bedrock:Converse failure (Denied) by one of 2 agents (ambiguous) with m from 192.0.2.7`,
    datetime: '2026-09-01T10:00:00.123456+00:00',
    timestamp: 1_788_256_800_123_456,
    timestamp_desc: 'Model Invoked',
    event_time: '2026-09-01T10:00:00.123456789Z',
  })
  expect(new Date(record['datetime'] as string).getTime() * 1000).toBe(Math.floor((record['timestamp'] as number) / 1000) * 1000)
})

test('fields are flat, of one type, never null, and none bears a name that Timesketch or OpenSearch keeps for itself', () => {
  const record = read({ ...ITEM, agentOid: id('b'), targets: [id('d')], model: { id: 'm', name: 'n', provider: 'p' } })
  for (const [name, value] of Object.entries(record)) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect(['tag', 'timesketch_label', 'label', 'type', 'index', 'id', 'source']).not.toContain(name)
    const kind = Array.isArray(value) ? 'list' : typeof value
    expect(kind).toMatch(/^(?:string|number|list)$/)
    if (Array.isArray(value)) expect(value.every((one) => typeof one === 'string') && value.length > 0).toBe(true)
  }
})

test('an item is one line, whatever an attacker wrote into it, and the text itself is kept', () => {
  const line = timesketchLine(ITEM)
  for (const character of ['\n', '\r', '\u001b']) expect(line).not.toContain(character)
  expect(read(ITEM)).toMatchObject({ user_agent: ITEM.userAgent, resource_name: 'x\ny', error_message: 'line one\nline two', input_tokens: 0 })
  expect(read({ ...ITEM, model: null })['message']).toBe('aws bedrock:Converse failure (Denied) by one of 2 agents (ambiguous) on x y from 192.0.2.7')
})
