import { classify, rankOf } from '../entra/view.ts'
import type { Format } from '../index.ts'
import { known, spelling } from './known.ts'
import { normalise } from './normalise.ts'

/** Microsoft Graph activity: every call to Graph with the token that made it. */
export const format: Format = {
  recognise: (value) => classify(value)?.family === 'graph-activity',
  rank: rankOf,
  normalise,
  known,
  spelling,
}
