/** The worked cases of test/fixtures/scenarios as records and as what is expected of them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RawRecord } from '#core/record.ts'
import { accept, type Accepted, knows } from '#correlate/accept.ts'
import { importPaths } from '#ingest/import.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/scenarios')

export const SCENARIOS = ['option-1-agents-leave', 'option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain'] as const

/** As test/fixtures/scenarios/README.md describes it; what these tests do not use is left out. */
export interface Expected {
  readonly records: readonly ExpectedRecord[]
  readonly sessions: readonly (readonly string[])[]
  readonly sessionRoots: readonly { readonly member: string; readonly root: string | null; readonly resolved: boolean }[]
  readonly traces: readonly { readonly owner: string; readonly nativeIds: readonly string[] }[]
}

interface ExpectedRecord {
  readonly nativeId: string
  readonly source: string
  readonly kind: string | readonly string[]
  readonly time: string
  readonly tenantId: string | null
  readonly subjectOid: string | null
  readonly agentOid: string | null
  readonly confidence: string
  readonly candidates: readonly string[]
  readonly onBehalfOf: string | null
  readonly targets: readonly string[]
  readonly parents: readonly string[]
  readonly link?: 'exact' | 'time'
  readonly session: string | null
  readonly skip: readonly string[]
}

export function expectedOf(scenario: string): Expected {
  return JSON.parse(readFileSync(join(FOLDER, scenario, 'expected.json'), 'utf8')) as Expected
}

/** All records of one case, normalised. Throws if one is refused: no worked case holds such a record. */
export async function acceptedOf(scenario: string): Promise<readonly Accepted[]> {
  const records: RawRecord[] = []
  const sink = {
    knows,
    deliver: async (batch: readonly RawRecord[]) => {
      records.push(...batch)
      return { stored: batch.length, duplicates: 0, variants: 0, rejected: [], byFormat: {} }
    },
    drain: async () => {},
  }
  const { errors, rejected } = await importPaths([join(FOLDER, scenario, 'records')], { sink })
  if (errors.length > 0 || rejected > 0) throw new Error(`${scenario}: ${rejected} records rejected, files not read: ${JSON.stringify(errors)}`)
  return records.map((record) => {
    const one = accept(record)
    if ('reason' in one) throw new Error(`${scenario}: ${one.origin.file}: ${one.reason}`)
    return one
  })
}
