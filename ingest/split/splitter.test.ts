import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '#core/record.ts'
import { Damage } from './damage.ts'
import { createSplitter } from './splitter.ts'

interface Split {
  readonly records: { text: string; value: unknown; line: number }[]
  readonly rejected: { reason: string; text: string; line: number }[]
  readonly error: Error | null
}

/** In these tests a known record is an object with the member `known`, and a wrapper is looked into one level deep. */
const isKnown = (value: unknown): boolean => value !== null && typeof value === 'object' && 'known' in value
const holds = (_: string, value: Json): boolean =>
  isKnown(value) ||
  (typeof value === 'string' && value.includes('"known"')) ||
  (value !== null && typeof value === 'object' && Object.values(value).flat().some(isKnown))

function split(text: string | Buffer, chunk = 1 << 20, maxRecord = 1 << 24, room = 1 << 16): Split {
  const records: Split['records'] = []
  const rejected: Split['rejected'] = []
  const splitter = createSplitter(
    {
      record: (text, value, line) => records.push({ text, value, line }),
      rejected: (reason, text, line) => rejected.push({ reason, text, line }),
    },
    { holds, maxRecord, room },
  )
  const bytes = Buffer.from(text)
  try {
    for (let at = 0; at < bytes.length; at += chunk) splitter.write(bytes.subarray(at, at + chunk))
    splitter.end()
  } catch (error) {
    return { records, rejected, error: error as Error }
  }
  return { records, rejected, error: null }
}

const values = (result: Split): unknown[] => result.records.map((record) => record.value)

/** Objects that are no wrapper. Keys like `value` do occur, with arrays, beside keys that no wrapper has. */
const record = fc
  .dictionary(fc.oneof(fc.string(), fc.constantFrom('value', 'events', 'Records', 'a"b', '\\')), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 })
  .map((members) => ({ 'own key': 1, ...members }))

/** How the list of records is written into a file. */
const writers: Record<string, (items: readonly object[], gap: string) => string> = {
  lines: (items) => items.map((item) => JSON.stringify(item)).join('\n'),
  'lines with CRLF': (items) => items.map((item) => `${JSON.stringify(item)}\r\n`).join(''),
  concatenated: (items) => items.map((item) => JSON.stringify(item)).join(''),
  'pretty-printed': (items) => items.map((item) => JSON.stringify(item, null, 2)).join('\n'),
  array: (items, gap) => `[${gap}${items.map((item) => JSON.stringify(item)).join(`${gap},`)}${gap}]`,
  'pretty-printed array': (items) => JSON.stringify(items, null, 4),
  Records: (items, gap) => `{${gap}"Records"${gap}:${gap}${JSON.stringify(items)}}`,
  'Graph page': (items) => JSON.stringify({ '@odata.context': 'x', value: items, '@odata.nextLink': 'y', more: [[{}], 'z'] }, null, 1),
  'entries.list pages': (items) => items.map((item) => JSON.stringify({ entries: [item], nextPageToken: 'n' })).join('\n'),
  'array of wrappers': (items) => JSON.stringify(items.map((item) => ({ Records: [item] }))),
}

