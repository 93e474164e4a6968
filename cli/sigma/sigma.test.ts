import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MINUTE } from '#core/time.ts'
import type { FieldName, FieldValue } from './fields.ts'
import { readRules } from './rule.ts'
import { createRun, type Match } from './run.ts'
import type { SigmaEvent } from './vocabulary/vocabulary.ts'

const AGENT = '11111111-1111-4111-8111-111111111111'

function event(fields: Partial<Record<FieldName, FieldValue>>, minute = 0, id = `e${minute}`): SigmaEvent {
  return { id, timeNs: BigInt(minute) * MINUTE, tenantId: null, field: (name) => fields[name] ?? null }
}

const rule = (detection: string): string => `title: T\nlogsource: { product: trailjoin }\ndetection:\n${detection.replaceAll(/^/gm, '  ')}\n`
const one = (selection: string): string => rule(`s: { ${selection} }\ncondition: s`)

function matches(text: string, events: readonly SigmaEvent[]): Match[] {
  const run = createRun(readRules(text, 'r.yml'))
  return [...events.flatMap((item) => run.offer(item)), ...run.finish()]
}
const fires = (text: string, fields: Partial<Record<FieldName, FieldValue>>): boolean => matches(text, [event(fields)]).length === 1

describe('values', () => {
  test.each<[string, Partial<Record<FieldName, FieldValue>>, boolean]>([
    ['action: bedrock:Converse', { action: 'Bedrock:CONVERSE' }, true],
    ['action|cased: bedrock:Converse', { action: 'Bedrock:CONVERSE' }, false],
    ['action: "bedrock:*"', { action: 'bedrock:Converse' }, true],
    ['action: "bedrock:?onverse"', { action: 'bedrock:Converse' }, true],
    ['action: "bedrock:?"', { action: 'bedrock:Converse' }, false],
    [String.raw`action: 'a\*b'`, { action: 'axb' }, false],
    [String.raw`action: 'a\*b'`, { action: 'a*b' }, true],
    [String.raw`action: 'a\\*'`, { action: String.raw`a\x` }, true],
    ['action: "a.b"', { action: 'axb' }, false],
    ['action: [x, y]', { action: 'y' }, true],
    ['action: [x, y]', { action: 'z' }, false],
    ['action|contains: rocK', { action: 'bedrock:Converse' }, true],
    ['action|startswith: rock', { action: 'bedrock:Converse' }, false],
    ['action|endswith: verse', { action: 'bedrock:Converse' }, true],
    ['action|contains|all: [bed, Conv]', { action: 'bedrock:Converse' }, true],
    ['action|contains|all: [bed, Xonv]', { action: 'bedrock:Converse' }, false],
    ['action|re: "^bed.*se$"', { action: 'bedrock:Converse' }, true],
    ['action|re: "^BED"', { action: 'bedrock:Converse' }, false],
    ['action|re|i: "^BED"', { action: 'bedrock:Converse' }, true],
    ['sourceIp|cidr: 10.0.0.0/8', { sourceIp: '10.200.1.1' }, true],
    ['sourceIp|cidr: 10.0.0.0/8', { sourceIp: '11.0.0.1' }, false],
    ['sourceIp|cidr: ["2001:db8::/32"]', { sourceIp: '2001:db8::1' }, true],
    ['sourceIp|cidr: 10.0.0.0/8', {}, false],
    ['outputTokens|gte: 10', { outputTokens: 10 }, true],
    ['outputTokens|gt: 10', { outputTokens: 10 }, false],
    ['outputTokens|lt: 10', {}, false],
    ['outputTokens: 10', { outputTokens: 10 }, true],
    ['agentOid: null', {}, true],
    ['agentOid: null', { agentOid: AGENT }, false],
    ['agentOid|exists: true', { agentOid: AGENT }, true],
    ['candidates|exists: false', { candidates: [] }, true],
    ['candidates: b', { candidates: ['a', 'B'] }, true],
    ['candidates|all: [a, b]', { candidates: ['a', 'b', 'c'] }, true],
    ['candidates|all: [a, d]', { candidates: ['a', 'b', 'c'] }, false],
    ['agentOid|fieldref: subjectOid', { agentOid: 'x', subjectOid: 'X' }, true],
    ['agentOid|fieldref: subjectOid', {}, false],
    ['agentOid|fieldref|neq: subjectOid', { agentOid: 'x', subjectOid: 'y' }, true],
    ['action|neq: x', { action: 'y' }, true],
    ['action: "*"', {}, false],
    ['action: "*a*a*"', { action: 'xaxa' }, true],
    ['action: "*a*a*"', { action: 'xax' }, false],
    ['action|startswith: "a*c"', { action: 'abcd' }, true],
    ['action|endswith: "a*c"', { action: 'xabc' }, true],
    ['action|endswith: "a*c"', { action: 'xabcd' }, false],
    ['action: "a*a"', { action: 'a' }, false],
    ['outputTokens: 0', { outputTokens: 0 }, true],
    ['action|base64: whoami', { action: 'd2hvYW1p' }, true],
    ['action|base64: whoami', { action: 'D2HVYW1P' }, false],
    ['action|wide|base64: ab', { action: 'YQBiAA==' }, true],
    ['action|utf16be|base64: ab', { action: 'AGEAYg==' }, true],
    ['action|base64offset|contains: whoami', { action: Buffer.from('x whoami y').toString('base64') }, true],
    ['action|base64offset|contains: whoami', { action: Buffer.from('xy whoami').toString('base64') }, true],
    ['action|base64offset|contains: whoami', { action: Buffer.from('whoami').toString('base64') }, true],
    ['action|base64offset|contains: whoami', { action: Buffer.from('whoareyou').toString('base64') }, false],
    ['action|windash|contains: " -enc"', { action: 'powershell /enc x' }, true],
    ['action|windash|contains: " -enc"', { action: 'powershell x-enc' }, false],
    ['action|hour: 13', { action: '2026-05-01T13:59:00Z' }, true],
    ['action|hour|gte: 20', { action: '2026-05-01T19:59:00Z' }, false],
    ['action|week: 53', { action: '2026-12-31T00:00:00Z' }, true],
    ['action|day: 1', { action: 'no time' }, false],
    ['action|re: "(?i)^BED"', { action: 'bedrock' }, true],
    ['principal|fieldref|endswith: modelName', { principal: 'arn:x/Nova', modelName: 'nova' }, true],
    ['principal|fieldref|contains: modelName', { principal: 'arn:x', modelName: 'nova' }, false],
  ])('%s of %j: %s', (selection, fields, expected) => expect(fires(one(selection), fields)).toBe(expected))

  test('any text is found by itself, escaped, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (text) => {
        const escaped = text.replaceAll(/[\\*?]/g, String.raw`\$&`)
        expect(fires(rule(`s:\n  action: ${JSON.stringify(escaped)}\ncondition: s`), { action: text })).toBe(true)
      }),
    )
  })
})

