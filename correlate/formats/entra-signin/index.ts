import { classify, rankOf } from '../entra/view.ts'
import type { Format } from '../index.ts'
import { known, spelling } from './known.ts'
import { normalise } from './normalise.ts'

/** Entra sign-ins of managed identities, service principals, agents and users, by any road. */
export const format: Format = {
  recognise: (value) => classify(value)?.family === 'signin',
  rank: rankOf,
  normalise,
  known,
  spelling,
}
