import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkGolden, goldens, uncoveredFields } from '../golden.ts'
import { format } from './index.ts'

const all = goldens(join(import.meta.dirname, 'golden'))

describe('Google Cloud audit records as events', () => {
  test.each(all)('$name', (golden) => {
    checkGolden(format, golden)
  })

  test('every field that Google can fill is filled in some golden; tenant, user, credentials, ids of requests and tokens and token counts are not in its logs', () => {
    expect(uncoveredFields(format, all)).toEqual(['issues', 'onBehalfOf', 'requestId', 'requestKey', 'tenantId', 'tokenId', 'usage', 'uses'])
  })
})
