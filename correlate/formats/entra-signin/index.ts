import type { FormatModule } from '#core/event.ts'
import { classify, rankOf } from '../entra/view.ts'
import { known } from './known.ts'
import { normalise } from './normalise.ts'

/** Entra sign-ins of managed identities, service principals, agents and users, by any road. */
export const format: FormatModule = {
  recognise: (value) => classify(value)?.family === 'signin',
  rank: rankOf,
  normalise,
  known,
}
