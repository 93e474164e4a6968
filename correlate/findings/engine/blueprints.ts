import type { AppId, Oid, TenantId } from '#core/keys.ts'
import type { StoredFact } from '../../directory/fact.ts'

/** Which applications and principals are Blueprints, from what any record says. */
export class Blueprints {
  readonly #appIds = new Map<string, Set<TenantId>>()
  readonly #principals = new Map<string, AppId | null>()

  constructor(facts: readonly StoredFact[]) {
    for (const { tenantId, fact } of facts) {
      if (fact.type === 'application' && fact.blueprint) this.#add(fact.appId, tenantId)
      if (fact.type === 'seen') this.#add(fact.blueprintAppId, tenantId)
      if (fact.type === 'seen' && fact.kind === 'blueprint') {
        this.#add(fact.appId, tenantId)
        this.#principals.set(`${tenantId}/${fact.oid}`, fact.appId)
      }
    }
    // A principal that no record calls a Blueprint's is one by its application.
    for (const { tenantId, fact } of facts) {
      if (fact.type === 'seen' && fact.kind !== 'agent' && fact.kind !== 'managed-identity' && fact.appId && this.#appIds.has(fact.appId))
        this.#principals.set(`${tenantId}/${fact.oid}`, fact.appId)
    }
  }

  #add(appId: AppId | null, tenantId: TenantId): void {
    if (!appId) return
    const tenants = this.#appIds.get(appId)
    if (tenants) tenants.add(tenantId)
    else this.#appIds.set(appId, new Set([tenantId]))
  }

  /** True for a Blueprint's application id (they are the same in every tenant). */
  hasAppId(appId: string): boolean {
    return this.#appIds.has(appId)
  }

  /** True for a Blueprint's service principal. */
  hasPrincipal(tenantId: string | null, oid: string): boolean {
    return this.#principals.has(`${tenantId}/${oid}`)
  }

  /** The application id behind a Blueprint's service principal. */
  appIdOf(tenantId: string | null, oid: string): AppId | null {
    return this.#principals.get(`${tenantId}/${oid}`) ?? null
  }

  /** The service principals of a Blueprint in a tenant, sorted. */
  principalsOf(tenantId: string | null, appId: string): Oid[] {
    const found = [...this.#principals].flatMap(([key, app]) => (app === appId && key.startsWith(`${tenantId}/`) ? [key.slice(37) as Oid] : []))
    return found.toSorted()
  }

  /** Their service principals in all tenants, sorted. */
  principals(): readonly string[] {
    return [...new Set([...this.#principals.keys()].map((key) => key.slice(37)))].toSorted()
  }

  appIds(): readonly string[] {
    return [...this.#appIds.keys()].toSorted()
  }

  /** The tenants that know this Blueprint, sorted. */
  tenantsOf(appId: string): readonly TenantId[] {
    return [...(this.#appIds.get(appId) ?? [])].toSorted()
  }
}
