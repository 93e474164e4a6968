/** Whether `api` could let somebody in: issuers that answer, keys that fit, audiences that tokens have, certificates that are good, names that it answers to. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { fetchKeys } from '#api/access/oidc-keys.ts'
import type { AccessSettings, OidcIssuer } from '#api/access/settings.ts'
import { readTls } from '#api/access/tls.ts'
import type { Finding } from '#ingest/engine/source.ts'
import { ok, problem, warning, wordsOf } from './report.ts'
import type { Report } from './report.ts'

const DAY_MS = 86_400_000
/** Certificates are renewed weeks before they end: this late, the renewal has failed. */
const ENDS_SOON_DAYS = 14

/**
 * Checks the section `api` and what the environment says in its place.
 * @param tokens API tokens that are good at this moment; null when the store does not answer
 */
export async function accessReport(settings: AccessSettings, tokens: number | null): Promise<Report> {
  const findings = [
    ...(await Promise.all(settings.oidc.map((issuer) => checkIssuer(issuer)))).flat(),
    ...callers(settings, tokens),
    ...(await checkTls(settings)),
    ...names(settings),
  ]
  return { subject: 'access', part: '', findings }
}

async function checkIssuer(issuer: OidcIssuer): Promise<readonly Finding[]> {
  const check = `issuer ${issuer.issuer}`
  let keys: Awaited<ReturnType<typeof fetchKeys>>['keys']
  try {
    ;({ keys } = await fetchKeys(issuer.issuer, issuer.discovery))
  } catch (error) {
    return [problem(check, reasonOf(error), hintOf(issuer))]
  }
  const fitting = keys.filter((key) => issuer.algorithms.some((algorithm) => fits(key, algorithm)))
  const algorithms = issuer.algorithms.join(', ')
  if (fitting.length === 0)
    return [
      problem(
        check,
        `it answers, but none of its ${keys.length} keys is for ${algorithms}`,
        'Correct `algorithms`: no token of this issuer could be accepted.',
      ),
    ]
  return [
    ok(check, `answers; ${fitting.length} of its ${keys.length} keys are for ${algorithms}; tokens must be for ${issuer.audience.join(' or ')}`),
    ...checkAudience(check, issuer),
    ...(issuer.tenants === 'everything'
      ? [
          warning(
            check,
            'everybody whom it gives a token and a role sees the records of all tenants',
            'Give `tenants: everything` by `grants` to those who need it.',
          ),
        ]
      : []),
  ]
}

/** Key types of JSON Web Algorithms (RFC 7518 §3.1, RFC 8037). */
function fits(
  { kty, alg, use }: { readonly kty?: string | undefined; readonly alg?: string | undefined; readonly use?: string | undefined },
  algorithm: string,
): boolean {
  if (use !== undefined && use !== 'sig') return false
  if (alg !== undefined) return alg === algorithm
  return kty === (algorithm.startsWith('ES') ? 'EC' : algorithm.startsWith('Ed') ? 'OKP' : 'RSA')
}

const ENTRA_V2 = /^https:\/\/login\.microsoftonline\.(?:com|us)\/[^/]+\/v2\.0\/?$/
const ENTRA_V1 = /^https:\/\/sts\.windows\.net\//

/** Entra's tokens of version 2 name the client id as their audience, those of version 1 the application's URI as a rule (docs/operators/access.md). */
function checkAudience(check: string, { issuer, audience, idClaim }: OidcIssuer): readonly Finding[] {
  const findings: Finding[] = []
  if (ENTRA_V2.test(issuer) && audience.every((one) => one.startsWith('api://')))
    findings.push(
      warning(
        check,
        'its tokens of version 2 are for a client id, and `audience` names an address api://…: they would all be refused',
        'Write the client id (a GUID) of the application.',
      ),
    )
  if ((ENTRA_V2.test(issuer) || ENTRA_V1.test(issuer)) && idClaim === 'sub')
    findings.push(warning(check, 'callers are on record by `sub`, which in Entra is another one in each application', 'Write `idClaim: oid`.'))
  return findings
}

function hintOf({ issuer }: OidcIssuer): string {
  if (/^https:\/\/login\.microsoftonline\.[a-z]+\/(?:common|organizations|consumers|\{)/.test(issuer))
    return 'Write the tenant id in its place: tokens never name this as their issuer.'
  if (/^https:\/\/login\.microsoftonline\.[a-z]+\/[^/]+\/?$/.test(issuer)) return 'Tokens of version 2 have an issuer that ends with /v2.0.'
  return '`issuer` is exactly what tokens name as `iss`; `discovery` says where its document is, if not below that. Check the network between this machine and it.'
}

/** `fetch` hides the reason in its cause. */
function reasonOf(error: unknown): string {
  const { cause, name } = error as { readonly cause?: { readonly code?: string; readonly message?: string }; readonly name?: string }
  if (name === 'TimeoutError') return 'it does not answer'
  if (name === 'IssuerUnavailable') return wordsOf(error)
  return `it cannot be reached: ${cause?.code ?? cause?.message ?? wordsOf(error)}`
}

/** Whether there is anybody. */
function callers({ oidc, localToken }: AccessSettings, tokens: number | null): readonly Finding[] {
  if (oidc.length > 0 || localToken || tokens === null || tokens > 0) {
    const known = [
      ...(oidc.length > 0 ? ['tokens of the issuers'] : []),
      ...(tokens !== null && tokens > 0 ? [`${tokens} API tokens`] : []),
      ...(localToken ? ['on loopback the local token'] : []),
    ]
    return known.length === 0 ? [] : [ok('callers', `known by ${known.join(', ')}`)]
  }
  return [
    problem(
      'callers',
      'nobody could call: localToken is false, no issuer is named, and there is no good API token',
      'Name an issuer, or make a token: `trailjoin tokens create`.',
    ),
  ]
}

async function checkTls({ tls, hosts }: AccessSettings): Promise<readonly Finding[]> {
  if (!tls) return []
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate((await readTls(tls)).cert)
  } catch (error) {
    return [problem('certificate', wordsOf(error), null)]
  }
  const days = Math.floor((certificate.validToDate.getTime() - Date.now()) / DAY_MS)
  const missing = hosts.filter((host) => !isFor(certificate, host.replaceAll(/[[\]]/g, '')))
  return [
    days < 0
      ? problem('certificate', `${tls.cert} ended ${-days} days ago`, 'Renew it: a new file is taken within a minute.')
      : days < ENDS_SOON_DAYS
        ? warning('certificate', `${tls.cert} ends in ${days} days`, 'Renew it: a new file is taken within a minute.')
        : ok('certificate', `${tls.cert} and its key belong together; it ends in ${days} days`),
    ...(missing.length > 0
      ? [warning('certificate', `it is not for ${missing.join(', ')}, which hosts: names`, 'Browsers will refuse it under these names.')]
      : []),
  ]
}

const isFor = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined

/** A server behind a proxy or with a certificate of its own is called by a name. */
function names({ hosts, trustProxy, tls }: AccessSettings): readonly Finding[] {
  if (hosts.length > 0) return [ok('hosts', `it answers to ${hosts.join(', ')}, beside loopback`)]
  if (trustProxy === undefined && tls === undefined) return []
  return [
    warning(
      'hosts',
      'no name is given: it answers to loopback and the address that it listens on, and to any other name with 421',
      'Write the names that clients use: hosts: [trailjoin.example.com].',
    ),
  ]
}
