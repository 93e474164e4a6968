import type pg from 'pg'

/** What a read model needs of the database. */
export type Store = Pick<pg.Pool, 'query'>

/** How "no tenant is proven" is written where a tenant is part of a key. */
export const NO_TENANT = '00000000-0000-0000-0000-000000000000'

/** The tenant as answers show it. */
export const shownTenant = (tenantId: string | null): string | null => (tenantId === NO_TENANT ? null : tenantId)
