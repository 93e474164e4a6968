/**
 * Reads the conditions of GCP workload identity providers as far as one question needs: does every alternative pin the token to a subject,
 * object id, application or group? Google's language (CEL) is larger; what is not understood counts as no restriction only where it
 * cannot be one.
 */

/** Claims that pin a token to a principal, its application or a group. `tid`, `iss` and `aud` are shared by everybody in the tenant. */
const PINNING = new Set(['sub', 'oid', 'appid', 'azp', 'xms_par_app_azp', 'xms_mirid', 'groups', 'roles', 'wids'])

/** Whether a mapped attribute (`attribute.x`, `google.subject`, `google.groups`) comes from a pinning claim. */
export type Attributes = (name: string) => boolean

type Token = string

/** True when every alternative of the condition restricts who may federate. An empty condition restricts nobody. */
export function pinsSubject(condition: string, attributes: Attributes): boolean {
  const tokens = tokensOf(condition)
  if (tokens.length === 0) return false
  return pins(tokens, attributes, false)
}

/** True when the expression of a mapping (`assertion.sub`, `assertion.tid + "/" + assertion.oid`) holds a pinning claim. */
export function mapsPinningClaim(expression: string): boolean {
  return [...claimsIn(tokensOf(expression))].some((claim) => claim.startsWith('assertion.') && PINNING.has(claim.slice('assertion.'.length)))
}

const TOKENS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\|\||&&|[=!<>]=|[A-Za-z_][\w]*|\d+|\S/g

function tokensOf(text: string): Token[] {
  return text.match(TOKENS) ?? []
}

function pins(tokens: readonly Token[], attributes: Attributes, negated: boolean): boolean {
  const alternatives = split(tokens, '||')
  if (alternatives.length > 1)
    return negated ? alternatives.some((one) => pins(one, attributes, true)) : alternatives.every((one) => pins(one, attributes, false))
  const parts = split(tokens, '&&')
  if (parts.length > 1) return negated ? parts.every((one) => pins(one, attributes, true)) : parts.some((one) => pins(one, attributes, false))
  if (tokens[0] === '!') return pins(tokens.slice(1), attributes, !negated)
  if (tokens[0] === '(' && closing(tokens) === tokens.length - 1) return pins(tokens.slice(1, -1), attributes, negated)
  return atomPins(tokens, attributes, negated)
}

/** Splits at an operator outside of all brackets. */
function split(tokens: readonly Token[], operator: string): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if ('([{'.includes(token)) depth++
    if (')]}'.includes(token)) depth--
    if (depth === 0 && token === operator) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts
}

function closing(tokens: readonly Token[]): number {
  let depth = 0
  for (const [index, token] of tokens.entries()) {
    if (token === '(') depth++
    if (token === ')' && --depth === 0) return index
  }
  return -1
}

/** One comparison: a pinning claim held against a literal that leaves something out. (Also a choice with `?`: both of its ways are rarely open.) */
function atomPins(tokens: readonly Token[], attributes: Attributes, negated: boolean): boolean {
  const pinning = [...claimsIn(tokens)].some((claim) => (claim.startsWith('assertion.') ? PINNING.has(claim.slice('assertion.'.length)) : attributes(claim)))
  const literals = tokens.flatMap((token, index) => (isLiteral(token) && !isIndex(tokens, index) ? [token.slice(1, -1)] : []))
  const narrow = literals.some((literal) => !/^(?:|\^?\.[*+]\$?)$/.test(literal))
  if (!pinning || !narrow || tokens.some((token) => token === '<' || token === '>' || token === 'size')) return false
  return tokens.includes('!=') ? negated : !negated
}

const isLiteral = (token: Token): boolean => token.startsWith('"') || token.startsWith("'")

/** `assertion["sub"]`: the literal names a claim, it is not compared. `["a", "b"]` is a list. */
function isIndex(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 1] === '[' && tokens[index + 1] === ']' && /^[A-Za-z_)]/.test(tokens[index - 2] ?? '') && tokens[index - 2] !== 'in'
}

/** `assertion.sub`, `assertion["sub"]`, `google.subject`, `attribute.x`. */
function claimsIn(tokens: readonly Token[]): Set<string> {
  const claims = new Set<string>()
  tokens.forEach((token, index) => {
    if (token !== 'assertion' && token !== 'google' && token !== 'attribute') return
    const next = tokens[index + 1]
    const name = tokens[index + 2]
    if (next === '.' && name) claims.add(`${token}.${name}`)
    if (next === '[' && name && isLiteral(name)) claims.add(`${token}.${name.slice(1, -1)}`)
  })
  return claims
}
