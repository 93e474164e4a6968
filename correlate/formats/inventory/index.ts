/**
 * The declared inventory: what an operator knows and no log says (docs/operators/inventory.md). One JSON object a statement, so that it is imported, kept as evidence and
 * corrected like any record:
 *
 * {"inventory": 1, "time": "2026-09-01T00:00:00Z", "tenantId": "…", "declares": "agent", "oid": "…", "name": "Weather Agent", "blueprintAppId": "…"}
 */
import type { Format } from '../index.ts'
import { oneSpelling, vocabulary } from '../spelling/vocabulary.ts'
import { normalise } from './normalise.ts'

const known = [
  'inventory',
  'time',
  'tenantId',
  'declares',
  'oid',
  'appId',
  'name',
  'blueprintAppId',
  'blueprintObjectId',
  'objectId',
  'principalOid',
  'armId',
  'subject',
  'issuer',
  'change',
  'note',
]

export const format: Format = {
  recognise: (value) => value['inventory'] === 1 && typeof value['declares'] === 'string',
  rank: (_, respelled = false) => (respelled ? 1 : 0),
  normalise,
  known,
  spelling: oneSpelling(vocabulary(known)),
}
