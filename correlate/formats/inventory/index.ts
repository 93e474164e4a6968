/**
 * The declared inventory: what an operator knows and no log says (docs/operators/inventory.md). One JSON object a statement, so that it is imported, kept as evidence and
 * corrected like any record:
 *
 * {"inventory": 1, "time": "2026-09-01T00:00:00Z", "tenantId": "…", "declares": "agent", "oid": "…", "name": "Weather Agent", "blueprintAppId": "…"}
 */
import type { FormatModule } from '#core/event.ts'
import { normalise } from './normalise.ts'

export const format: FormatModule = {
  recognise: (value) => value['inventory'] === 1 && typeof value['declares'] === 'string',
  rank: () => 0,
  normalise,
  known: [
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
  ],
}