describe('what takes other engines for ever takes no time here', () => {
  const long = 'a'.repeat(100_000)
  test.each([String.raw`action|re: '^(a+)+$'`, String.raw`action|re: '(a|aa)+$'`, `action: '${'*a'.repeat(40)}*b'`, `action|contains: '${'a*'.repeat(40)}b'`])(
    '%s',
    (selection) => {
      const began = performance.now()
      expect(fires(one(selection), { action: `${long}!` })).toBe(false)
      expect(performance.now() - began).toBeLessThan(2000)
    },
  )
})

describe('a count in the way of the first version', () => {
  const counted = (condition: string): string => rule(`s: { kind: k }\ntimeframe: 10m\ncondition: ${condition}`)
  const at = (minute: number, agentOid: string, sourceIp: string): SigmaEvent => event({ kind: 'k', agentOid, sourceIp }, minute)
  test('counts events of a group within the timeframe', () => {
    expect(matches(counted('s | count() by agentOid > 2'), [at(0, 'a', 'x'), at(1, 'a', 'x'), at(2, 'b', 'x')])).toEqual([])
    const found = matches(counted('s | count() by agentOid > 2'), [at(0, 'a', 'x'), at(1, 'a', 'x'), at(2, 'a', 'x')])
    expect(found).toMatchObject([{ rule: 'T', count: 3, group: { agentOid: 'a' } }])
  })
  test('counts different values', () => {
    expect(matches(counted('s | count(sourceIp) by agentOid >= 2'), [at(0, 'a', 'x'), at(1, 'a', 'x')])).toEqual([])
    expect(matches(counted('s | count(sourceIp) by agentOid >= 2'), [at(0, 'a', 'x'), at(1, 'a', 'y')])).toHaveLength(1)
  })
})

