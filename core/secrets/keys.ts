import { undisguised, unescaped } from './escapes.ts'

/** What a key says about its value, judged by the words that it is made of: `apiKey`, `DB_PASSWORD`, `masterUserPassword`, `x-api-key`. */

/** Words that a secret is called by, alone or as the last word of a key. */
const SECRETS: ReadonlySet<string> = new Set(
  (
    'password passwd passwort pwd passphrase passcode passwords pass secret secrets token tokens cookie cookies authorization assertion ' +
    'jwt jws jwe bearer apikey apikeys privatekey secretkey accesskey sharedkey accountkey masterkey signingkey encryptionkey sessiontoken accesstoken ' +
    'refreshtoken idtoken clientsecret authtoken authkey otp totp sas sig signature psk mnemonic connectionstring connstring connstr dsn pem pfx pkcs12 p12 ' +
    'pin storepass keypass srcstorepass deststorepass jsessionid phpsessid kennwort wachtwoord contrasena contrasenya passe motdepasse senha heslo haslo parola losenord salasana plaintext keystore kubeconfig userpass userpassword dbpassword pgpassword mysqlpwd htpasswd sshkey'
  ).split(' '),
)
/** The same in two words. */
const PAIRS: ReadonlySet<string> = new Set(
  (
    'api-key access-key private-key secret-key account-key storage-key master-key signing-key encryption-key shared-key primary-key secondary-key session-key ' +
    'function-key subscription-key auth-key server-key client-key consumer-key deploy-key license-key ssh-key admin-key query-key integration-key webhook-key ' +
    'connection-string connect-string conn-string conn-str authorization-code auth-code device-code user-code verification-code recovery-code recovery-codes mfa-code ' +
    'activation-code security-code code-verifier pass-word pass-phrase pass-code set-cookie key-material key-string key-data id-2 basic-auth ' +
    'signed-jwt signed-blob signed-url presigned-url sas-url sas-uri sas-token token-prefix service-ticket security-answer'
  ).split(' '),
)
/** Of these words a secret is a matter of how the value looks: an S3 key is an object's name, a credential may be an id. */
const SUSPICIOUS: ReadonlySet<string> = new Set('key keys credential credentials creds auth code salt seed hmac mac csrf xsrf ticket grant'.split(' '))
/** Words at the end that say how the secret is carried: they are taken off. */
const CARRIERS: ReadonlySet<string> = new Set(
  'value values string text data binary material plaintext plain clear hash salt content new old current previous primary secondary base64 b64 encoded encrypted raw json payload pem header param parameter input confirmation confirm confirmed repeat repeated again'.split(
    ' ',
  ),
)
/** Last words of keys that only tell something about a secret, or name it. */
const ABOUT: ReadonlySet<string> = new Set(
  (
    'id ids identifier identifiers arn arns name names type types kind url uri endpoint endpoints version versions count counts expiry expires expiration expire at on date time ' +
    'timestamp length size policy policies status state enabled required allowed lifetime ttl age algorithm alg format method methods mode scheme source issuer provider manager usage ' +
    'use details detail description hint location path rotation protection strength reset change changed last created updated history category class reason error result limit ' +
    'limits group scope scopes audience level info metadata settings config configuration configured options option kid present used valid verified flow only protected display'
  ).split(' '),
)
/** Tokens that only hold a place in a list, or make a call idempotent. */
const PAGES: ReadonlySet<string> = new Set(
  'next page pagination continuation continue client request idempotency skip sync resumption starting start marker creator upload watch task session-start resume change'.split(
    ' ',
  ),
)
/** Keys as they stand in records that follow no rule. */
const EXACT: ReadonlySet<string> = new Set([
  'xamzid2',
  'keystring',
  'secrettext',
  'tokenprefix',
  'xamzsecuritytoken',
  'signedblob',
  'signedjwt',
  'passwordprofile',
])
const NOT_SECRET: ReadonlySet<string> = new Set([
  'uniquetokenidentifier',
  'publickey',
  'accesskeyid',
  'incomingtokentype',
  'clienttoken',
  'clientrequesttoken',
  'subjectfromwebidentitytoken',
  'resultsignature',
  'maxtokens',
  'partitionkey',
  'sortkey',
  'rangekey',
  'hashkey',
])

/**
 * `secret`: whatever stands there. `looks`: what stands there when it looks drawn by chance. `object`: strings are secrets, an object is looked
 * at by its own keys (Azure's `authorization: {scope, action}`, AWS's `credentials`).
 */
export type SecretKey = 'secret' | 'object' | 'looks' | null

/** A key without escapes, accents and disguise. */
function latin(key: string): string {
  const short = key.slice(0, 128)
  if (/^[\w.:@$ -]*$/.test(short)) return short
  return undisguised(unescaped(short)).normalize('NFD').replace(/\p{M}/gu, '')
}

/** The words of a key in lower case. */
export function wordsOf(key: string): string[] {
  return latin(key)
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter((word) => word !== '')
}

/** Keys repeat from text to text; the bound keeps keys that a caller may choose from filling memory. */
const kinds = new Map<string, SecretKey>()

/** What a key says about its value. */
export function kindOfKey(key: string): SecretKey {
  let kind = kinds.get(key)
  if (kind === undefined) {
    kind = secretKey(key)
    if (kinds.size < 20_000 && key.length < 200) kinds.set(key, kind)
  }
  return kind
}

function secretKey(key: string): SecretKey {
  const joined = latin(key)
    .replace(/[^A-Za-z\d]/g, '')
    .toLowerCase()
  if (EXACT.has(joined)) return 'secret'
  if (NOT_SECRET.has(joined)) return null
  const words = wordsOf(key).map((word) => word.replace(/(?<=[a-z])\d+$/, ''))
  if (words.includes('public')) return null
  let end = words.length
  // `password1`, `secretValue`, `newPasswordHash`: one word stays in any case.
  while (end > 1 && (CARRIERS.has(words[end - 1]!) || /^\d*$/.test(words[end - 1]!)) && !PAIRS.has(`${words[end - 2]}-${words[end - 1]}`)) end--
  const last = words[end - 1] ?? ''
  const before = words[end - 2] ?? ''
  if (PAIRS.has(`${before}-${last}`)) return weak(last, before)
  if (ABOUT.has(last)) return null
  if (last === 'token' || last === 'tokens') return PAGES.has(before) ? null : 'object'
  if (last === 'authorization' || last === 'assertion' || last === 'cookie' || last === 'cookies' || last === 'signature' || last === 'sig') return 'object'
  if (SUSPICIOUS.has(last)) return 'looks'
  if (SECRETS.has(last)) return 'secret'
  // Lower case throughout, as Athena writes columns: `masteruserpassword`, `clientsecret`.
  if (words.length === 1 && RUN.test(last)) return /tokens?$/.test(last) ? (PAGES.has(last.replace(/tokens?$/, '')) ? null : 'object') : 'secret'
  return null
}

const RUN =
  /(?:password|passwd|passphrase|secret|secretstring|secretbinary|apikey|privatekey|secretkey|secretaccesskey|accountkey|connectionstring|[a-z]{2,}token|secretvalue|securestring)$/

/** Of these two words the value decides, too: a database has primary keys, and a product a licence. */
function weak(last: string, before: string): SecretKey {
  // AWS answers `accessKey: {accessKeyId, status, userName, …}`.
  if (before === 'access') return 'object'
  return last === 'key' && /^(?:primary|secondary|license|query|admin|function|server|client|integration|webhook)$/.test(before) ? 'looks' : 'secret'
}
