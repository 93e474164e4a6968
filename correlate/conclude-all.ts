import type pg from 'pg'
import { deriveOnce } from './derive.ts'
import { mustSumUp } from './findings/engine/digest/update.ts'
import { refreshFindings } from './findings/index.ts'

/**
 * Brings everything that follows from the stored facts up to date: conclusions of whatever is pending (an interrupted import, another process), then findings if
 * conclusions changed since they were computed, or this release sums them up in another way. Cheap when nothing is to be done. After the signal no further step is begun; what is left is the next call's. Resolves to whether findings
 * were computed.
 */
export async function concludeAll(pool: pg.Pool, signal?: AbortSignal): Promise<boolean> {
  while (!signal?.aborted && (await deriveOnce(pool))) {
    // Each round commits by itself.
  }
  if (signal?.aborted) return false
  const { rows } = await pool.query<{ name: string; round: bigint }>(`select name, round from progress where name in ('conclusions', 'findings')`)
  const round = (name: string): bigint => rows.find((row) => row.name === name)?.round ?? 0n
  if (round('conclusions') === round('findings') && !(await mustSumUp(pool))) return false
  await refreshFindings(pool)
  // Rounds that other processes committed meanwhile are the next refresh's: what is noted is what was there before it began.
  await pool.query(
    `insert into progress as p (name, round) values ('findings', $1) on conflict (name) do update set round = greatest(p.round, excluded.round)`,
    [round('conclusions')],
  )
  return true
}
