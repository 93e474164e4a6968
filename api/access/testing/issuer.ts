/** An OpenID Connect issuer on loopback for tests: discovery, keys that can be rotated, tokens good and bad. */
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK, JWTPayload } from 'jose'

interface Key {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export const AUDIENCE = 'api://trailjoin-test'

export interface TestIssuer {
  /** The issuer's name, which is its address. */
  readonly issuer: string
  /** How often the keys were asked for. */
  readonly fetches: () => number
  /** Signs with a new key from now on; the old ones stay published unless they are withdrawn. */
  readonly rotate: (options?: { readonly withdraw?: boolean }) => Promise<void>
  /** Answers every question with 503, or again as it should. */
  readonly setDown: (down: boolean) => void
  /** What the discovery document says otherwise. */
  readonly lie: (fields: Readonly<Record<string, unknown>>) => void
  /** A signed token: good for five minutes and for the audience above, unless the claims say otherwise. An undefined claim is left out. */
  readonly token: (claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>) => Promise<string>
  /** The public key as JSON, for those who would sign with it. */
  readonly publicKey: () => JWK
  readonly close: () => Promise<void>
}

export async function startIssuer(): Promise<TestIssuer> {
  let keys: readonly Key[] = [await newKey()]
  let fetches = 0
  let down = false
  let lies: Readonly<Record<string, unknown>> = {}
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (down) return void response.writeHead(503).end('{}')
    if (request.url === '/.well-known/openid-configuration') return void response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys`, ...lies }))
    if (request.url === '/keys') {
      fetches++
      return void response.end(JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }))
    }
    if (request.url === '/elsewhere') return void response.writeHead(302, { location: `${issuer}/keys` }).end()
    response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    issuer,
    fetches: () => fetches,
    rotate: async ({ withdraw = false } = {}) => {
      const key = await newKey()
      keys = withdraw ? [key] : [key, ...keys]
    },
    setDown: (now) => {
      down = now
    },
    lie: (fields) => {
      lies = fields
    },
    token: (claims = {}, header = {}) => sign(keys[0]!, issuer, claims, header),
    publicKey: () => keys[0]!.publicJwk,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

let made = 0

async function newKey(): Promise<Key> {
  const kid = `key-${++made}`
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } }
}

async function sign(key: Key, issuer: string, claims: Readonly<Record<string, unknown>>, header: Readonly<Record<string, unknown>>): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const payload: Record<string, unknown> = { iss: issuer, aud: AUDIENCE, sub: 'somebody', iat: now, nbf: now, exp: now + 300, ...claims }
  const given = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined)) as JWTPayload
  return await new SignJWT(given).setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT', ...header }).sign(key.privateKey)
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The same claims under the header `alg: none`, without a signature. */
export function unsigned(token: string): string {
  return `${part({ alg: 'none', typ: 'JWT' })}.${token.split('.')[1]}.`
}

/** The token with another signature of the same length. */
export function wronglySigned(token: string): string {
  const [header, payload, signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[0] = bytes[0]! ^ 1
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

/** The token with changed claims and its old signature. */
export function tamperedWith(token: string, claims: Readonly<Record<string, unknown>>): string {
  const [header, payload = '', signature] = token.split('.')
  const old = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  return `${header}.${part({ ...old, ...claims })}.${signature}`
}
