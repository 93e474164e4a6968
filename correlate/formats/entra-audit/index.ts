import type { FormatModule } from '#core/event.ts'
import { classify, rankOf } from '../entra/view.ts'
import { known } from './known.ts'
import { normalise } from './normalise.ts'

/** Entra directory audit records: changes of principals, applications and trust. */
export const format: FormatModule = {
  recognise: (value) => classify(value)?.family === 'audit',
  rank: rankOf,
  normalise,
  known,
}
