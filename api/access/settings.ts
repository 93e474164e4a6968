/** Who may call, from where, how often: the settings, from the section `api:` of the configuration file and from the environment, which is nearer and wins. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { isGuid } from '#core/keys.ts'
import { ACCESS_ROLES } from './caller.ts'

/** Signatures that only the issuer can make: no `none`, and no HS*, whose key whoever verifies could sign with, too. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

const LOOPBACK_NAME = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/** Whether this is https, or plain http to this very machine. */
export function isSecureAddress(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK_NAME.test(url.hostname))
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.parse(text)?.origin === text
}

const address = z.string().refine(isSecureAddress, 'is no https address')
const name = z.string().min(1, 'is empty').max(200, 'is longer than 200 characters')
const guid = z
  .string()
  .refine(isGuid, 'is no tenant id: write it as 8-4-4-4-12 hexadecimal digits')
  .transform((text) => text.toLowerCase())
const role = z.enum(ACCESS_ROLES, `is none of ${ACCESS_ROLES.join(', ')}`)
/** One or several. */
const some = <Item extends z.ZodType>(item: Item) =>
  z.union([item.transform((one) => [one]), z.array(item).min(1, 'is empty')], 'is neither one value nor a list of them')

const Tenants = z.union(
  [z.literal('everything'), z.array(guid).min(1, 'is empty'), z.strictObject({ claim: name })],
  'are neither "everything" nor a list of tenant ids nor {claim: NAME}',
)

const Grant = z
  .strictObject({
    /** Every claim named here has (or holds) this value. */
    when: z.record(name, z.string()).refine((claims) => Object.keys(claims).length > 0, 'names no claim'),
    roles: z.array(role).optional(),
    tenants: z.union([z.literal('everything'), z.array(guid)], 'are neither "everything" nor a list of tenant ids').optional(),
  })
  .refine((grant) => grant.roles !== undefined || grant.tenants !== undefined, 'grants neither roles nor tenants')

const Scope = z
  .string()
  .max(1000, 'is longer than 1000 characters')
  .transform((text) => text.trim().split(/\s+/))
  .refine((scopes) => scopes.includes('openid'), 'does not hold openid: without it nobody says who signed in')
  .transform((scopes) => scopes.join(' '))

/** Where an issuer's discovery document is, by OpenID Connect Discovery 1.0 §4. */
const discoveryOf = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

/** Entra ID of all clouds, and its sign-in for customers. */
const ENTRA = /(?:^|\.)(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|ciamlogin\.com)$/
/** What is asked of the issuer itself, and of no API. */
const OWN_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])

/** How people sign in to the page at this issuer: as a public client (authorization code with PKCE), so there is no secret. */
const SignIn = z.strictObject({
  clientId: name,
  /** Sent as it stands. */
  scope: Scope.default('openid offline_access'),
  /** Whose sign-in it is, where that is not the `issuer` of the access tokens (Entra's tokens of version 1). */
  issuer: address.optional(),
  /** More origins that the page may ask, where the issuer's token endpoint is not at its own. */
  origins: z.array(z.string().refine((text) => isSecureAddress(text) && isOrigin(text), 'is no origin: write https://name[:port] without a path')).default([]),
})

/** What does not fit together, by the field of `signIn` that is wrong. */
function* signInFaults(
  { issuer, signIn }: { readonly issuer: string; readonly signIn?: z.output<typeof SignIn> | undefined },
  discovery: string | undefined,
): Generator<readonly [string, string]> {
  if (!signIn) return
  if (discovery !== undefined && discovery !== discoveryOf(issuer) && signIn.issuer === undefined)
    yield ['issuer', 'is missing: the page finds the sign-in below the issuer, where `discovery` says that it is not']
  if (ENTRA.test(new URL(signIn.issuer ?? issuer).hostname) && signIn.scope.split(' ').every((scope) => OWN_SCOPES.has(scope)))
    yield [
      'scope',
      'asks for nothing of this API, so Entra would give a token for Microsoft Graph: add the scope that the application exposes (api://…/access)',
    ]
}

const Issuer = z
  .strictObject({
    issuer: address,
    /** Where its discovery document is, if that is not below the issuer itself (Entra's tokens of version 1). */
    discovery: address.optional(),
    audience: some(name),
    algorithms: z
      .array(z.enum(ALGORITHMS, `is none of ${ALGORITHMS.join(', ')}`))
      .min(1, 'is empty')
      .default(['RS256', 'PS256', 'ES256']),
    idClaim: name.default('sub'),
    rolesClaim: name.default('roles'),
    rolePrefix: z.string().max(100).default('trailjoin.'),
    tenants: Tenants.default({ claim: 'tid' }),
    grants: z.array(Grant).default([]),
    signIn: SignIn.optional(),
  })
  .transform(({ discovery, ...issuer }, context) => {
    for (const [field, message] of signInFaults(issuer, discovery)) context.addIssue({ code: 'custom', path: ['signIn', field], message })
    return { ...issuer, discovery: discovery ?? discoveryOf(issuer.issuer) }
  })
export type OidcIssuer = z.output<typeof Issuer>

const issuers = z
  .array(Issuer)
  .refine(
    (list) => new Set(list.map((one) => one.issuer)).size === list.length,
    'names one issuer twice: give it both audiences, and grants that tell them apart',
  )
  .refine((list) => {
    const places = list.flatMap(({ issuer, signIn }) => (signIn ? [signIn.issuer ?? issuer] : []))
    return new Set(places).size === places.length
  }, 'lets people sign in at one issuer for two entries (signIn.issuer): the page could not tell whose answer comes back, so leave signIn to one of them')

