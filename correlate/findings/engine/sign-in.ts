import type { JsonObject } from '#core/record.ts'
import { classify, viewOf } from '../../formats/entra/view.ts'
import { str } from '../../formats/read.ts'

/** How the client of a sign-in authenticated (`clientsecret`, `federatedidentitycredential`, …), lower case; null where the record does not say. */
export function clientCredentialOf(record: JsonObject): string | null {
  const view = viewOf(record, classify(record)?.shape ?? 'graph', {})
  return str(view.get('clientCredentialType'))?.toLowerCase() ?? null
}
