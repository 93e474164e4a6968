import { expect, test } from 'vitest'
import { awsAccount } from './keys.ts'

test.each([
  ['012345678901', '012345678901'],
  [12345678901, '012345678901'],
  ['12345678901', '012345678901'],
  ['12345678901.0', '012345678901'],
  [' 12345678901 ', '012345678901'],
  ['1.2345678901E10', '012345678901'],
  ['1.23456789012e+11', '123456789012'],
  [1, '000000000001'],
])('%j is account %s', (written, account) => {
  expect(awsAccount(written)).toBe(account)
})

test('what is no number of an account is kept as written, and a rounded one is not made up', () => {
  expect([awsAccount('anonymous'), awsAccount('1234********'), awsAccount('1.23457E+10'), awsAccount('1234567890123')]).toEqual([
    'anonymous',
    '1234********',
    '1.23457E+10',
    '1234567890123',
  ])
  expect([awsAccount(null), awsAccount(undefined), awsAccount(''), awsAccount('null'), awsAccount(1.5), awsAccount(true)]).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ])
})
