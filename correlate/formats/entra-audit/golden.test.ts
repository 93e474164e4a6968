import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkGolden, goldens, uncoveredFields } from '../golden.ts'
import { format } from './index.ts'

const all = goldens(join(import.meta.dirname, 'golden'))

test.each(all)('$name gives the reviewed event', (golden) => {
  expect(format.recognise(golden.value)).toBe(true)
  checkGolden(format, golden)
})

test('every field that this format maps is filled in a golden', () => {
  expect(uncoveredFields(format, all)).toEqual(['asserted', 'issues', 'model', 'nearKey', 'requestKey', 'tokenId', 'usage', 'uses'])
})
