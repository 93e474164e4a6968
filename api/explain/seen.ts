/** What could this cloud see, and why does its log show this principal? (The article: "when the cloud's audit log shows the wrong identity".) */
import type { Explanation } from './contract.ts'
import type { Story, Told } from './story.ts'
import { callingService, ownDoing } from './own-service.ts'
import { cloudName, naming, quoted } from './words.ts'

/** The event that proves the subject: the nearest hop whose own record names it. Null where nothing does. */
export function provingHop({ hops, evidence }: Pick<Story, 'hops' | 'evidence'>): Told | null {
  const proves = ({ proof }: Told): boolean => proof.by === 'federation' || proof.by === 'principal' || proof.by === 'application'
  const event = hops.at(-1)!
  if (proves(event)) return event
  // Where the subject comes through credentials, a request id or an exchange close by, that event is among the evidence.
  const subject = event.item.subjectOid
  return [...hops.toReversed(), ...evidence].find((hop) => proves(hop) && hop.item.subjectOid === subject && subject !== null) ?? null
}

/** @returns the principal in the log, and why it is that one */
export function seenOf(story: Story): Explanation['seen'] {
  const { item } = story.event
  const proving = provingHop(story)
  const words = [shown(story), federated(story, proving)].filter((part) => part !== '').join(' ')
  return { principal: item.cloud.principal, words, evidence: proving && proving !== story.event ? [proving.item.id] : [] }
}

function shown(story: Story): string {
  const { event } = story
  const { source, kind, cloud } = event.item
  const principal = cloud.principal === null ? null : quoted(cloud.principal)
  const federating = kind === 'token.exchanged'
  if (source === 'app') return 'Your API saw the Entra token itself and logged whose it was.'
  if (source === 'entra') {
    if (principal === null) return 'Entra does not name who asked.'
    return kind === 'token.issued' ? `Entra logs the principal that signed in: ${principal}.` : `Entra logs who made the change: ${principal}.`
  }
  if (principal === null) return `${cloudName(source)} names no principal on this record.`
  if (federating)
    return `${cloudName(source)} saw the Entra token in this one call only, and logs ${principal}. What is done with the credential that it gave out is logged under a principal of its own.`
  if (callingService(event) !== null) return `AWS logs the service ${principal} itself: it called for itself, with no key of anybody's.`
  if (source === 'aws' && /^arn:aws[\w-]*:sts:.*:assumed-role\//.test(cloud.principal!)) {
    if (ownDoing(story))
      return `AWS logs the role session ${principal}: the key that it was called with belongs to that role. The last part is the session name, which the service chose.`
    return `AWS logs the role session ${principal}: the key that it was called with belongs to that role. The last part is the session name, which the caller chose, so it proves nothing. The Entra identity stands only on the record of the exchange.`
  }
  if (source === 'aws' && /^AROA[A-Z0-9]+:/.test(cloud.principal!)) {
    return `AWS logs the id of the caller's role and the session name, ${principal}: this is the copy of the account whose role was taken. It names the new key, not the one that it was asked for with, and the caller chose the session name.`
  }
  if (source === 'gcp' && cloud.principal!.endsWith('.gserviceaccount.com')) {
    return `Google Cloud logs the service account ${principal}, because the federated identity borrowed its access token.${
      event.proof.by === 'federation' ? ' Who borrowed it stands in the delegation info of the same record.' : ''
    }`
  }
  return `${cloudName(source)} logs ${principal}.`
}

/** Option 1 or Option 2: whose token the cloud was given. */
function federated({ event, directory }: Story, proving: Told | null): string {
  const { item } = event
  if (item.source === 'entra' || item.source === 'app' || item.subjectOid === null || proving?.proof.by !== 'federation') return ''
  const name = naming(directory)
  const subject = name(item.tenantId, item.subjectOid)
  if (item.agentOid === item.subjectOid) return `The token that was exchanged was the agent's own (Option 2): ${cloudName(item.source)} was shown ${subject}.`
  const bridge = item.attribution.basis.includes('bridge')
  const kind = item.tenantId === null ? undefined : directory.find(item.tenantId, item.subjectOid)?.kind
  if (bridge)
    return `The token that was exchanged was that of ${subject}, an application between the managed identity and the cloud: neither the managed identity nor an agent was shown to ${cloudName(item.source)}.`
  if (kind === 'user') return `The token that was exchanged was that of ${subject}: a person, no agent.`
  if (kind === 'blueprint') return `The token that was exchanged was that of ${subject}: the Blueprint itself, which all its agents share.`
  if (item.attribution.confidence === 'none') return `The token that was exchanged was that of ${subject}.`
  return `The token that was exchanged was that of ${subject}, not of an agent (Option 1): so ${cloudName(item.source)} was never shown which agent asked. This is no wrong identity, it is the only one that the trust lets it see.`
}
