/** Clouds act for themselves, too: with roles that a service takes of its own accord, or as their service agents. No Entra identity stands behind these, and no record is missing. */
import type { Story, Told } from './story.ts'
import { quoted } from './words.ts'

/** A cloud's own doing. */
export interface OwnDoing {
  /** For people, in a sentence: `the AWS service "ec2.amazonaws.com"`. */
  readonly who: string
  /** As a predicate: `took the role for itself`. */
  readonly how: string
}

/** The service that a record names as its caller (`userIdentity.type` `AWSService`: no key, only `invokedBy`); null for all others. */
export function callingService({ item, uses }: Told): string | null {
  const { principal } = item.cloud
  if (item.source !== 'aws' || uses !== null || principal === null) return null
  return /^[\w.-]+\.amazonaws\.com(?:\.cn)?$/i.test(principal) || principal === 'AWS Internal' ? principal : null
}

/** Roles that only AWS can take: service-linked ones, and those of instances that Systems Manager looks after (`aws:ec2-instance`). */
const OWN_ROLE = /:assumed-role\/(AWSServiceRoleFor[^/]+|aws:[^/]+)\//
/** Google's own service agents (https://cloud.google.com/iam/docs/service-agents). */
const SERVICE_AGENT =
  /@(?:gcp-sa-[\w-]+|service-networking|compute-system|container-engine-robot|containerregistry|dataflow-service-producer-prod|cloud-tpu)\.iam\.gserviceaccount\.com$|@cloudservices\.gserviceaccount\.com$|^service-agent-manager@system\.gserviceaccount\.com$/

/** Whether the cloud did it for itself; null where somebody is proven, or somebody else may have. */
export function ownDoing({ event, hops, cut }: Pick<Story, 'event' | 'hops' | 'cut'>): OwnDoing | null {
  const { item } = event
  if (cut || item.subjectOid !== null || item.agentOid !== null || item.attribution.confidence !== 'none') return null
  const first = hops[0]!
  const service = callingService(first)
  if (service !== null) {
    const who = `the AWS service ${quoted(service)}`
    if (first !== event) return { who, how: `took the role ${first.resource === null ? '' : `${quoted(first.resource)} `}for itself and used it` }
    return item.kind === 'credential.minted' ? { who, how: 'took the role for itself' } : { who, how: 'called for itself' }
  }
  const { principal } = item.cloud
  const role = item.source === 'aws' ? OWN_ROLE.exec(principal ?? '')?.[1] : undefined
  if (role !== undefined) return { who: `AWS with its own role ${quoted(role)}`, how: 'acted for itself: nobody but AWS can take it' }
  if (item.source === 'gcp' && principal !== null && SERVICE_AGENT.test(principal))
    return { who: `Google's own service agent ${quoted(principal)}`, how: 'acted for its service' }
  return null
}
