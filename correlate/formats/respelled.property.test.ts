/** Whoever exported a record, it is the same event: every golden record of every format is spelled as exporters spell, and must give what the cloud's own text gives. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { formats } from './index.ts'
import { type Golden, goldens } from './golden.ts'
import { normalised, readRecord } from './reading.ts'
import { isObj } from './read.ts'

const lower = (name: string): string => name.toLowerCase()
const pascal = (name: string): string => name.replace(/^[a-z]/, (letter) => letter.toUpperCase())
const snake = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
const upper = (name: string): string => name.toUpperCase()
const capitalAbbreviations = (name: string): string => name.replace(/Id$/, 'ID').replace(/Ip$/, 'IP').replace(/ID$/, 'Id')

/** Maps whose keys are the data of whoever wrote them, not names of members. */
const FREE = /^(?:labels|requestMetadata|principalTags|tags|incomingTransitiveTags|attributeMapping|Statement|Condition)$/

function renamed(value: Json | undefined, rename: (name: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => renamed(item as Json, rename))
  if (!isObj(value)) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), FREE.test(key) ? (inner ?? null) : renamed(inner, rename)]))
}

/** Every object and list below the top as JSON text, `times` encoded. */
function celled(value: JsonObject, times: number): JsonObject {
  const encode = (inner: Json, left: number): Json => (left === 0 ? inner : encode(JSON.stringify(inner), left - 1))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inner !== null && typeof inner === 'object' ? encode(inner, times) : inner]))
}

/** Empty columns beside the others, as exports of tables write them. */
const withNulls = (value: JsonObject): JsonObject => ({
  ...value,
  protoPayload: value['protoPayload'] ?? null,
  textPayload: null,
  jsonPayload: null,
  category: value['category'] ?? null,
})

const WAYS: Readonly<Record<string, (value: JsonObject) => JsonObject>> = {
  'in lower case': (value) => renamed(value, lower) as JsonObject,
  'in upper case': (value) => renamed(value, upper) as JsonObject,
  'with capitals': (value) => renamed(value, pascal) as JsonObject,
  'in snake case': (value) => renamed(value, snake) as JsonObject,
  'with other abbreviations': (value) => renamed(value, capitalAbbreviations) as JsonObject,
  'with JSON in its cells': (value) => celled(value, 1),
  'with JSON encoded twice': (value) => celled(value, 2),
  'in lower case with JSON in its cells': (value) => celled(renamed(value, lower) as JsonObject, 1),
  'with capitals and JSON that has them too': (value) => celled(renamed(value, pascal) as JsonObject, 1),
  'in snake case with JSON encoded twice': (value) => celled(renamed(value, snake) as JsonObject, 2),
  'with empty columns': withNulls,
}

function eventOf(value: JsonObject, golden: Golden): TrailEvent | string {
  const reading = readRecord(value)
  if (!reading) return 'no known record format'
  const answer = normalised(reading, golden.context)
  return 'event' in answer ? answer.event : `${reading.name}: ${answer.reject}`
}

describe.each(formats.map(([name]) => name))('%s', (name) => {
  const all = goldens(join(import.meta.dirname, name, 'golden'))
  describe.each(all.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
    const own = eventOf(golden.value, golden)
    test.each(Object.keys(WAYS))('%s is the same event', (way) => {
      const found = eventOf(WAYS[way]!(golden.value), golden)
      // What has no id of its own is named by its content, unknown members included, and those keep their spelling.
      const [one, other] =
        typeof own !== 'string' && own.nativeId === String(own.id) && typeof found !== 'string'
          ? [
              { ...own, id: '', nativeId: '' },
              { ...found, id: '', nativeId: '' },
            ]
          : [own, found]
      expect(other).toEqual(one)
    })
  })

  test('a respelled text ranks behind the own text of every variant with its id', () => {
    for (const { value } of all) {
      const own = readRecord(value)!
      if (own.changed) continue
      const other = readRecord(WAYS['in upper case']!(value))!
      expect(other.format.rank(other.value, other.changed)).toBeGreaterThan(own.format.rank(own.value, own.changed))
    }
  })
})

test('every folder of goldens belongs to a format', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && readdirSync(join(import.meta.dirname, entry.name)).includes('golden'),
  )
  expect(folders.map(({ name }) => name).toSorted()).toEqual(formats.map(([name]) => name))
})

test('whatever an object holds, reading gives an answer and leaves it as it was', () => {
  const words = fc.constantFrom(
    'eventName',
    'eventversion',
    'useridentity',
    'UserIdentity',
    'protopayload_auditlog',
    'audit_log',
    'properties',
    'Agent',
    'AdditionalProperties',
    'value',
    'Count',
    '__proto__',
    'userIdentityArn',
    'TargetResources',
    'ModifiedProperties',
    'targetresources',
  )
  const texts = fc.constantFrom('{"a":1}', '"{\\"a\\":1}"', '{a=1, b={c=2}}', '@{Type=x; Arn=y}', '[{type=x}]', '{', '[', '{"', 'System.Object[]', '', 'null')
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      texts,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(words, tie('value'), { maxKeys: 5 }),
    ),
  })).value
  fc.assert(
    fc.property(fc.dictionary(words, json, { maxKeys: 8, noNullPrototype: true }), (object) => {
      const before = JSON.stringify(object)
      const reading = readRecord(object as JsonObject)
      if (reading) normalised(reading, {})
      expect(JSON.stringify(object)).toBe(before)
    }),
    { numRuns: 500 },
  )
})
