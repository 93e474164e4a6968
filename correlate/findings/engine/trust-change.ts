/** A successful change of whom a cloud trusts, read from its record. */
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import type { StoredEvent } from './stored-event.ts'
import { awsTrust } from './trust-aws.ts'
import { gcpTrust } from './trust-gcp.ts'

/** One way in that a trust opens. */
export interface Alternative {
  /** Tenant of the Entra issuer; null when the record names an Entra issuer without a tenant. */
  readonly tenantId: TenantId | null
  /** Restricted to subjects. */
  readonly pinned: boolean
}

export type TrustChange =
  | {
      readonly cloud: 'aws'
      readonly event: StoredEvent
      /** ARN of the role or of the identity provider. */
      readonly place: string
      readonly audiences: readonly { readonly audience: string; readonly tenantId: TenantId | null }[]
      /** Statements of a role's trust document that let an Entra issuer in. */
      readonly alternatives: readonly Alternative[]
      readonly targets: readonly Oid[]
    }
  | {
      readonly cloud: 'gcp'
      readonly event: StoredEvent
      readonly provider: GcpProvider | null
      /** Members that a policy change adds. */
      readonly members: readonly { readonly role: string | null; readonly member: string }[]
      readonly targets: readonly Oid[]
    }

export interface GcpProvider {
  readonly project: string
  readonly pool: string
  readonly provider: string
  /** Absent (undefined) where an update does not touch it. */
  readonly issuer: string | undefined
  readonly audiences: readonly string[] | undefined
  readonly condition: string | undefined
  readonly mapping: Readonly<Record<string, string>> | undefined
}

/** What these events' records say; a record that holds no trust content is left out. In the order of the events. */
export function trustChangesOf(events: readonly StoredEvent[], records: ReadonlyMap<EventId, JsonObject>): TrustChange[] {
  return events.flatMap((event) => {
    const record = records.get(event.id)
    if (!record) return []
    return (event.source === 'aws' ? awsTrust(event, record) : gcpTrust(event, record)) ?? []
  })
}
