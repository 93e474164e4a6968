/** What is known of each oid, for the canonical export: a function of the set of directory facts alone. */
import type pg from 'pg'
import type { DirectoryFact } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import { foldDirectory } from './directory.ts'

interface FactRow {
  readonly tenant_id: string
  readonly body: DirectoryFact
  readonly first_ns: bigint
}

/** One line an oid, sorted by tenant and oid: kind, names, Blueprint, managed identities, and from when to when it existed as far as records say. */
export async function principalLines(client: pg.ClientBase): Promise<readonly (Readonly<Record<string, unknown>> & { type: string; id: string })[]> {
  const { rows } = await client.query<FactRow>('select tenant_id, body, first_ns from directory_facts order by last_ns, last_event, id')
  const directory = foldDirectory([...rows])
  const lifetimes = lifetimesOf(rows)
  return directory.principals
    .map((known) => ({
      type: 'principal',
      id: `${known.tenantId}/${known.oid}`,
      tenantId: known.tenantId,
      oid: known.oid,
      kind: known.kind,
      appId: known.appId,
      names: known.names.toSorted(),
      blueprint: directory.blueprintOf(known)?.appId ?? directory.blueprintOf(known)?.objectId ?? null,
      uamis: known.kind === 'agent' || known.kind === 'blueprint' ? directory.uamisOf(known).map((uami) => uami.oid) : [],
      validFrom: lifetimes.get(`${known.tenantId}/${known.oid}`)?.from ?? null,
      validTo: lifetimes.get(`${known.tenantId}/${known.oid}`)?.to ?? null,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** From the first creation seen, to the last deletion that nothing restored. */
function lifetimesOf(rows: readonly FactRow[]): Map<string, { from: string | null; to: string | null }> {
  const lifetimes = new Map<string, { from: string | null; to: string | null }>()
  for (const { tenant_id: tenantId, body, first_ns: time } of rows.toSorted((a, b) => (a.first_ns < b.first_ns ? -1 : a.first_ns > b.first_ns ? 1 : 0))) {
    if (body.type !== 'lifecycle') continue
    const key = `${tenantId}/${body.id}`
    const known = lifetimes.get(key) ?? { from: null, to: null }
    lifetimes.set(key, known)
    if (body.change === 'created') known.from ??= formatTime(time)
    if (body.change === 'deleted') known.to = formatTime(time)
    if (body.change === 'restored' || body.change === 'created') known.to = null
  }
  return lifetimes
}
