/**
 * How long after its exchange a credential was used, at most, in all that was ever concluded: when the directory changes, whatever was exchanged that long before may have
 * been used since by whom it names. It only grows, so it costs a repair some look-ups and never changes a result. (AWS lets a chain of roles go on for as long as somebody renews it.)
 */
import type pg from 'pg'

const NAME = 'longest-reach'

export async function readReach(client: pg.ClientBase): Promise<bigint> {
  const { rows } = await client.query<{ round: bigint }>('select round from progress where name = $1', [NAME])
  return rows[0]?.round ?? 0n
}

/** The caller holds the deriver's lock until its transaction ends. */
export async function noteReach(client: pg.ClientBase, reachNs: bigint): Promise<void> {
  if (reachNs <= (await readReach(client))) return
  await client.query('insert into progress (name, round) values ($1, $2) on conflict (name) do update set round = excluded.round', [NAME, reachNs])
}
