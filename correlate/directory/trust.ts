import { entraIssuerTenant } from '#core/entra-issuer.ts'
import type { DirectoryFact, Fic } from '#core/event.ts'
import type { EventId, TenantId } from '#core/keys.ts'
import type { StoredFact } from './fact.ts'
import { type Observation, type Span, spansOf } from './intervals.ts'

export type TrustFact = StoredFact & { readonly fact: Extract<DirectoryFact, { type: 'fics' } | { type: 'fic-declared' }> }

export function isTrust(stored: StoredFact): stored is TrustFact {
  return stored.fact.type === 'fics' || stored.fact.type === 'fic-declared'
}

/** A subject that a federated credential names, and when. */
export interface TrustedIdentity {
  /** Tenant of the credential's issuer; null when the issuer is not Entra. */
  readonly issuerTenant: TenantId | null
  readonly subject: string
  readonly valid: readonly Span[]
  /** The records that show the credential. */
  readonly evidence: readonly EventId[]
}

/** The identities that an application trusts or trusted, from all that records say of its federated credentials. */
export function trustedIdentities(observed: readonly TrustFact[]): readonly TrustedIdentity[] {
  const known = new Map<string, Fic>()
  for (const { fact } of observed) {
    for (const fic of fact.type === 'fics' ? [...(fact.before ?? []), ...(fact.after ?? [])] : [fact.fic]) known.set(keyOf(fic), fic)
  }
  return [...known.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, fic]) => {
      const observations = observed.map((stored) => observationOf(stored, key)).filter((one) => one !== null)
      return {
        issuerTenant: entraIssuerTenant(fic.issuer),
        subject: fic.subject,
        valid: spansOf(observations, false),
        evidence: observations
          .filter((one) => one.before === true || one.after === true)
          .map((one) => one.id as EventId)
          .toSorted(),
      }
    })
}

const keyOf = (fic: Fic): string => `${entraIssuerTenant(fic.issuer) ?? fic.issuer}\n${fic.subject}`

/** What one record says about a credential; null when it does not speak of it. An audit record lists all credentials, a declaration only its own. */
function observationOf({ time, eventId: id, fact }: TrustFact, key: string): Observation | null {
  if (fact.type === 'fics') {
    const has = (fics: readonly Fic[] | null): boolean | null => (fics === null ? null : fics.some((one) => keyOf(one) === key))
    return { time, id, before: has(fact.before), after: has(fact.after) }
  }
  if (keyOf(fact.fic) !== key) return null
  return { time, id, before: fact.change !== 'added', after: fact.change !== 'removed' }
}
