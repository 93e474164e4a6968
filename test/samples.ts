/** The public sample records (test/fixtures/samples, sources and licences in SOURCES.md there) and how tests import and look at them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { canonicalExport } from '#api/read-models/canonical-export.ts'
import { createCorrelator } from '#correlate/index.ts'
import { type ImportSummary, importPaths } from '#ingest/import.ts'

export const SAMPLES = join(import.meta.dirname, 'fixtures', 'samples')

/** Imports files and folders (absolute, or relative to the samples) into a store. */
export function importInto(pool: pg.Pool, ...paths: readonly string[]): Promise<ImportSummary> {
  return importPaths(
    paths.map((path) => (path.startsWith('/') ? path : join(SAMPLES, path))),
    { sink: createCorrelator(pool) },
  )
}

/** Imports records made by hand, one a line. A text goes in as it is. */
export function importRecords(pool: pg.Pool, ...records: readonly unknown[]): Promise<ImportSummary> {
  const text = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n')
  async function* input(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${text}\n`)
  }
  return importPaths(['-'], { sink: createCorrelator(pool), standardInput: input() })
}

/** One line (from 1) of a sample file, parsed: to make a record by hand from it. */
export function sampleRecord(file: string, line: number): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(SAMPLES, file), 'utf8').split('\n')[line - 1]!) as Readonly<Record<string, unknown>>
}

/** All records of a sample file of one record a line. */
export function sampleRecords(file: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(join(SAMPLES, file), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

/** The canonical export as one text: two stores with the same set of records give the same. */
export async function exported(pool: pg.Pool): Promise<string> {
  const lines: string[] = []
  for await (const line of canonicalExport(pool)) lines.push(line)
  return lines.join('\n')
}

/** How often each reason stands among rejections. */
export function reasons(summary: ImportSummary): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { reason } of summary.rejections) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}