describe('records come out as they were written, however the file is cut into chunks', () => {
  for (const [name, write] of Object.entries(writers)) {
    test(
      name,
      () => {
        fc.assert(
          fc.property(fc.array(record, { maxLength: 5 }), fc.constantFrom('', ' ', '\n', '\t\r\n  '), fc.integer({ min: 1, max: 40 }), (items, gap, chunk) => {
            const text = write(items, gap)
            const result = split(text, chunk, undefined, 8)
            expect(result.error).toBeNull()
            expect(result.rejected).toEqual([])
            // Compared as texts: JSON.parse of Node 24 may mistake a key with an escape (core/parse-json.ts).
            expect(JSON.stringify(values(result))).toBe(JSON.stringify(items))
            for (const piece of result.records) expect(text).toContain(piece.text)
          }),
          { numRuns: 150 },
        )
      },
      60_000,
    )
  }

  test('arbitrary bytes never crash it and never depend on the chunks', () => {
    const noise = fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\n', ' ', '\\', '1', 'x', '{"a":1}', '{"a":', '[{"b":2}', '{"Records":['), { maxLength: 30 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 7 }), (text, chunk) => {
        const whole = split(text)
        const cut = split(text, chunk, undefined, 8)
        if (whole.error) expect(whole.error).toBeInstanceOf(Damage)
        expect({ ...cut, error: cut.error?.message }).toEqual({
          ...whole,
          error: whole.error?.message,
        })
      }),
      { numRuns: 2000 },
    )
  }, 60_000)
})

test('a record keeps its exact text: spelling of numbers, order and duplicates of keys', () => {
  const text = '{"b" : 1.0e2,"a":"\\u0041","a":12345678901234567890}'
  expect(split(`[${text}]`).records[0]?.text).toBe(text)
  expect(split(`${text}\n`).records[0]?.text).toBe(text)
})

test('every record says on which line it begins', () => {
  expect(split('\n{"a":1}\n\n{\n "b":2\n}\n[\n{"c":3},\n{"d":4}]').records.map((piece) => piece.line)).toEqual([2, 4, 8, 9])
})

test('a record with a member called like a wrapper is a record when its other members are not those of a wrapper', () => {
  const activity = {
    kind: 'admin#reports#activity',
    id: { time: 't' },
    events: [{ type: 'login' }],
  }
  expect(values(split(JSON.stringify(activity)))).toEqual([activity])
  expect(values(split(JSON.stringify([activity], null, 2)))).toEqual([activity])
})

test('rows of a Log Analytics answer become objects named by the columns', () => {
  const answer = {
    tables: [
      {
        name: 'PrimaryResult',
        columns: [
          { name: 'Id', type: 'string' },
          { name: 'N', type: 'long' },
        ],
        rows: [['x', 1], ['y', null], ['z']],
      },
    ],
  }
  const result = split(JSON.stringify(answer), 5)
  expect(values(result)).toEqual([
    { Id: 'x', N: 1 },
    { Id: 'y', N: null },
  ])
  expect(result.rejected.map((piece) => piece.reason)).toEqual(["no record: a row that does not have the table's 2 columns"])
})

describe('damage between top-level values is confined to its line', () => {
  const broken = ['{"a":1,"b"', '{"a":"x', '{"a":{"b":1}', '{"a":1}}', '{"a":nul}', 'x', '{"a":1,', '{"a":[', '{"a":"\u0001"}', '"text"', '12', '}', '{"a":01}']
  for (const line of broken) {
    test(`line ${line} costs neither the line before nor the line after it`, () => {
      for (const chunk of [1, 3, 1000]) {
        const result = split(`{"n":1}\n${line}\n{"n":2}\n{"n":3}\n`, chunk)
        expect(result.error).toBeNull()
        expect(values(result).filter((value) => 'n' in (value as object))).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
        expect(result.rejected.map((piece) => piece.line)).toEqual([2])
      }
    })
  }

  test('a corrupt first line is rejected and the rest is read', () => {
    const result = split('{"a":"cut\n{"n":1}\n')
    expect([values(result), result.rejected.map((piece) => piece.line)]).toEqual([[{ n: 1 }], [1]])
  })

  test('a corrupt last line without a line end is rejected', () => {
    const result = split('{"n":1}\n{"n":')
    expect([values(result), result.error, result.rejected.map((piece) => [piece.line, piece.text])]).toEqual([[{ n: 1 }], null, [[2, '{"n":']]])
  })

  test('a damaged record that is spread over lines is one rejection up to the next one', () => {
    const result = split('{\n "a": 1\n}\n{\n "b" 2,\n "c": 3\n}\n{\n "d": 4\n}\n', 4)
    expect([values(result), result.rejected.length, result.rejected[0]?.line]).toEqual([[{ a: 1 }, { d: 4 }], 1, 4])
  })
})

describe('damage inside an array costs the damaged item', () => {
  test('and reading goes on at the next known record; the rejection names line and byte', () => {
    const result = split('[\n{"known":1},\n{"known":2}},\n{"known":3},{"known":4,"x" 1},\n{"y":{"known":0}},{"known":5}]')
    expect(values(result)).toEqual([{ known: 1 }, { known: 2 }, { known: 3 }, { y: { known: 0 } }, { known: 5 }])
    expect(result.error).toBeNull()
    expect(result.rejected.map(({ reason, text }) => [reason, text])).toEqual([
      ['not JSON: unexpected "}" on line 3, byte 26, in the array that begins on line 1', '},'],
      ['not JSON: unexpected "1" on line 4, byte 56, in the array that begins on line 1', '{"known":4,"x" 1},'],
    ])
  })

  test('a comma too many or too few costs nothing', () => {
    const result = split('[{"a":1},,{"b":2} {"c":3},]')
    expect([values(result), result.rejected, result.error]).toEqual([[{ a: 1 }, { b: 2 }, { c: 3 }], [], null])
  })

  test('a damaged last item is no cut file, and a cut item is one, whose remains are kept', () => {
    const damaged = split('[{"known":1},{"known":2,"x" 1}]')
    expect([values(damaged), damaged.error, damaged.rejected.length]).toEqual([[{ known: 1 }], null, 1])
    const cut = split('[{"known":1},{"known":2,"x":"tex')
    expect([values(cut), cut.rejected.map(({ text }) => text)]).toEqual([[{ known: 1 }], ['{"known":2,"x":"tex']])
    expect(cut.error).toBeInstanceOf(Damage)
  })

  test('a wrapper that is cut off is damage', () => {
    for (const text of ['{"Records":[{"a":1}', '{"Records":[{"a":1},', '{"Records":[{"a":1}]', '{"Records":[{"a":1}],"x":', '[{"a":1},{"b":"']) {
      const result = split(text)
      expect(values(result)).toEqual([{ a: 1 }])
      expect(result.error?.message).toMatch(/the text ends inside the array that begins on line 1/)
    }
  })

  test('an item that is no JSON but well-formed in its brackets is rejected alone', () => {
    const result = split('[{"a":nul},{"b":2},7,[1],{"c":3}]')
    expect(values(result)).toEqual([{ b: 2 }, { c: 3 }])
    expect(result.rejected.map((piece) => piece.text)).toEqual(['{"a":nul}', '7', '[1]'])
  })

  test('a single record that is spread over lines and cut off is damage of the file', () => {
    expect(split('{\n  "a": 1,\n').error?.message).toMatch(/the text ends inside the record that begins on line 1/)
  })
})

describe('what is no record is rejected up to the end of its line, and what follows is read', () => {
  for (const text of [
    '<html>',
    'a,b',
    '"a","b"',
    '[INFO] started',
    '[1,2]',
    '{{ template }}',
    'key: value',
    '123',
    '{',
    '\u0000\u0001',
    'NaN',
    '# {comment}',
  ]) {
    test(JSON.stringify(text), () => {
      const result = split(`${text}\n{"n":1}\n`)
      expect([values(result), result.error, result.rejected.map((piece) => [piece.line, piece.text])]).toEqual([[{ n: 1 }], null, [[1, text]]])
    })
  }
  test('a known record behind something else in its line is read', () => {
    for (const before of ['\0\0\0', '2026-01-01T00:00:00Z host app: ', '<14>', 'INFO [main] ', '{"cut":"in the mid']) {
      const result = split(`${before}{"known":1}\n{"n":2}\n`, 3, undefined, 8)
      expect([values(result), result.rejected.map((piece) => piece.text)]).toEqual([[{ known: 1 }, { n: 2 }], [before.trimEnd()]])
    }
  })
  test('an empty file, white space and empty containers hold nothing and are no fault', () => {
    for (const text of ['', '\n \r\n', '[]', '{"Records":[]}', '[\n]\n']) expect(split(text)).toEqual({ records: [], rejected: [], error: null })
  })
})

test('a record that is too large is rejected and its neighbours are not, in an array and in lines', () => {
  const large = JSON.stringify({ large: 'x'.repeat(5000) })
  for (const text of [`[{"a":1},${large},{"b":2}]`, `{"a":1}\n${large}\n{"b":2}\n`]) {
    for (const chunk of [100, 1 << 20]) {
      const result = split(text, chunk, 4200)
      expect(values(result)).toEqual([{ a: 1 }, { b: 2 }])
      expect(result.rejected.map((piece) => piece.reason)).toEqual(['larger than 4200 bytes'])
    }
  }
})

test('nesting beyond any log is refused without exhausting the stack', () => {
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  const result = split(`{"n":1}\n${deep}\n{"n":2}\n`)
  expect(values(result)).toEqual([{ n: 1 }, { n: 2 }])
  expect(result.rejected[0]?.reason).toMatch(/nested deeper than 2048 levels/)
})
