/**
 * The rules, found by looking at the files beside this one: a new rule is one new file that exports `finding`. A file that does not
 * export one, or one under another name than its own, fails at start with its path.
 */
import { readdirSync } from 'node:fs'
import type pg from 'pg'
import { type Refreshed, refresh } from './engine/refresh.ts'
import type { FindingRule } from './engine/rule.ts'

async function load(name: string): Promise<FindingRule> {
  const module = (await import(/* @vite-ignore */ `./${name}.ts`)) as { readonly finding?: FindingRule }
  if (!module.finding) throw new Error(`correlate/findings/${name}.ts does not export a finding.`)
  if (module.finding.id !== name) throw new Error(`correlate/findings/${name}.ts exports the finding ${module.finding.id}.`)
  return module.finding
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'index.ts')
  .map((file) => file.slice(0, -3))
  .toSorted()

/** Every rule, sorted by id. */
export const rules: readonly FindingRule[] = await Promise.all(names.map(load))

/**
 * Makes the stored findings those that follow from what is stored now. Call it after `drain()` when something has changed; calling it again
 * changes nothing. With `whole` nothing that was summed up before is believed. Rejects, changing nothing, when the database fails.
 */
export function refreshFindings(pool: pg.Pool, options: { readonly whole?: boolean } = {}): Promise<Refreshed> {
  return refresh(pool, rules, options)
}