describe('conditions', () => {
  test('several conditions: one of them is enough', () => {
    const text = rule('a: { action: a }\nb: { action: b }\ncondition: [a, b]')
    expect([fires(text, { action: 'a' }), fires(text, { action: 'b' }), fires(text, { action: 'c' })]).toEqual([true, true, false])
  })

  const selections = 'a_1: { action: a }\na_2: { kind: k }\nb: { outcome: o }\n'
  const truth = (condition: string) => (fields: Partial<Record<FieldName, FieldValue>>) => fires(rule(`${selections}condition: ${condition}`), fields)
  test.each<[string, (a: boolean, k: boolean, o: boolean) => boolean]>([
    ['a_1 and a_2 and b', (a, k, o) => a && k && o],
    ['a_1 or a_2 and b', (a, k, o) => a || (k && o)],
    ['(a_1 or a_2) and b', (a, k, o) => (a || k) && o],
    ['not a_1 and not (a_2 or b)', (a, k, o) => !a && !(k || o)],
    ['1 of a_* and b', (a, k, o) => (a || k) && o],
    ['all of a_* or b', (a, k, o) => (a && k) || o],
    ['1 of them', (a, k, o) => a || k || o],
    ['not all of them', (a, k, o) => !(a && k && o)],
    ['ANY OF a_* AND NOT b', (a, k, o) => (a || k) && !o],
  ])('%s', (condition, expected) => {
    for (const a of [true, false])
      for (const k of [true, false])
        for (const o of [true, false])
          expect(truth(condition)({ action: a ? 'a' : 'x', kind: k ? 'k' : 'x', outcome: o ? 'o' : 'x' }), `${a} ${k} ${o}`).toBe(expected(a, k, o))
  })

  test('a list of maps holds when one of them does', () => {
    const text = rule('s:\n  - { action: a, kind: k }\n  - { outcome: o }\ncondition: s')
    expect([fires(text, { action: 'a' }), fires(text, { action: 'a', kind: 'k' }), fires(text, { outcome: 'o' })]).toEqual([false, true, true])
  })
})

describe('what is not supported is refused with file, line and reason:', () => {
  const correlated = (more: string): string =>
    `title: C\ncorrelation:\n  type: event_count\n  rules: [r]\n  group-by: [agentOid]\n  timespan: 1h\n  condition: { gte: 2 }\n${more}`
  test.each([
    [one('action|rot13: x'), 'r.yml:4: the modifier "rot13" is not supported'],
    [one('action|expand: "%users%"'), 'expand stands for values of your own'],
    [one('action|base64: "x*"'), 'a value with wildcards cannot be encoded'],
    [one('action|base64offset: x'), 'base64offset goes with contains'],
    [one('action|wide|cidr: 10.0.0.0/8'), 'wide go with text'],
    [one('action|hour|contains: 5'), 'a part of a time is a number'],
    [one('eventName: x'), 'linked events have no field "eventName"'],
    [one('agent_oid: x'), 'do you mean agentOid?'],
    [one('action|contains|endswith: x'), 'do not go together'],
    [one('sourceIp|cidr: 10.0.0.0'), 'is no network'],
    [one('outputTokens|gt: many'), 'needs a number'],
    [one('action|re: "("'), 'missing closing )'],
    [one('action|re: "(?=x)"'), 'invalid or unsupported'],
    [one('action|re: "(x)\\\\1"'), 'invalid escape sequence'],
    [one('action: { a: b }'), 'is no text, number or null'],
    [one('action: []'), 'has no value'],
    [rule('keywords: [a, b]\ncondition: keywords'), 'keywords without a field are not supported'],
    [rule('s: { action: a }\ncondition: s | count() > 5'), 'a count needs a timeframe'],
    [rule('s: { action: a }\ntimeframe: 5m\ncondition: s | sum(inputTokens) > 5'), 'write a correlation rule'],
    [rule('s: { action: a }\ntimeframe: soon\ncondition: s | count() > 5'), 'r.yml:5: the timespan is none like'],
    [rule('s: { action: a }\ncondition: t'), 'the condition names "t"'],
    [rule('s: { action: a }\nt: { action: b }\ncondition: s'), 'the selection "t" stands in the detection and not in the condition'],
    [rule('s: { action: a }\ncondition: s and'), 'ends too early'],
    [rule('s: { action: a }\ncondition: (s'), 'is not closed'],
    [rule('s: { action: a }\ncondition: s s'), 'is not understood'],
    [rule('s: { action: a }\ncondition: 2 of s'), '"2 of" is not supported'],
    [rule('s: { action: a }\ntimeframe: 5m\ncondition: s'), 'r.yml:6: timeframe is not supported'.replace('6', '5')],
    ['title: T\nlogsource: { product: windows }\ndetection: { s: { action: a }, condition: s }', 'r.yml:2: logs of the product "windows" are not read'],
    ['title: T\nlogsource: { product: trailjoin, category: x }\ndetection: { s: { action: a }, condition: s }', '"category" of a logsource is not supported'],
    ['title: T\nlogsource: { product: trailjoin, service: azure }\ndetection: { s: { action: a }, condition: s }', 'the service is none of'],
    ['title: T\naction: global', 'collections by "action"'],
    ['title: T\nlevel: grave', 'r.yml:2: level is none of'],
    ['a: [', 'r.yml:1'],
    ['', 'holds no rule'],
    [correlated('').replace('event_count', 'value_sum'), 'the type is none of event_count'],
    [correlated('').replace('gte: 2', 'lte: 2'), '"lte" in a correlation'],
    [correlated('').replace('1h', '1M'), 'the timespan is none like'],
    [correlated('').replace('  timespan', '  window: 5\n  timespan'), '"window" of a correlation is not supported'],
    [correlated('').replace('event_count', 'value_count'), 'value_count must say whose values'],
  ])('%j', (text, message) => expect(() => readRules(text, 'r.yml')).toThrow(message))

  test('a correlation of a rule that is not there, of two, or of a correlation', () => {
    expect(() => createRun(readRules(correlated(''), 'r.yml'))).toThrow('r.yml:1: "C" names the rule "r", which is in none of the files')
    const ofAgent = correlated('').replace('agentOid', 'agent')
    expect(() => createRun(readRules(`${ofAgent}---\n${one('action: a').replace('title: T', 'title: T\nname: r')}`, 'r.yml'))).toThrow(
      'r.yml:5: linked events have no field "agent"',
    )
    const named = one('action: a').replace('title: T', 'title: T\nname: r')
    expect(() => createRun(readRules(`${correlated('')}---\n${named}---\n${named}`, 'r.yml'))).toThrow('two rules are called so')
    expect(() => createRun(readRules(`${correlated('')}---\n${correlated('name: r\n')}`, 'r.yml'))).toThrow('which is not supported')
  })
})

