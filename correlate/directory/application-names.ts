import type { DirectoryFact } from '#core/event.ts'
import type { AppId, Oid, TenantId } from '#core/keys.ts'
import type { StoredFact } from './fact.ts'

/**
 * The names of applications. Records name one by its appId, by its object id, or by both; whatever names both ties them together, and contradictory
 * records tie more than they should: then there are more candidates, never a wrong single one.
 */
export class ApplicationNames {
  readonly #parent = new Map<string, string>()

  constructor(facts: Iterable<StoredFact>) {
    for (const { tenantId, fact } of facts) {
      const [objectId, appId] = bothIds(fact)
      if (objectId && appId) this.#tie(name(tenantId, objectId, null)!, name(tenantId, null, appId)!)
    }
  }

  /** One key for all names of an application: the smallest of them, so that no order decides. Null without any id. */
  key(tenantId: TenantId, objectId: Oid | null, appId: AppId | null): string | null {
    const start = name(tenantId, null, appId) ?? name(tenantId, objectId, null)
    return start === null ? null : this.#root(start)
  }

  #root(start: string): string {
    let root = start
    for (let next = this.#parent.get(root); next !== undefined; next = this.#parent.get(root)) root = next
    return root
  }

  #tie(a: string, b: string): void {
    const [first, second] = [this.#root(a), this.#root(b)]
    if (first === second) return
    if (first < second) this.#parent.set(second, first)
    else this.#parent.set(first, second)
  }
}

function name(tenantId: TenantId, objectId: Oid | null, appId: AppId | null): string | null {
  return appId ? `${tenantId}/app:${appId}` : objectId ? `${tenantId}/obj:${objectId}` : null
}

/** An agent's row names its Blueprint, a Blueprint principal's its own application, by both ids. */
function bothIds(fact: DirectoryFact): readonly [Oid | null, AppId | null] {
  switch (fact.type) {
    case 'application':
    case 'fics':
    case 'fic-declared':
      return [fact.objectId, fact.appId]
    case 'seen':
      return [fact.blueprintObjectId, fact.kind === 'blueprint' ? fact.appId : fact.blueprintAppId]
    default:
      return [null, null]
  }
}
