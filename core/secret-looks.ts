/** Credentials that are known by their looks, wherever they stand: in records, and in what callers of the API write. */

/** What stands in the place of a masked value. */
export const MASKED = '***masked***'

/** Each replacement keeps what says which kind it was. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // Google OAuth access tokens, also cut to a prefix.
  [/ya29\.[\w.-]+/g, `ya29.${MASKED}`],
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, `-----BEGIN $1PRIVATE KEY-----${MASKED}`],
  [/\b(Encoded authorization failure message: )[\w+/=-]+/gi, `$1${MASKED}`],
  [/\b(Bearer )[\w.~+/=-]{8,}/gi, `$1${MASKED}`],
  [/\b(X-Amz-(?:Security-Token|Signature|Credential-Token)=)[^&\s"'\\]+/gi, `$1${MASKED}`],
  // Query parameters of a request address that carry a grant: OAuth codes and tokens, Azure SAS signatures, API keys.
  [/([?&](?:code|token|access_token|id_token|refresh_token|sig|key|api[_-]?key|client_secret|client_assertion|assertion)=)[^&#\s"'\\]+/gi, `$1${MASKED}`],
  // Bedrock API keys, GCP API keys and AWS session tokens by their fixed beginnings.
  [/\b(?:ABSK[A-Za-z0-9+/=]{40,}|bedrock-api-key-[A-Za-z0-9+/=_-]{20,}|AIza[\w-]{35})/g, MASKED],
  // API tokens of trailjoin itself.
  [/\btj_[\w-]{20,}/g, `tj_${MASKED}`],
  [/\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{40,}/g, MASKED],
]

/** The text with every credential in it replaced that is known by its looks. */
export function maskLooks(text: string): string {
  let masked = text.includes('eyJ') ? maskTokens(text) : text
  for (const [pattern, replacement] of PATTERNS) masked = masked.replace(pattern, replacement)
  return masked
}

/**
 * JSON Web Tokens: header and payload are base64url of `{"…`; the signature may be missing. An `eyJ` alone does not make one (a token id may
 * hold it by chance, and joins need that). By hand, because the expression for it takes quadratic time on a long row of `eyJ`.
 */
function maskTokens(text: string): string {
  return text.replace(/[\w.-]{20,}/g, (run) => {
    for (let at = run.indexOf('eyJ'); at >= 0;) {
      const dot = run.indexOf('.', at)
      if (dot < 0) return run
      const next = run.indexOf('.', dot + 1)
      if (dot - at >= 11 && (next < 0 ? run.length : next) - dot > 8) return run.slice(0, at) + MASKED
      at = run.indexOf('eyJ', dot)
    }
    return run
  })
}

/** True when one of the patterns may match: one quick pass. */
export function mayLookSecret(text: string): boolean {
  return LOOKS.test(text)
}

// Spelled out instead of the `i` flag, which takes twice as long.
const LOOKS =
  /eyJ|tj_|ya29\.|-----BEGIN|IQoJ|FwoG|FQoG|ABSK|AIza|bedrock-api-key|[Ff][Aa][Ii][Ll][Uu][Rr][Ee] [Mm]|[Bb][Ee][Aa][Rr][Ee][Rr] |[Xx]-[Aa][Mm][Zz]-|[?&][A-Za-z_-]+=/
