import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from './parse-json.ts'

test('a key with an escape is read as it stands, also after an older key that ends where its escape begins', () => {
  for (const [older, key] of [
    ['\\', '"'],
    ['\\', '\n'],
    ['a\\', 'a"b'],
  ] as const) {
    JSON.parse(JSON.stringify({ h: [], [older]: 0 }))
    const text = JSON.stringify({ h: 1, [key]: 2 })
    expect(Object.keys(parseJson(text) as object)).toEqual(['h', key])
  }
})

test('a text is read as what was written, whatever its keys and wherever white space stands', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('\\', '"', 'a\\', 'a"b', '\n', '\\"', '__proto__', 'constructor', '7', '\u2028', '\ud800'))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.jsonValue({ maxDepth: 0 }), fc.constantFrom('"}', '\\', ':', '\\":1', 1e300)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
    ),
  }))
  fc.assert(
    fc.property(value, fc.constantFrom('', ' ', '\t', '\r\n'), (written, gap) => {
      const text = gap + JSON.stringify(written, null, gap) + gap
      // Compared as texts: `JSON.stringify` shows order, `__proto__` and spelling, and has no such fault.
      expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(written))
    }),
    { numRuns: 2000 },
  )
})

test('of duplicate keys the last counts, and any depth is read', () => {
  expect(parseJson('{"\\u0061":1,"a":{"\\"":2},"a":[3,{}]}')).toEqual({ a: [3, {}] })
  const deep = `${'['.repeat(100_000)}{"\\"":1}${']'.repeat(100_000)}`
  let inner = parseJson(deep)
  while (Array.isArray(inner)) inner = inner[0] as never
  expect(inner).toEqual({ '"': 1 })
})

test('what is no JSON throws as the parser of the language does', () => {
  for (const text of ['', '{"\\"":1', '{"\\"":1}}', '{"\\x":1}', "{'a':1}", '[1,]']) expect(() => parseJson(text)).toThrow(SyntaxError)
})
