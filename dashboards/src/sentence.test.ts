import { expect, test } from 'vitest'
import type { TimelineItem } from './api-types.ts'
import { collectNames } from './names.ts'
import { sentence, tokenWords, whoShort } from './sentence.ts'

const AGENT = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
const OTHER = 'b14e5f00-1111-4a5a-9d3b-0c5d2e7f9a01'
const UAMI = 'e1f5cc30-4444-4d8d-a06e-3f8051a2cd04'
const names = collectNames([
  {
    tenantId: null,
    oid: AGENT,
    name: 'Weather Agent',
    appId: null,
    status: 'active',
    blueprint: null,
    uamis: [{ oid: UAMI, name: 'weather-uami', current: true }],
    topology: { aws: null, gcp: null },
    firstSeen: null,
    lastSeen: null,
    counts: { bySource: { entra: 0, aws: 0, gcp: 0, app: 0 }, byConfidence: { exact: 0, derived: 0, probable: 0, asserted: 0, ambiguous: 0, none: 0 } },
    exactEvents: 0,
    candidateEvents: 0,
    targetEvents: 0,
  },
])

const call: TimelineItem = {
  id: 'e',
  nativeId: 'n',
  time: '2026-09-01T10:00:00.000000000Z',
  source: 'aws',
  kind: 'llm.invoked',
  action: 'bedrock:Converse',
  outcome: 'success',
  error: null,
  tenantId: null,
  subjectOid: AGENT,
  agentOid: AGENT,
  onBehalfOf: null,
  targets: [],
  role: 'actor',
  attribution: { confidence: 'exact', basis: [], candidates: [], evidence: [] },
  traceId: null,
  sessionId: null,
  parentId: null,
  cloud: { account: null, region: null, principal: null },
  resource: null,
  model: { id: 'm', name: 'claude', provider: null },
  usage: null,
  sourceIp: null,
  userAgent: null,
  requestId: null,
  deliveredAt: null,
  ingestedAt: '2026-09-01T10:00:00.000000000Z',
  rawSha256: null,
}
const attributed = (confidence: TimelineItem['attribution']['confidence'], change: Partial<TimelineItem> = {}): TimelineItem => ({
  ...call,
  attribution: { ...call.attribution, confidence },
  ...change,
})

test('a proven agent is named as the one who did it', () => {
  expect(sentence(call, names)).toBe('Weather Agent called claude on AWS.')
})

test('an ambiguous event names nobody, however many names are at hand', () => {
  const item: TimelineItem = {
    ...call,
    subjectOid: UAMI,
    agentOid: null,
    attribution: { confidence: 'ambiguous', basis: [], candidates: [AGENT, OTHER, UAMI], evidence: [] },
  }
  expect(sentence(item, names)).toBe('One of these 3 agents called claude on AWS.')
  expect(whoShort(item, names)).toBe('one of 3 agents')
})

test('weaker grounds are said with weaker words', () => {
  expect(sentence(attributed('probable'), names)).toBe('Probably Weather Agent called claude on AWS.')
  expect(sentence(attributed('asserted'), names)).toBe('A caller that calls itself Weather Agent called claude on AWS.')
  expect(sentence(attributed('none', { agentOid: null, subjectOid: null }), names)).toBe('Somebody whom no record identifies called claude on AWS.')
  expect(sentence(attributed('none', { agentOid: null, subjectOid: UAMI }), names)).toBe('weather-uami, which no agent is known for, called claude on AWS.')
})

test('a failure is told with the code and message of the record', () => {
  const item: TimelineItem = { ...call, kind: 'token.exchanged', outcome: 'failure', error: { code: 'AccessDenied', message: 'no' } }
  expect(sentence(item, names)).toBe('AWS refused the Entra token of Weather Agent: AccessDenied (no).')
})

test('a change names whom it concerns, not who is in whose timeline', () => {
  const item: TimelineItem = { ...attributed('none', { agentOid: null, subjectOid: null }), kind: 'trust.changed', targets: [AGENT, OTHER] }
  expect(sentence(item, names)).toBe('A trust was changed that concerns Weather Agent, b14e5f00….')
})

test('tokens that no log counted are unknown, not zero', () => {
  const usage = { inputTokens: 571, outputTokens: null, cacheReadTokens: null, cacheWriteTokens: null }
  expect(tokenWords({ ...call, usage })).toBe('571 in / ? out')
  expect(tokenWords({ ...call, usage: { ...usage, inputTokens: null } })).toBeNull()
  expect(tokenWords(call)).toBeNull()
})
