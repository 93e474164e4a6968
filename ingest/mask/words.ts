/** What stands in the place of a masked value. */
export const MASKED = '***masked***'

/**
 * Keys whose string value is a credential, compared without case, `-` and `_`. An access key id is an identifier and stays: joins
 * need it. Facts: aws §f, gcp §f, entra §f (session tokens, web identity tokens, token prefixes, key material, client secrets).
 */
const KEYS = [
  'sessiontoken', 'webidentitytoken', 'samlassertion', 'secretaccesskey', 'secretkey', 'tokenprefix', 'accesstoken', 'refreshtoken', 'idtoken',
  'subjecttoken', 'actortoken', 'clientassertion', 'assertion', 'clientsecret', 'secrettext', 'privatekey', 'privatekeydata', 'xamzid2',
  'xamzsecuritytoken', 'authorization', 'password', 'bearertoken', 'signedjwt', 'signedblob', 'keystring', 'serviceapikeyvalue', 'servicepassword',
] as const
const SECRET_KEYS: ReadonlySet<string> = new Set(KEYS)

/** Keys that hold prompts or completions: model bodies are reduced to their usage numbers, wherever they stand. */
export const BODY_KEYS: ReadonlySet<string> = new Set(['inputbodyjson', 'outputbodyjson', 'fullrequest', 'fullresponse', 'requestpayload', 'responsepayload', 'otellog'])

/** A key as it is compared. */
export function plainKey(key: string): string {
  return key.replace(/[-_]/g, '').toLowerCase()
}

/** True when a string under this key is a credential. */
export function isSecretKey(plain: string): boolean {
  return SECRET_KEYS.has(plain)
}

/** Values that mask nothing: empty, or masked already by AWS or by an earlier import of our own export. */
export function isHarmless(value: string): boolean {
  return value === '' || value === MASKED || value === 'HIDDEN_DUE_TO_SECURITY_REASONS' || value.startsWith('HIDDEN_FOR_SECURITY')
}

/** Credentials that are known by their looks, under whatever key. Each replacement keeps what says which kind it was. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // JSON Web Tokens: header and payload are base64url of `{"…`; the signature may be cut off in logs.
  [/eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?(?:\.[\w-]*\.[\w-]*)?/g, MASKED],
  // Google OAuth access tokens, also cut to a prefix.
  [/ya29\.[\w.-]+/g, `ya29.${MASKED}`],
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, `-----BEGIN $1PRIVATE KEY-----${MASKED}`],
  [/\b(Encoded authorization failure message: )[\w+/=-]+/gi, `$1${MASKED}`],
  [/\b(Bearer )[\w.~+/=-]{8,}/gi, `$1${MASKED}`],
  [/\b(X-Amz-(?:Security-Token|Signature|Credential-Token)=)[^&\s"'\\]+/gi, `$1${MASKED}`],
  // Query parameters of a request address that carry a grant: OAuth codes and tokens, Azure SAS signatures, API keys.
  [/([?&](?:code|token|access_token|id_token|refresh_token|sig|key|api[_-]?key|client_secret|client_assertion|assertion|state)=)[^&#\s"'\\]+/gi, `$1${MASKED}`],
  // Bedrock API keys, GCP API keys and AWS session tokens by their fixed beginnings.
  [/\b(?:ABSK[A-Za-z0-9+/=]{40,}|bedrock-api-key-[A-Za-z0-9+/=_-]{20,}|AIza[\w-]{35})/g, MASKED],
  [/\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{40,}/g, MASKED],
]

/** The text with every credential in it replaced that is known by its looks. */
export function maskLooks(text: string): string {
  let masked = text
  for (const [pattern, replacement] of PATTERNS) masked = masked.replace(pattern, replacement)
  return masked
}

/**
 * True when a record's text may hold something to mask: most records have nothing and pay only this. It may say yes for nothing; it
 * must never say no for something. First a coarse look, which keeps most AWS and GCP records off the second.
 */
export function maySecret(text: string): boolean {
  return COARSE.test(text) && FINE.test(text)
}

const BODY_HINTS = [...BODY_KEYS].map(spelled)
// A key written with escapes (`session\u0054oken`) is no cloud's habit, but an attacker may choose keys: then the walk decides.
const LOOKS_HINTS = ['eyJ', 'ya29\\.', 'PRIVATE KEY', 'IQoJ', 'FwoG', 'FQoG', 'ABSK', 'AIza', 'bedrock-', 'aiplatform', 'authorization failure', 'bearer ', 'x-amz-', '[?&][a-z_-]+=', '\\\\u00']
export const COARSE = /eyJ|ya29|PRIVATE|IQoJ|FwoG|FQoG|ABSK|AIza|bedrock-|aiplatform|uthoriz|earer |-amz-|[?&][A-Za-z_-]+=|oken|ecret|ssertion|ivate|eystring|eyString|assword|xamz|igned|[bB]ody[jJ_]|[Ff]ull|[Pp]ayload|tel[_-]?[lL]og|eyValue|\\u00|[A-Z]{6}[^"]{0,20}"\s*:|[a-z][-_][a-z]+[-_]?[a-z]*"\s*:/
export const FINE = new RegExp(`${LOOKS_HINTS.join('|')}|(?:${[...KEYS.map(spelled), ...BODY_HINTS].join('|')})[-_]*\\\\*"`, 'i')

/** The expression that finds a key however it is cased and hyphenated. */
function spelled(key: string): string {
  return [...key].join('[-_]*')
}
