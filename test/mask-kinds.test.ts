/** Ingest does not know the correlator's formats: what one of them reads must be of a known kind for masking, or its free texts are lost. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { kindOf } from '#ingest/mask/kinds.ts'

const ROOT = join(import.meta.dirname, '..', 'correlate', 'formats')
const goldens = globSync('*/golden/*.raw.json', { cwd: ROOT })

test.each(goldens)('%s', (golden) => {
  const raw = JSON.parse(readFileSync(join(ROOT, golden), 'utf8')) as JsonObject
  expect(kindOf((raw['record'] ?? raw['value'] ?? raw) as JsonObject)).not.toBeNull()
})
