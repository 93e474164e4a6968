import type { Resolution } from './api-types.ts'
import { fetchResolution } from './api-client.ts'
import type { Suggestion } from './picker.ts'
import { formatNumber } from './words.ts'

/** What an identifier leads to: principals that it names, then those to whom events that bear it are attributed. `message` says why there are none. */
export interface LookedUp {
  readonly suggestions: readonly Suggestion[]
  readonly message: string | null
}

/** Asks the server about an identifier of any kind. Throws an ApiError. */
export async function lookUp(text: string): Promise<LookedUp> {
  return shown(await fetchResolution(text))
}

/** The answer as suggestions, each oid once. */
export function shown({ refused, principals, occurrences, looksLike, notSearched }: Resolution): LookedUp {
  const found = new Map<string, Suggestion>()
  for (const { oid, name, kind } of principals) if (!found.has(oid)) found.set(oid, { oid, name: name ?? `unnamed ${kind}`, what: kind })
  for (const { field, principals: attributed, atLeast } of occurrences)
    for (const { agentOid, subjectOid, events } of attributed) {
      const oid = agentOid ?? subjectOid
      if (oid !== null && !found.has(oid))
        found.set(oid, {
          oid,
          name: agentOid === null ? 'subject' : 'agent',
          what: `of ${atLeast ? 'at least ' : ''}${formatNumber(events)} events with this ${FIELDS[field]}`,
        })
    }
  if (found.size > 0) return { suggestions: [...found.values()], message: null }
  if (refused !== null) return { suggestions: [], message: refused }
  // One event may bear it in several fields: the largest number is sure.
  const events = Math.max(0, ...occurrences.map((occurrence) => occurrence.events))
  const sure = occurrences.length === 1 && occurrences[0]?.atLeast === false
  const not = notSearched.map((what) => ` Not searched: ${what}`).join('')
  return {
    suggestions: [],
    message:
      events > 0
        ? `${sure ? '' : 'At least '}${formatNumber(events)} event${events === 1 ? ' bears' : 's bear'} it, and nobody is proven to have caused them.${not}`
        : `${not === '' ? 'No record in the store bears it.' : 'Not found in what was searched.'} It looks like: ${looksLike.join(', ')}.${not}`,
  }
}

const FIELDS: Readonly<Record<Resolution['occurrences'][number]['field'], string>> = {
  id: 'id',
  nativeId: 'record id',
  requestId: 'request id',
  tokenId: 'token',
  credential: 'access key',
  principal: 'principal',
  resource: 'resource',
  sourceIp: 'address',
  record: 'part of the record',
}
