import { MASKED, maskLooks, mayLookSecret } from '#core/secret-looks.ts'

/**
 * Keys whose string value is a credential, compared without case, `-` and `_`. An access key id is an identifier and stays: joins
 * need it. Facts: aws §f, gcp §f, entra §f (session tokens, web identity tokens, token prefixes, key material, client secrets).
 */
const KEYS = [
  'sessiontoken',
  'webidentitytoken',
  'samlassertion',
  'secretaccesskey',
  'secretkey',
  'tokenprefix',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'subjecttoken',
  'actortoken',
  'clientassertion',
  'assertion',
  'clientsecret',
  'secrettext',
  'privatekey',
  'privatekeydata',
  'xamzid2',
  'xamzsecuritytoken',
  'authorization',
  'password',
  'bearertoken',
  'signedjwt',
  'signedblob',
  'keystring',
  'serviceapikeyvalue',
  'servicepassword',
] as const
const SECRET_KEYS: ReadonlySet<string> = new Set(KEYS)

/** Keys that hold prompts or completions: model bodies are reduced to their usage numbers, wherever they stand. */
const BODY_KEYS: ReadonlySet<string> = new Set([
  'inputbodyjson',
  'outputbodyjson',
  'fullrequest',
  'fullresponse',
  'requestpayload',
  'responsepayload',
  'otellog',
])

/** Keys repeat from record to record; the bound keeps keys that a caller may choose from filling memory. */
const kinds = new Map<string, KeyKind>()
/** `named`: the key itself looks like a credential (a token used as a key of a map). */
export type KeyKind = 'secret' | 'body' | 'named' | null

/** What stands under a key: a credential, a model's request or answer, or neither. */
export function keyKind(key: string): KeyKind {
  let kind = kinds.get(key)
  if (kind === undefined) {
    const plain = key.replace(/[-_]/g, '').toLowerCase()
    kind = SECRET_KEYS.has(plain) ? 'secret' : BODY_KEYS.has(plain) ? 'body' : mayLookSecret(key) && maskLooks(key) !== key ? 'named' : null
    if (kinds.size < 20_000) kinds.set(key, kind)
  }
  return kind
}

/** Values that mask nothing: empty, or masked already by AWS or by an earlier import of our own export. */
export function isHarmless(value: string): boolean {
  return value === '' || value === MASKED || value === 'HIDDEN_DUE_TO_SECURITY_REASONS' || value.startsWith('HIDDEN_FOR_SECURITY')
}
