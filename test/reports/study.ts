/**
 * Imports one report (a folder beside this file) into a store of its own and gives everything that the product says about it: what
 * was read and rejected, the canonical export by type, and all that the database holds.
 */
import { join } from 'node:path'
import type pg from 'pg'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import { type ImportSummary, importPaths } from '#ingest/import.ts'
import { dump } from '../dump.ts'
import { type TestDatabase, createTestDatabase } from '../postgres.ts'
import { exported } from '../samples.ts'

type Line = Readonly<Record<string, unknown>>

/** A timeline item of the export, as far as tests look at it. */
export interface ReportEvent {
  readonly id: string
  readonly nativeId: string
  readonly time: string
  readonly source: string
  readonly kind: string
  readonly action: string
  readonly outcome: string | null
  readonly error: { readonly code: string; readonly message: string | null } | null
  readonly tenantId: string | null
  readonly subjectOid: string | null
  readonly agentOid: string | null
  readonly targets: readonly string[]
  readonly attribution: { readonly confidence: string; readonly basis: readonly string[]; readonly candidates: readonly string[] }
  readonly sessionId: string | null
  readonly parentId: string | null
  readonly cloud: { readonly account: string | null; readonly region: string | null; readonly principal: string | null }
  readonly model: { readonly id: string; readonly name: string | null; readonly provider: string | null } | null
  readonly usage: { readonly inputTokens: number | null; readonly outputTokens: number | null } | null
  readonly resource?: string | null
  readonly sourceIp: string | null
  readonly requestId: string | null
}

/** What the product made of a report. */
export interface Study {
  readonly pool: pg.Pool
  readonly summary: ImportSummary
  /** In order of time. */
  readonly events: readonly ReportEvent[]
  readonly findings: readonly (Line & { readonly rule: string; readonly oids: readonly string[] })[]
  readonly usage: readonly (Line & { readonly calls: number; readonly model: string | null })[]
  readonly principals: readonly Line[]
  /** Everything that the database holds, compressed records unpacked. */
  dump(): Promise<readonly string[]>
  close(): Promise<void>
}

/** The folder of a report, or a file in it. */
export const reportPath = (...parts: readonly string[]): string => join(import.meta.dirname, ...parts)

/**
 * Imports the paths (absolute, or relative to this folder), draws every conclusion and reads the result. Close it afterwards.
 * `tenantId` is the tenant of exports that do not name their own.
 */
export async function study(paths: readonly string[], { tenantId }: { readonly tenantId?: string } = {}): Promise<Study> {
  const database: TestDatabase = await createTestDatabase()
  try {
    const summary = await importPaths(
      paths.map((path) => (path.startsWith('/') ? path : reportPath(path))),
      { sink: createCorrelator(database.pool), ...(tenantId === undefined ? {} : { context: { tenantId } }) },
    )
    await concludeAll(database.pool)
    const lines = (await exported(database.pool)).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
    const ofType = <Type>(type: string): Type[] => lines.filter((line) => line['type'] === type) as unknown as Type[]
    return {
      pool: database.pool,
      summary,
      events: ofType<ReportEvent>('event').toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)),
      findings: ofType('finding'),
      usage: ofType('usage'),
      principals: ofType('principal'),
      dump: () => dump(database.pool),
      close: () => database.drop(),
    }
  } catch (error) {
    await database.drop()
    throw error
  }
}