const host = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[\da-f:]+\])$/i,
    'is no host name: write it without scheme, port and path',
  )
  .transform((text) => text.toLowerCase())
const origin = z.string().refine(isOrigin, 'is no origin: write https://name[:port] without a path')
const isNetwork = (text: string): boolean => {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const match = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text)
  const version = isIP(match?.[1] ?? '')
  return version !== 0 && Number(match?.[2] ?? 0) <= (version === 4 ? 32 : 128)
}
const proxies = z.union(
  [z.int().min(1).max(10), z.array(z.string().refine(isNetwork, 'is no address, network or "loopback"')).min(1, 'is empty')],
  'is neither a number of proxies nor a list of their addresses',
)
const perMinute = z.int().min(0, 'is below 0').max(1_000_000, 'is above 1000000')

/** The section `api:` of the configuration file. */
export const ApiSection = z.strictObject({
  oidc: issuers.default([]),
  /** False: not even on loopback. */
  localToken: z.boolean().default(true),
  hosts: z.array(host).default([]),
  corsOrigins: z.array(origin).default([]),
  trustProxy: proxies.optional(),
  tls: z.strictObject({ cert: name, key: name }).optional(),
  /** Requests a minute; 0 for no limit. */
  limits: z.strictObject({ perCaller: perMinute.default(1200), perAddress: perMinute.default(3000), failuresPerAddress: perMinute.default(60) }).prefault({}),
})
export type AccessSettings = z.output<typeof ApiSection>
export type Limits = AccessSettings['limits']

/** What stands where nothing is set: the local token on this machine, and nobody else. */
export const DEFAULT_ACCESS: AccessSettings = ApiSection.parse({})

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim())
const words = <Item extends z.ZodType<unknown, string>>(item: Item) => z.string().transform(listOf).pipe(z.array(item))

/** The variables of the environment. */
const Environment = z.object({
  TRAILJOIN_OIDC_ISSUER: address.optional(),
  TRAILJOIN_OIDC_AUDIENCE: words(name).optional(),
  TRAILJOIN_OIDC_CLIENT_ID: name.optional(),
  TRAILJOIN_OIDC_SCOPE: Scope.optional(),
  TRAILJOIN_HOSTS: words(host).optional(),
  TRAILJOIN_CORS_ORIGINS: words(origin).optional(),
  TRAILJOIN_TRUST_PROXY: z
    .string()
    .transform((text): unknown => (/^\d+$/.test(text) ? Number(text) : listOf(text)))
    .pipe(proxies)
    .optional(),
  TRAILJOIN_TLS_CERT: name.optional(),
  TRAILJOIN_TLS_KEY: name.optional(),
})

/** The first means nothing without the second. */
const NEEDS = [
  ['TRAILJOIN_OIDC_ISSUER', 'TRAILJOIN_OIDC_AUDIENCE'],
  ['TRAILJOIN_OIDC_AUDIENCE', 'TRAILJOIN_OIDC_ISSUER'],
  ['TRAILJOIN_OIDC_CLIENT_ID', 'TRAILJOIN_OIDC_ISSUER'],
  ['TRAILJOIN_OIDC_SCOPE', 'TRAILJOIN_OIDC_CLIENT_ID'],
  ['TRAILJOIN_TLS_CERT', 'TRAILJOIN_TLS_KEY'],
  ['TRAILJOIN_TLS_KEY', 'TRAILJOIN_TLS_CERT'],
] as const

/**
 * The settings of the environment.
 * @param variables usually those of the process; an empty value counts as absent
 * @returns what they say; or, in `faults`, every variable that is wrong, without its value
 */
export function accessFromEnvironment(variables: Readonly<Record<string, string | undefined>>): {
  readonly settings: Partial<AccessSettings>
  readonly faults: readonly string[]
} {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const result = Environment.safeParse(given)
  const faults = result.success ? [] : result.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`)
  for (const [one, other] of NEEDS)
    if (given[one] !== undefined && given[other] === undefined) faults.push(`${other} is missing: ${one} means nothing without it`)
  if (!result.success || faults.length > 0) return { settings: {}, faults }
  const { data } = result
  const { TRAILJOIN_OIDC_ISSUER: issuer, TRAILJOIN_OIDC_AUDIENCE: audience, TRAILJOIN_TLS_CERT: cert, TRAILJOIN_TLS_KEY: key } = data
  const oidc = issuer === undefined ? null : Issuer.safeParse({ issuer, audience, ...signInOf(data) })
  // Each variable by itself is good: what is left is a scope that does not fit the issuer.
  if (oidc?.success === false) return { settings: {}, faults: oidc.error.issues.map(({ message }) => `TRAILJOIN_OIDC_SCOPE ${message}`) }
  const settings: Partial<AccessSettings> = {
    ...(oidc === null ? {} : { oidc: [oidc.data] }),
    ...(data.TRAILJOIN_HOSTS ? { hosts: data.TRAILJOIN_HOSTS } : {}),
    ...(data.TRAILJOIN_CORS_ORIGINS ? { corsOrigins: data.TRAILJOIN_CORS_ORIGINS } : {}),
    ...(data.TRAILJOIN_TRUST_PROXY === undefined ? {} : { trustProxy: data.TRAILJOIN_TRUST_PROXY }),
    ...(cert !== undefined && key !== undefined ? { tls: { cert, key } } : {}),
  }
  return { settings, faults: [] }
}

function signInOf({ TRAILJOIN_OIDC_CLIENT_ID: clientId, TRAILJOIN_OIDC_SCOPE: scope }: z.output<typeof Environment>): { readonly signIn?: unknown } {
  return clientId === undefined ? {} : { signIn: { clientId, ...(scope === undefined ? {} : { scope }) } }
}
