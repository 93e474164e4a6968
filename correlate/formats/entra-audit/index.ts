import { classify, rankOf } from '../entra/view.ts'
import type { Format } from '../index.ts'
import { known, spelling } from './known.ts'
import { normalise } from './normalise.ts'

/** Entra directory audit records: changes of principals, applications and trust. */
export const format: Format = {
  recognise: (value) => classify(value)?.family === 'audit',
  rank: rankOf,
  normalise,
  known,
  spelling,
}
