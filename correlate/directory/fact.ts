import type { DirectoryFact } from '#core/event.ts'
import type { EventId, TenantId } from '#core/keys.ts'

/** A fact with the tenant and the record that told it (the earliest one for `seen` facts). */
export interface StoredFact {
  readonly tenantId: TenantId
  readonly fact: DirectoryFact
  readonly time: bigint
  readonly eventId: EventId
}
