import type { Means } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { at, bool, obj, str } from '../read.ts'

/** What the caller of a record (in CloudTrail's own spelling) showed; null when the record says nothing of it. */
export function meansOf(record: JsonObject, exchange: boolean): Means | null {
  const means = { credential: credentialOf(record), audience: exchange ? audienceOf(record) : null, invokedBy: str(at(record, 'userIdentity.invokedBy')) }
  return means.credential === null && means.audience === null && means.invokedBy === null ? null : means
}

/** Long-lived keys. A key that a service uses for its customer (`invokedBy`) is the service's doing, not the customer's use of a key. */
function credentialOf(record: JsonObject): string | null {
  const identity = obj(record['userIdentity'])
  const bearer = ['additionalEventData', 'requestParameters'].some((place) => bool(at(record, `${place}.callWithBearerToken`)) === true)
  // The user that AWS makes for a long-term Bedrock API key (facts/aws.md d).
  if (bearer || str(identity['userName'])?.startsWith('BedrockAPIKey-') === true) return 'bedrock-api-key'
  const type = str(identity['type'])
  if (str(identity['invokedBy']) !== null) return null
  return type === 'IAMUser' ? 'iam-user' : type === 'Root' ? 'root' : null
}

/** The audience that an exchange was made with. v2 tokens may show the client (`azp`) here (facts/aws.md c.1). Null where the record has none. */
function audienceOf(record: JsonObject): string | null {
  const answer = str(at(record, 'responseElements.audience'))
  if (answer !== null) return answer
  const identity = obj(record['userIdentity'])
  const principal = str(identity['principalId'])
  const before = `${str(identity['identityProvider']) ?? ''}:`
  const after = `:${str(identity['userName']) ?? ''}`
  if (principal === null || before === ':' || after === ':' || !principal.startsWith(before) || !principal.endsWith(after)) return null
  return str(principal.slice(before.length, -after.length))
}
