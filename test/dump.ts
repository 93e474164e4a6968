/** Everything that a database holds, as text: what a search through a dump of it would see, and what is compressed, too. */
import type pg from 'pg'
import { unpackText } from '#database/chunk.ts'

/** One text a row of every table (partitions each once), `table: row`; binary columns also as the bytes that they hold, raw records unpacked. */
export async function dump(pool: pg.Pool): Promise<readonly string[]> {
  const { rows: tables } = await pool.query<{ name: string; binary: string[] }>(
    `select c.oid::regclass::text as name,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.atttypid = 'bytea'::regtype and not a.attisdropped) as binary
     from pg_class c where c.relkind = 'r' and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) and c.relpersistence <> 't'`,
  )
  const texts: string[] = []
  for (const { name, binary } of tables) {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`)
    texts.push(...rows.map(({ row }) => `${name}: ${row}`))
    for (const column of binary) {
      const { rows: cells } = await pool.query<{ bytes: Buffer }>(`select "${column}" as bytes from ${name} where "${column}" is not null`)
      texts.push(
        ...cells.flatMap(({ bytes }) => (name === 'chunks' ? unpackAll(bytes) : [bytes.toString('latin1')]).map((text) => `${name}.${column}: ${text}`)),
      )
    }
  }
  return texts
}

function unpackAll(body: Buffer): readonly string[] {
  const texts: string[] = []
  for (let slot = 0; ; slot++) {
    try {
      texts.push(unpackText(body, slot))
    } catch (error) {
      // The slot behind the last one.
      if (error instanceof RangeError) return texts
      throw error
    }
  }
}
