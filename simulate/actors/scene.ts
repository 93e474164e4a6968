import type { Tenant } from '../cast.ts'
import { offBeat } from '../cast.ts'
import type { Meaning } from '../draft.ts'
import type { Random } from '../random.ts'

/** Where noise happens: one tenant, its unrelated machine, application and pipeline. `now` moves forward. */
export interface Scene {
  readonly tenant: Tenant
  readonly random: Random
  now: number
  readonly machine: { readonly oid: string; readonly clientId: string }
  readonly application: { readonly oid: string; readonly appId: string }
  readonly pipelineRoleId: string
}

/** Lets time pass and says what time it is then. */
export function later(scene: Scene, least: number, most: number): number {
  scene.now = offBeat(scene.now + scene.random.int(least, most))
  return scene.now
}

/** Work of people and services: no agent, and nothing is said about tenant and parent. */
export function nobody(tenant: Tenant, kinds: Meaning['kinds'], session: string | null, skip: NonNullable<Meaning['skip']> = []): Meaning {
  return { tenant, claim: { by: 'nothing' }, kinds, session, skip: ['tenant', 'parent', ...skip] }
}
