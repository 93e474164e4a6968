import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
import { storable } from '#core/text.ts'
import type { Dictionary } from './facts.ts'

/**
 * Names that repeat on many rows, kept once. Filled before a batch's transaction, in statements of their own: a name that nothing
 * refers to after a failed batch does no harm, and two writers never wait for each other.
 */
export function createDictionary(pool: pg.Pool): Dictionary & {
  prepare(names: Iterable<string>, shapes: Iterable<{ format: string; unmapped: readonly string[]; eventId: EventId }>): Promise<void>
} {
  const files = new Map<string, number>()
  const shapes = new Map<string, number>()
  const shapeKey = (format: string, unmapped: readonly string[]): string => [format, ...unmapped].join('\n')
  return {
    fileId: (name) => files.get(storable(name))!,
    shapeId: (format, unmapped) => (unmapped.length === 0 ? null : shapes.get(shapeKey(format, unmapped))!),
    async prepare(names, wanted) {
      const newNames = [...new Set([...names].map(storable))].filter((name) => !files.has(name)).toSorted()
      if (newNames.length > 0) {
        await pool.query('insert into files (name) select unnest($1::text[]) on conflict do nothing', [newNames])
        const { rows } = await pool.query<{ id: number; name: string }>('select id, name from files where name = any($1::text[])', [newNames])
        for (const row of rows) files.set(row.name, row.id)
      }
      for (const { format, unmapped, eventId } of wanted) {
        const key = shapeKey(format, unmapped)
        if (unmapped.length === 0 || shapes.has(key)) continue
        await pool.query('insert into shapes (format, unmapped, example_event) values ($1, $2, $3) on conflict do nothing', [format, unmapped, eventId])
        const { rows } = await pool.query<{ id: number }>('select id from shapes where format = $1 and unmapped = $2::text[]', [format, unmapped])
        shapes.set(key, rows[0]!.id)
      }
    },
  }
}
