import { expect, test } from 'vitest'
import { arr, at, bool, distinct, getAnyCase, num, obj, parseIfText, str } from './read.ts'

test('what exporters write for nothing reads as absent', () => {
  expect([str(''), str('null'), str('<null>'), str(null), str(undefined), str(7), str({})]).toEqual([null, null, null, null, null, null, null])
  expect(str('None')).toBe('None')
})

test('numbers and booleans read alike as values and as text, and nothing else reads as one', () => {
  expect([num(5), num('571'), num('-1.5'), num(''), num('5 apples'), num('0x10'), num(true)]).toEqual([5, 571, -1.5, null, null, null, null])
  expect([bool(true), bool('true'), bool('False'), bool('yes'), bool(1)]).toEqual([true, true, false, null, null])
})

test('a path stops where a step is missing, steps into lists by number, and never reaches inherited members', () => {
  const value = { a: [{ b: 'x' }], n: null }
  expect(at(value, 'a.0.b')).toBe('x')
  expect(at(value, 'a.1.b')).toBeUndefined()
  expect(at(value, 'n.b')).toBeUndefined()
  expect(at(value, 'constructor.name')).toBeUndefined()
  expect(at('text', 'length')).toBeUndefined()
})

test('a key in another case is found only by the readers that say so, and the exact spelling wins', () => {
  const value = { protopayload: { MethodName: 'm' }, Id: 'other', id: 'exact' }
  expect(at(value, 'protoPayload.methodName')).toBeUndefined()
  expect(getAnyCase(value, 'protoPayload')).toBe(value.protopayload)
  expect(getAnyCase(value, 'id')).toBe('exact')
})

test('JSON in a text cell is parsed and everything else stays as it is', () => {
  expect(parseIfText(' {"a":1}')).toEqual({ a: 1 })
  expect(parseIfText('[1]')).toEqual([1])
  expect(parseIfText('{broken')).toBe('{broken')
  expect(parseIfText('7')).toBe('7')
})

test('wrong types read as empty', () => {
  expect([obj([]), obj('x'), arr({}), arr(null)]).toEqual([{}, {}, [], []])
  expect(distinct(['b', null, 'a', 'b'])).toEqual(['b', 'a'])
})
