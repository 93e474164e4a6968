/** Which hop issued what the next one used, in words. */
import type { TimelineItem } from '../contract.ts'
import type { Hop } from './contract.ts'
import type { Story, Told } from './story.ts'
import { callingService } from './own-service.ts'
import { between, keyId, moment, naming, quoted } from './words.ts'

/** The hops of the story, the first one first. */
export function hopsOf(story: Story): Hop[] {
  const name = naming(story.directory)
  return story.hops.map((hop, index) => {
    const { id, time, source, kind, action, outcome } = hop.item
    const before = index === 0 ? null : story.hops[index - 1]!
    const words = `${hopWords(hop, name)}${refusal(hop.item)}${before ? tied(before, hop) : ''}`
    return { eventId: id, time, source, kind, action, outcome, link: before ? hop.link : null, words }
  })
}

type Naming = ReturnType<typeof naming>

function hopWords(hop: Told, name: Naming): string {
  const { item } = hop
  const who = item.cloud.principal === null ? 'a caller that the record does not name' : quoted(item.cloud.principal)
  switch (item.kind) {
    case 'token.issued':
      return issued(hop, name)
    case 'token.exchanged':
      return item.source === 'aws' ? awsExchange(hop) : gcpExchange(hop)
    case 'credential.minted':
      return minted(hop, who)
    case 'llm.invoked':
      return `The model ${quoted(item.model?.name ?? item.model?.id ?? 'unknown')} was called (${item.action}) as ${who}.`
    case 'llm.metered':
      return `The usage log of the same request counted ${item.usage?.inputTokens ?? 'no'} input and ${item.usage?.outputTokens ?? 'no'} output tokens.`
    case 'api.called':
      return `${item.action} was called with an Entra token that the API validated${hop.tokenId === null ? '; it did not log which (uti)' : ''}.`
    default:
      return `${item.action} was done as ${who}.`
  }
}

function issued(hop: Told, name: Naming): string {
  const { item } = hop
  const to =
    item.subjectOid === null
      ? item.cloud.principal === null
        ? 'a principal that the record does not name'
        : quoted(item.cloud.principal)
      : name(item.tenantId, item.subjectOid)
  const forWhat = hop.resource === null ? '' : ` for ${quoted(hop.resource)}`
  const behalf = item.onBehalfOf === null ? '' : ` on behalf of ${name(item.tenantId, item.onBehalfOf)}`
  return `Entra issued a token${forWhat} to ${to}${behalf}.`
}

function awsExchange(hop: Told): string {
  const subject = hop.proof.subject === null ? 'a subject that the record does not name' : `the subject ${quoted(hop.proof.subject)}`
  const role = hop.resource === null ? 'a role' : `the role ${quoted(hop.resource)}`
  if (hop.item.outcome === 'failure') return `AWS STS was given a token with ${subject} for ${role}.`
  const key = keyId(hop.issues)
  return `AWS STS took a token with ${subject} and issued ${key === null ? 'a key' : `the key ${key}`} for ${role}.`
}

function gcpExchange(hop: Told): string {
  const subject = hop.proof.subject === null ? 'a subject that the record does not name' : `the subject ${quoted(hop.proof.subject)}`
  return hop.item.outcome === 'failure'
    ? `Google's STS was given a token with ${subject}.`
    : `Google's STS exchanged a token with ${subject} for one of its own.`
}

function minted(hop: Told, who: string): string {
  const target = hop.resource === null ? 'another principal' : quoted(hop.resource)
  if (hop.item.source !== 'aws') return `Google minted an access token for the service account ${target}, asked for by ${who}.`
  const [used, key] = [keyId(hop.uses), keyId(hop.issues)]
  const service = callingService(hop)
  if (service !== null) return `The AWS service ${quoted(service)} took the role ${target} for itself${key === null ? '' : ` and was given the key ${key}`}.`
  if (used === null)
    return `${key === null ? 'A key' : `The key ${key}`} was issued for the role ${target}; this copy of the record does not name the key that it was asked for with.`
  return `With the key ${used}, ${key === null ? 'a key' : `the key ${key}`} was issued for the role ${target} (AssumeRole).`
}

function refusal({ outcome, error }: Pick<TimelineItem, 'outcome' | 'error'>): string {
  return outcome === 'failure' ? ` It was refused${error === null ? '' : `: ${quoted(error.code)}`}.` : ''
}

/** How the hop is known to rest on the one before it. */
function tied(before: Told, hop: Told): string {
  if (hop.link === 'time')
    return ` Nothing in the records names the hop before: it is the latest that fits, ${between(before.item.time, hop.item.time)} earlier.`
  const key = keyId(hop.uses)
  if (key !== null && before.issues === hop.uses) return ` It used the key ${key}, which the hop before issued.`
  if (hop.item.kind === 'llm.metered') return ' Both have one request id.'
  if (hop.item.kind === 'api.called') return ' Both have one token id (uti).'
  return ` The hop before, of ${moment(before.item.time)}, is tied to it by an id.`
}
