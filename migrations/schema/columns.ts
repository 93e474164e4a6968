/** Column types and enumerations that several tables share. */
import { bigint, customType, pgEnum } from 'drizzle-orm/pg-core'
import { CONFIDENCES, KINDS, LINKS, OUTCOMES, ROLES, SOURCES } from '#core/event.ts'

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
/** Nanoseconds since 1970. */
export const nanos = (name: string) => bigint(name, { mode: 'bigint' })
export const sourceEnum = pgEnum('source', SOURCES)
export const kindEnum = pgEnum('kind', KINDS)
export const outcomeEnum = pgEnum('outcome', OUTCOMES)
export const confidenceEnum = pgEnum('confidence', CONFIDENCES)
export const roleEnum = pgEnum('role', ROLES)
export const linkEnum = pgEnum('link', LINKS)