describe('correlations', () => {
  const base = (name: string, selection: string): string => one(selection).replace('title: T', `title: ${name}\nname: ${name}`)
  const count = (text: string): string =>
    `title: C\ncorrelation:\n  rules: [r]\n  group-by: [agentOid]\n  timespan: 10m\n  ${text}\n---\n${base('r', 'kind: k')}`
  const at = (...minutes: number[]): SigmaEvent[] => minutes.map((minute) => event({ kind: 'k', agentOid: AGENT, sourceIp: `ip${minute}` }, minute))

  test('count events within the timespan, each match once from its first to its last event', () => {
    const text = count('type: event_count\n  condition: { gte: 3 }')
    expect(matches(text, at(0, 5, 11, 16))).toEqual([])
    const found = matches(text, at(0, 5, 10, 12, 40, 41, 42))
    expect(found.map(({ firstNs, lastNs, count: events }) => [firstNs / MINUTE, lastNs / MINUTE, events])).toEqual([
      [0n, 12n, 4],
      [40n, 42n, 3],
    ])
    expect(found[0]).toMatchObject({ rule: 'C', group: { agentOid: AGENT }, oids: [AGENT], events: ['e0', 'e5', 'e10', 'e12'] })
  })

  test('leave out events that lack the field, and keep groups apart', () => {
    const text = count('type: event_count\n  condition: { gt: 1 }')
    expect(matches(text, [event({ kind: 'k' }, 0), event({ kind: 'k' }, 1)])).toEqual([])
    expect(matches(text, [event({ kind: 'k', agentOid: 'a' }, 0), event({ kind: 'k', agentOid: 'b' }, 1)])).toEqual([])
  })

  test('count different values', () => {
    const text = count('type: value_count\n  condition: { field: sourceIp, gte: 3 }')
    expect(matches(text, at(0, 1, 2))).toHaveLength(1)
    expect(
      matches(
        text,
        [0, 1, 2, 3].map((minute) => event({ kind: 'k', agentOid: AGENT, sourceIp: `ip${minute % 2}` }, minute)),
      ),
    ).toEqual([])
    expect(matches(text, at(0, 6, 12))).toEqual([])
  })

  const both = (type: string): string =>
    `title: C\ncorrelation:\n  type: ${type}\n  rules: [r, q]\n  group-by: [who]\n  aliases: { who: { r: agentOid, q: subjectOid } }\n  timespan: 10m\n---\n${base('r', 'kind: r')}---\n${base('q', 'kind: q')}`
  const r = (minute: number): SigmaEvent => event({ kind: 'r', agentOid: AGENT }, minute)
  const q = (minute: number): SigmaEvent => event({ kind: 'q', subjectOid: AGENT }, minute)

  test('see rules together in any order, and by other names of the field', () => {
    expect(matches(both('temporal'), [q(0), r(5)])).toHaveLength(1)
    expect(matches(both('temporal'), [q(0), r(11)])).toEqual([])
    expect(matches(both('temporal'), [r(0), r(5)])).toEqual([])
  })

  test('see rules in their order only', () => {
    expect(matches(both('temporal_ordered'), [q(0), r(5)])).toEqual([])
    expect(matches(both('temporal_ordered'), [r(0), q(5)])).toHaveLength(1)
    expect(matches(both('temporal_ordered'), [r(0), r(9), q(15)])).toHaveLength(1)
    expect(matches(both('temporal_ordered'), [r(0), q(11)])).toEqual([])
  })

  /** The rules of a text in another order: the correlation first or last, its rules either way round. */
  const orders = (text: string): string[] => {
    const [correlation, first, second] = text.split('---\n') as [string, string, string]
    return [
      [correlation, first, second],
      [correlation, second, first],
      [first, second, correlation],
      [second, first, correlation],
    ].map((parts) => parts.map((part) => (part.endsWith('\n') ? part : `${part}\n`)).join('---\n'))
  }

  test('take an event that two rules match for one step of an order only, however the files are sorted', () => {
    const either = `title: C\ncorrelation:\n  type: temporal_ordered\n  rules: [r, q]\n  group-by: [agentOid]\n  timespan: 10m\n---\n${base('r', 'kind: k')}---\n${base('q', 'outcome: failure')}`
    const two = (minute: number): SigmaEvent => event({ kind: 'k', outcome: 'failure', agentOid: AGENT }, minute)
    for (const text of orders(either)) {
      expect(matches(text, [two(0)])).toEqual([])
      expect(matches(text, [two(0), two(5)]).map((match) => match.events)).toEqual([['e0', 'e5']])
    }
  })

  test('give the same matches however the files are sorted, for any events and any type', () => {
    const typed = fc.constantFrom(
      'type: event_count\n  condition: { gte: 3 }',
      'type: value_count\n  condition: { field: sourceIp, gte: 2 }',
      'type: temporal',
      'type: temporal_ordered',
    )
    const item = fc.record({ minute: fc.nat({ max: 40 }), r: fc.boolean(), q: fc.boolean(), ip: fc.nat({ max: 3 }), by: fc.constantFrom('a', 'b') })
    fc.assert(
      fc.property(typed, fc.array(item, { maxLength: 25 }), (type, items) => {
        const text = `title: C\ncorrelation:\n  rules: [r, q]\n  group-by: [who]\n  aliases: { who: { r: agentOid, q: subjectOid } }\n  timespan: 10m\n  ${type}\n---\n${base('r', 'kind: k')}---\n${base('q', 'outcome: failure')}`
        const events = items
          .toSorted((a, b) => a.minute - b.minute)
          .map(({ minute, r: first, q: second, ip, by }, index) =>
            event(
              { kind: first ? 'k' : 'x', outcome: second ? 'failure' : 'success', agentOid: by, subjectOid: index % 3 === 0 ? 'a' : by, sourceIp: `ip${ip}` },
              minute,
              `e${index}`,
            ),
          )
        const [one, ...others] = orders(text).map((order) =>
          matches(order, events).map((match) => JSON.stringify(match, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))),
        )
        for (const other of others) expect(other).toEqual(one)
      }),
    )
  })

  test('tell of the rules that they are made of only where they say so', () => {
    const text = count('type: event_count\n  condition: { gte: 3 }')
    expect(matches(text, at(0))).toEqual([])
    expect(matches(text.replace('timespan', 'generate: true\n  timespan'), at(0)).map((match) => match.rule)).toEqual(['r'])
  })

  test('count as a slow recount does, for any times', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (minutes, least) => {
        const times = minutes.toSorted((a, b) => a - b)
        const events = times.map((minute, index) => event({ kind: 'k', agentOid: AGENT }, minute, `e${index}`))
        const covered = new Set(matches(count(`type: event_count\n  condition: { gte: ${least} }`), events).flatMap((match) => match.events))
        const expected = new Set<string>()
        for (const [end, time] of times.entries()) {
          const window = times.flatMap((other, index) => (index <= end && other >= time - 10 ? [`e${index}`] : []))
          if (window.length >= least) for (const id of window) expected.add(id)
        }
        expect(covered).toEqual(expected)
      }),
    )
  })
})
