/** What identifiers look like: they tell who and what, joins need them, and they open nothing. All expressions are bounded. */

const GUID = /^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$/i
const ARN = /^arn:[\w-]{1,20}:[\w-]{1,64}:[\w-]{0,32}:[\w-]{0,32}:[^\s?"'<>]{1,1024}$/i
/** Names of resources of Google Cloud and Azure. */
const RESOURCE =
  /^(?:\/\/[\w.-]{1,80}\/|\/?(?:projects|organizations|folders|billingAccounts|subscriptions|providers|tenants|principal|locations|publishers|users|groups)\/)[^\s?"'<>]{1,1024}$/i
const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z| ?UTC|[+-]\d{2}:?\d{2})?)?$/
const IPV4 = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?$/
const IPV6 = /^(?=[^:]{0,4}:)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15}$/i
const EMAIL = /^[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}$/
/** Access key ids and the other unique ids of IAM (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html). */
const IAM_ID = /^(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|AIPA|ANPA|ANVA|APKA|ASCA)[A-Z0-9]{12,124}$/

/** True for a value that is an identifier whatever key it stands under. */
export function isIdentifier(value: string): boolean {
  if (value.length > 1100) return false
  return (
    GUID.test(value) ||
    ARN.test(value) ||
    TIME.test(value) ||
    IPV4.test(value) ||
    IPV6.test(value) ||
    IAM_ID.test(value) ||
    EMAIL.test(value) ||
    RESOURCE.test(value)
  )
}

/** True for what names a secret and is none: an ARN, a resource name, an access key id. */
export function namesSecret(value: string): boolean {
  return (
    value.length <= 1100 &&
    (ARN.test(value) || RESOURCE.test(value) || IAM_ID.test(value) || /^https:\/\/[\w.-]{1,80}\/(?:keys|secrets|certificates)\/[\w/-]{1,200}$/.test(value))
  )
}

/** Values without white space and quotes: names, ids, model ids, enumerations. */
export function isToken(value: string): boolean {
  return value.length <= 512 && /^[\w.:/@+=,#$*~\u00a1-\uffff-]{0,512}$/.test(value)
}

/** Shannon's entropy of the characters, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** True for a run of characters that looks drawn by chance, as keys are; hexadecimal digits do not count, since hashes and ids are written so. */
export function looksRandom(value: string): boolean {
  if (value.length < 16 || value.length > 1024 || !/^[\w+/=~.!@#$%^&*-]{16,1024}$/.test(value)) return false
  if (isIdentifier(value) || /^[0-9a-f-]{16,1024}$/i.test(value) || /^\d[\d.:-]{0,1024}$/.test(value)) return false
  const classes = [/[a-z]/, /[A-Z]/, /\d/].filter((one) => one.test(value)).length
  if (classes < 3 || (value.match(/[/.]/g)?.length ?? 0) > 3) return false
  return entropy(value) >= (value.length < 24 ? 3.3 : 3.8)
}
