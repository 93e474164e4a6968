import type { GcpPool } from '#core/event.ts'
import { guidsIn, oid } from '#core/keys.ts'
import type { Oid } from '#core/keys.ts'

/** A federated principal as a `principal://` URI names it. */
export interface FederatedPrincipal {
  /** Value of `google.subject`. */
  readonly subject: string
  /** Null for workforce pools: they belong to an organization, not to a project. */
  readonly pool: GcpPool | null
}

const PRINCIPAL = /^principal:\/\/iam\.googleapis\.com\/(.+?)\/subject\/(.+)$/s
const POOL = /(?:^|\/)projects\/([^/]+)\/locations\/[^/]+\/workloadIdentityPools\/([^/]+)(?:\/providers\/([^/]+))?/

/** The parts of a `principal://…/subject/…` URI, or null. The subject runs to the end of the text: subjects hold `/` and `:` unescaped. */
export function parsePrincipal(uri: string | null): FederatedPrincipal | null {
  const match = uri === null ? null : PRINCIPAL.exec(uri)
  return match ? { subject: match[2]!, pool: parsePool(match[1]!) } : null
}

/** The workload identity pool (and provider) that a resource name or an exchange's audience names, or null. */
export function parsePool(resourceName: string | null): GcpPool | null {
  const match = resourceName === null ? null : POOL.exec(resourceName)
  return match ? { project: match[1]!, pool: match[2]!, provider: match[3] ?? null } : null
}

/**
 * Subjects of issuers that are not Entra: GitHub, GitLab, HCP Terraform, Kubernetes, SPIFFE, AWS, a Google service account
 * (21 digits). Anything else may be Entra's: only the pool's issuer can say.
 */
const FOREIGN = /^(repo:|project_path:|organization:|system:serviceaccount:|spiffe:\/\/|arn:aws[\w-]*:)|^\d{21}$/

/** True when the subject's form belongs to an issuer other than Entra. */
export function isForeign(subject: string): boolean {
  return FOREIGN.test(subject)
}

/** The object id in a subject: its only GUID. Null for none, for several (which one is it?) and for foreign issuers' subjects. */
export function subjectOid(subject: string): Oid | null {
  // A Blueprint's exchange token used by mistake: its subject spells the agent out, but its bearer is the Blueprint (facts/entra.md a.3).
  if (subject.startsWith('/eid1/')) return null
  const found = new Set(guidsIn(subject))
  return found.size === 1 && !isForeign(subject) ? oid([...found][0]) : null
}
