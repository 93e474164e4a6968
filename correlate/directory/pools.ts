import type { TenantId } from '#core/keys.ts'
import type { StoredFact } from './fact.ts'
import { entraIssuerTenant } from '#core/entra-issuer.ts'

interface Provider {
  readonly project: string
  readonly pool: string
  readonly provider: string
  readonly issuer: string
}

/** Workload identity pools: whose tokens they take. Records name a project by its id or by its number; an exchange ties the two together. */
export class Pools {
  readonly #providers: Provider[] = []
  readonly #names = new Map<string, Set<string>>()

  constructor(facts: Iterable<StoredFact>) {
    for (const { fact } of facts) {
      if (fact.type === 'gcp-provider') this.#providers.push(fact)
      if (fact.type !== 'gcp-project') continue
      this.#tie(fact.id, fact.number)
      this.#tie(fact.number, fact.id)
    }
  }

  /** Every name of the project, the given one included. */
  namesOf(project: string): ReadonlySet<string> {
    return new Set([project, ...(this.#names.get(project) ?? [])])
  }

  /** Tenant of the issuer that the pool (or the provider in it) trusts. `foreign`: all known issuers are not Entra. Null: not known, or they disagree. */
  issuerOf({ project, pool, provider }: { readonly project: string; readonly pool: string; readonly provider: string | null }): TenantId | 'foreign' | null {
    const names = this.namesOf(project)
    const matching = this.#providers.filter((known) => names.has(known.project) && known.pool === pool)
    const own = matching.filter((known) => known.provider === provider)
    const issuers = new Set((own.length > 0 ? own : matching).map((known) => entraIssuerTenant(known.issuer) ?? 'foreign'))
    return issuers.size === 1 ? [...issuers][0]! : null
  }

  #tie(from: string, to: string): void {
    this.#names.set(from, (this.#names.get(from) ?? new Set()).add(to))
  }
}
