import type pg from 'pg'
import { NO_TENANT } from '#core/keys.ts'
import { type Queries, readerQueries, readerSnapshot } from '#database/reader.ts'
import { withSnapshot } from '#database/snapshot.ts'
import type { Scope } from '../access/caller.ts'

export type { Queries }

/** What a read model needs: the database, and the tenants that its answer may be about. */
export interface Store extends Queries {
  readonly scope: Scope
  /** Does the work with queries that see one moment; a store that is one moment itself, or never changes, has none. */
  readonly snapshot?: <Result>(work: (queries: Queries) => Promise<Result>) => Promise<Result>
}

/** A store without bounds, for those who hold the database itself: the command line, the local token, tests. */
export function wholeStore(pool: Queries): Store {
  return { query: pool.query.bind(pool), scope: 'everything' }
}

/**
 * A store that holds a caller to their tenants twice: read models ask for no others, and the database shows no others. An unbounded caller's queries may only
 * read, too. Throws a TypeError when the scope holds what is no tenant id.
 * @param limitMs how long one question may take, in milliseconds: a minute without it; null where nobody waits for the answer
 */
export function scopedStore(pool: pg.Pool, scope: Scope, limitMs?: number | null): Store {
  const tenants = scope === 'everything' ? null : scope
  return { ...readerQueries(pool, tenants, limitMs), scope, snapshot: (work) => readerSnapshot(pool, tenants, work, limitMs) }
}

/** Does the work with a store of the same bounds that does not change meanwhile. It holds a connection until the work ends. */
export function inSnapshot<Result>(store: Store, work: (store: Store) => Promise<Result>): Promise<Result> {
  const { scope, snapshot } = store
  return snapshot ? snapshot((queries) => work({ ...queries, scope })) : work(store)
}

/** The same without bounds, for those who hold the database itself. */
export function inWholeSnapshot<Result>(pool: pg.Pool, work: (store: Store) => Promise<Result>): Promise<Result> {
  return withSnapshot(pool, '', (queries) => work(wholeStore(queries)))
}

/** What to give the parameters of `tenantInScope` and `eventInScope`: the tenants, or null for an unbounded caller. */
export const scopeOf = (store: Store): readonly string[] | null => (store.scope === 'everything' ? null : store.scope)

/** Condition: the row of this column's tenant may be seen. A row of no tenant may be by unbounded callers only. Costs nothing where the parameter is null. */
export const tenantInScope = (column: string, parameter: string): string => `(${parameter}::uuid[] is null or ${column} = any(${parameter}::uuid[]))`

/** Condition over conclusions: the event may be seen, because its own tenant, its conclusion's, or that of a timeline it stands in may be. */
export const eventInScope = (conclusions: string, parameter: string): string =>
  `(${parameter}::uuid[] is null or ${conclusions}.tenant_id = any(${parameter}::uuid[]) or ${conclusions}.other_tenants && ${parameter}::uuid[])`

/** The tenant as answers show it. */
export const shownTenant = (tenantId: string | null): string | null => (tenantId === NO_TENANT ? null : tenantId)
