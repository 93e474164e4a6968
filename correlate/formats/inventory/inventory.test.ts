import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkGolden, goldens } from '../golden.ts'
import { format } from './index.ts'

const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
const statement = (fields: Record<string, string | number>) => ({ inventory: 1, time: '2026-09-01T00:00:00Z', tenantId: TENANT, ...fields })
const read = (value: Record<string, string | number>) => format.normalise({ value, context: {} })

describe('a declared inventory', () => {
  test.each(goldens(join(import.meta.dirname, 'golden')).map((golden) => [golden.name, golden] as const))('says what its golden says: %s', (_name, golden) => {
    checkGolden(format, golden)
  })

  test.each([
    [{ declares: 'agent' }, 'an agent needs its object id (oid)'],
    [{ declares: 'agent', oid: 'a0a0a0a0-1111-4222-8333-444444444444' }, 'an agent needs its Blueprint (blueprintAppId or blueprintObjectId)'],
    [{ declares: 'federated-credential', blueprintAppId: 'b0b0b0b0-1111-4222-8333-444444444444' }, 'a federated credential needs its subject'],
    [
      { declares: 'federated-credential', blueprintAppId: 'b0b0b0b0-1111-4222-8333-444444444444', subject: 'x', change: 'gone' },
      'change is "gone": it must be added or removed, or left out when it always held',
    ],
    [{ declares: 'wish' }, 'declares is "wish": it must be agent, managed-identity, blueprint or federated-credential'],
  ])('that lacks something is refused with the field named: %o', (fields, reject) => {
    expect(read(statement(fields))).toEqual({ reject })
  })

  test('without a time or a tenant is refused', () => {
    expect(read({ inventory: 1, declares: 'agent', tenantId: TENANT })).toEqual({ reject: 'no event time (time)' })
    expect(read({ inventory: 1, declares: 'agent', time: '2026-09-01T00:00:00Z' })).toEqual({ reject: 'no tenant (tenantId)' })
  })
})
