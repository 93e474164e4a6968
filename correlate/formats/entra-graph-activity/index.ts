import type { FormatModule } from '#core/event.ts'
import { classify, rankOf } from '../entra/view.ts'
import { known } from './known.ts'
import { normalise } from './normalise.ts'

/** Microsoft Graph activity: every call to Graph with the token that made it. */
export const format: FormatModule = {
  recognise: (value) => classify(value)?.family === 'graph-activity',
  rank: rankOf,
  normalise,
  known,
}
