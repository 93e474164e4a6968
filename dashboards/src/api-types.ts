/** What the page reads from the API. Types only: at run time the page knows the server by HTTP alone. */
import type * as contract from '#api/contract.ts'
import type { Role } from '#core/event.ts'

export type { Agent, EventDetail, OidAnswer, Page } from '#api/contract.ts'
export type { SignInWay } from '#api/access/sign-in.ts'
export type { Resolution } from '#api/resolve/contract.ts'
export type { Confidence, Kind, Outcome, Role, Source } from '#core/event.ts'

/** An event in a timeline, or by itself (then it has no role). */
export type TimelineItem = Omit<contract.TimelineItem, 'role'> & { readonly role: Role | null }
