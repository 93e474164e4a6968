import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkGolden, goldens, uncoveredFields } from '../golden.ts'
import { format } from './index.ts'

const all = goldens(join(import.meta.dirname, 'golden'))

describe('Bedrock invocation log goldens', () => {
  test.each(all)('$name is answered as reviewed', (golden) => checkGolden(format, golden))

  test('every golden is recognised', () => {
    expect(all.filter((golden) => !format.recognise(golden.value)).map((golden) => golden.name)).toEqual([])
  })

  test('every field that the invocation log can fill is filled in a golden', () => {
    expect(uncoveredFields(format, all)).toEqual([
      'deliveredNs',
      'directory',
      'issues',
      'nearKey',
      'onBehalfOf',
      'sourceIp',
      'targets',
      'tenantId',
      'tokenId',
      'userAgent',
      'uses',
    ])
  })
})
