/** Reads what an explanation is told from: the event, the hops it goes back to, and the events that its attribution rests on. */
import type { Link, PrincipalKind, Proof } from '#core/event.ts'
import type { TimelineItem } from '../contract.ts'
import { readDirectory } from '../read-models/directory.ts'
import type { KnownDirectory } from '../read-models/directory.ts'
import { ITEM_COLUMNS, ITEM_JOINS, itemRows, toItem } from '../read-models/item.ts'
import type { ItemRow } from '../read-models/item.ts'
import { eventInScope, scopeOf } from '../read-models/store.ts'
import type { Store } from '../read-models/store.ts'

/** A stored event with the facts that its attribution rests on. */
export interface Told {
  readonly item: Omit<TimelineItem, 'role'>
  readonly resource: string | null
  readonly tokenId: string | null
  readonly asserted: readonly string[]
  /** False while its facts are stored but nothing was concluded from them. */
  readonly concluded: boolean
  readonly proof: {
    readonly by: Proof['by']
    readonly oid: string | null
    readonly subject: string | null
    readonly kind: PrincipalKind | null
    readonly appId: string | null
  }
  /** False for an issuer that is known not to be Entra. */
  readonly entra: boolean | null
  readonly uses: string | null
  readonly issues: string | null
  readonly requestKey: string | null
  readonly link: Link | null
}

export interface Story {
  readonly event: Told
  /** From the first hop to the event itself, which is the last. */
  readonly hops: readonly Told[]
  /** There are hops before the first one here: it is not the first. */
  readonly cut: boolean
  /** Events that the attribution rests on, as far as the caller may see them; at most `MAX_EVIDENCE`. */
  readonly evidence: readonly Told[]
  /** The exchange of the credential that it was done with: from then on it counts who could have used the identity. Null for everything else, and where the caller may not see it. */
  readonly exchange: Told | null
  /** The caller sees the records of some tenants only: what is not seen may be there all the same. */
  readonly bounded: boolean
  readonly directory: KnownDirectory
}

/**
 * Whether the attribution leads to somebody, whom the caller may then not see where the item names nobody. `proximity` alone does not: it is stored where several
 * strangers asked from one address and none of them leads to an agent (correlate/attribute.ts); of a single one more stands beside it.
 */
export const provesSomebody = (basis: readonly string[]): boolean => basis.some((one) => one !== 'proximity')

/** Longer chains exist only where somebody made them; a page of hops explains nothing. */
export const MAX_HOPS = 24
export const MAX_EVIDENCE = 100

interface Row extends ItemRow {
  concluded: boolean
  proof: Proof['by']
  proof_oid: string | null
  proof_app_id: string | null
  proof_kind: PrincipalKind | null
  proof_subject: string | null
  proof_entra: boolean | null
  uses: string | null
  issues: string | null
  request_key: string | null
  link: Link | null
}

/** The story of one event, or null when there is no such event (for this caller). */
export async function readStory(store: Store, id: string, known?: KnownDirectory): Promise<Story | null> {
  const event = (await readTold(store, [id])).get(id)
  if (!event) return null
  const { hops, cut } = await hopsBefore(store, event)
  const evidence = await readTold(store, event.item.attribution.evidence.slice(0, MAX_EVIDENCE))
  return {
    event,
    hops,
    cut,
    evidence: [...evidence.values()],
    exchange: await exchangeOf(store, event, hops),
    bounded: store.scope !== 'everything',
    directory: known ?? (await readDirectory(store)),
  }
}

/** What the event's session began with; a usage log has that of its call. */
async function exchangeOf(store: Store, event: Told, hops: readonly Told[]): Promise<Told | null> {
  const { item } = event.item.kind === 'llm.metered' ? (hops.at(-2) ?? event) : event
  if (item.sessionId === null || item.kind === 'token.exchanged') return null
  const { rows } = await store.query<{ root: string | null }>('select root_event as root from sessions where id = $1', [item.sessionId])
  const root = rows[0]?.root ?? null
  const known = hops.find((hop) => hop.item.id === root)
  const exchange = known ?? (root === null ? null : ((await readTold(store, [root])).get(root) ?? null))
  // What was used before it was issued, by another clock, counts at its own time.
  return exchange?.item.kind === 'token.exchanged' && exchange.item.time < item.time ? exchange : null
}

/** The event and the hops before it, the first one first. A parent that the caller may not see is not named (`itemRows`), so that for them the chain begins there. */
async function hopsBefore(store: Store, event: Told): Promise<Pick<Story, 'hops' | 'cut'>> {
  const hops = [event]
  for (;;) {
    const { parentId } = hops[0]!.item
    // A parent that is one of the hops would be a circle; the store has none, but a loop here would never end.
    if (parentId === null || hops.some((hop) => hop.item.id === parentId)) return { hops, cut: false }
    if (hops.length === MAX_HOPS) return { hops, cut: true }
    const parent = (await readTold(store, [parentId])).get(parentId)
    if (!parent) return { hops, cut: true }
    hops.unshift(parent)
  }
}

async function readTold(store: Store, ids: readonly string[]): Promise<Map<string, Told>> {
  if (ids.length === 0) return new Map()
  const rows = await itemRows<Row>(
    store,
    `select ${ITEM_COLUMNS}, c.event_id is not null as concluded, c.link,
       e.proof, e.proof_oid, e.proof_app_id, e.proof_kind, e.proof_subject, e.proof_entra, e.uses, e.issues, e.request_key
     from heads at join events e on e.time_ns = at.time_ns and e.event_id = at.event_id ${ITEM_JOINS}
     where at.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')} order by e.time_ns, e.event_id`,
    [ids, scopeOf(store)],
  )
  return new Map(rows.map((row) => [row.event_id, told(row)]))
}

function told(row: Row): Told {
  const { role: _none, ...item } = toItem(row, null)
  return {
    item,
    resource: row.resource,
    tokenId: row.token_id,
    asserted: row.asserted ?? [],
    concluded: row.concluded,
    proof: { by: row.proof, oid: row.proof_oid, subject: row.proof_subject, kind: row.proof_kind, appId: row.proof_app_id },
    entra: row.proof_entra,
    uses: row.uses,
    issues: row.issues,
    requestKey: row.request_key,
    link: row.link,
  }
}
