/**
 * Random damage in random streams, against a slow and obvious reference: every record that lies outside of the damaged place is
 * read, exactly as it was written, in order, however the bytes come.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '#core/record.ts'
import { Damage } from './damage.ts'
import { createSplitter } from './splitter.ts'

/** A known record has the member `known`. */
const holds = (_: string, value: Json): boolean => value !== null && typeof value === 'object' && 'known' in value

interface Split {
  readonly texts: readonly string[]
  readonly rejected: readonly { readonly text: string; readonly line: number }[]
  readonly error: string | null
}

function split(bytes: Buffer, chunk: number): Split {
  const texts: string[] = []
  const rejected: { text: string; line: number }[] = []
  const splitter = createSplitter({ record: (text) => texts.push(text), rejected: (_, text, line) => rejected.push({ text, line }) }, { holds, room: 8 })
  let error: string | null = null
  try {
    for (let at = 0; at < bytes.length; at += chunk) splitter.write(bytes.subarray(at, at + chunk))
    splitter.end()
  } catch (failure) {
    if (!(failure instanceof Damage)) throw failure
    error = failure.message
  }
  return { texts, rejected, error }
}

/** Known records, each of them unlike the others, with nested members that look like records but are none. */
const records = fc
  .array(
    fc.record({
      members: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }),
      nested: fc.array(fc.record({ type: fc.string({ maxLength: 5 }), 'a"{': fc.string({ maxLength: 5 }) }), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((items) => items.map(({ members, nested }, known) => ({ known, ...members, nested, text: 'x {"y":[1]} \\ "' })))

/** A stream as its pieces: records (by their texts) and what stands between them. */
type Piece = { readonly text: string; readonly record: boolean }
const between = (text: string): Piece => ({ text, record: false })
const shapes: Readonly<Record<string, (items: readonly object[]) => Piece[]>> = {
  lines: (items) => items.flatMap((item) => [{ text: JSON.stringify(item), record: true }, between('\n')]),
  array: (items) => [between('['), ...joined(items, ','), between(']')],
  'an item a line': (items) => [between('[\n'), ...joined(items, ',\n'), between('\n]\n')],
  'pretty-printed array': (items) => [between('[\n  '), ...joined(items, ',\n  ', 2), between('\n]\n')],
  Records: (items) => [between('{"Records":['), ...joined(items, ','), between(']}')],
  'an unknown wrapper': (items) => [between('{"a":1,"b":{"c":[]},"things":[\n'), ...joined(items, ', '), between('],"end":{}}')],
  'pretty-printed, one after the other': (items) => items.flatMap((item) => [{ text: JSON.stringify(item, null, 2), record: true }, between('\n')]),
}
function joined(items: readonly object[], comma: string, indent?: number): Piece[] {
  return items.flatMap((item, index) => [
    ...(index > 0 ? [between(comma)] : []),
    { text: indent === undefined ? JSON.stringify(item) : JSON.stringify(item, null, indent).replaceAll('\n', '\n  '), record: true },
  ])
}

/** What happens to the text of one record. None of it makes another whole record. */
const damages: Readonly<Record<string, (text: string, at: number) => string>> = {
  // Of the structure: one inside a string would leave the record whole.
  'a comma gone': (text) => text.replace(/,(\s*"text":\s*"x)/, ' $1'),
  'a colon gone': (text) => text.replace(/"text":(\s*"x)/, '"text" $1'),
  'a brace too many': (text) => `${text}}`,
  'the last brace gone': (text) => text.slice(0, -1),
  'a bare word': (text) => text.replace('{', '{"n":NaN,'),
  'a quote in a string': (text, at) => text.replace('"text"', `"q":"${'a'.repeat(at)}"b","text"`),
  'a control character': (text) => text.replace('x {', 'x \u0001 {'),
  // Inside a string: cut between two values, a record may become another whole one together with what follows it, and nobody can tell.
  'cut in a string': (text, at) => text.slice(0, text.indexOf('x {') + 1 + (at % 2)),
  'cut in a key': (text) => text.slice(0, text.lastIndexOf('"nested"') + 4),
  'another language': () => "{'known': None}",
}

describe('a damaged record costs itself', () => {
  for (const [shape, write] of Object.entries(shapes)) {
    test(
      shape,
      () => {
        fc.assert(
          fc.property(
            records,
            fc.nat(),
            fc.constantFrom(...Object.keys(damages)),
            fc.nat(200),
            fc.integer({ min: 1, max: 50 }),
            (items, which, damage, at, chunk) => {
              const pieces = write(items)
              const places = pieces.flatMap((piece, index) => (piece.record ? [index] : []))
              const place = places[which % places.length]!
              const text = pieces.map((piece, index) => (index === place ? damages[damage]!(piece.text, at) : piece.text)).join('')
              const expected = places.filter((index) => index !== place).map((index) => pieces[index]!.text)
              const result = split(Buffer.from(text), chunk)
              // What is read beside may only be the damaged record itself, where what was taken from or added to it left it whole.
              expect(result.texts.filter((one) => one !== pieces[place]!.text)).toEqual(expected)
              expect(result).toEqual(split(Buffer.from(text), text.length))
            },
          ),
          { numRuns: 300 },
        )
      },
      60_000,
    )
  }
})

test('noise between the lines costs no record, and every line of it is told', () => {
  const noise = fc.array(
    fc.constantFrom('# comment', 'null', 'NaN', '[INFO] x', '<14>', '"text"', '12', '[1,2]', '\0\0', '{{x}}', 'a,b', '{"cut":"x', '{"cut":{"a":1}', "{'a':1}"),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(records, fc.array(noise, { minLength: 7, maxLength: 7 }), fc.integer({ min: 1, max: 30 }), (items, noises, chunk) => {
      const texts = items.map((item) => JSON.stringify(item))
      const lines = texts.flatMap((text, index) => [...noises[index]!, text])
      const result = split(Buffer.from(lines.join('\n')), chunk)
      expect([result.texts, result.error]).toEqual([texts, null])
      const told = lines.flatMap((text, index) => (texts.includes(text) ? [] : [[index + 1, text]]))
      expect(result.rejected.map(({ line, text }) => [line, text])).toEqual(told)
    }),
    { numRuns: 300 },
  )
}, 60_000)
