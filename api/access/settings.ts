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
  })
  .transform(({ discovery, ...issuer }) => ({
    ...issuer,
    discovery: discovery ?? `${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
  }))
export type OidcIssuer = z.output<typeof Issuer>

const issuers = z
  .array(Issuer)
  .refine(
    (list) => new Set(list.map((one) => one.issuer)).size === list.length,
    'names one issuer twice: give it both audiences, and grants that tell them apart',
  )

const host = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[\da-f:]+\])$/i,
    'is no host name: write it without scheme, port and path',
  )
  .transform((text) => text.toLowerCase())
const origin = z.string().refine((text) => /^https?:/.test(text) && URL.parse(text)?.origin === text, 'is no origin: write https://name[:port] without a path')
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

const PAIRS = [
  ['TRAILJOIN_OIDC_ISSUER', 'TRAILJOIN_OIDC_AUDIENCE'],
  ['TRAILJOIN_TLS_CERT', 'TRAILJOIN_TLS_KEY'],
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
  for (const pair of PAIRS)
    for (const [one, other] of [pair, pair.toReversed()])
      if (given[one] !== undefined && given[other] === undefined) faults.push(`${other} is missing: ${one} means nothing without it`)
  if (!result.success || faults.length > 0) return { settings: {}, faults }
  const { data } = result
  const { TRAILJOIN_OIDC_ISSUER: issuer, TRAILJOIN_OIDC_AUDIENCE: audience, TRAILJOIN_TLS_CERT: cert, TRAILJOIN_TLS_KEY: key } = data
  const settings: Partial<AccessSettings> = {
    ...(issuer !== undefined && audience !== undefined ? { oidc: [Issuer.parse({ issuer, audience })] } : {}),
    ...(data.TRAILJOIN_HOSTS ? { hosts: data.TRAILJOIN_HOSTS } : {}),
    ...(data.TRAILJOIN_CORS_ORIGINS ? { corsOrigins: data.TRAILJOIN_CORS_ORIGINS } : {}),
    ...(data.TRAILJOIN_TRUST_PROXY === undefined ? {} : { trustProxy: data.TRAILJOIN_TRUST_PROXY }),
    ...(cert !== undefined && key !== undefined ? { tls: { cert, key } } : {}),
  }
  return { settings, faults: [] }
}
