/** Why the confidence is what it is: one sentence for each thing that the attribution rests on. */
import { hasNoActor } from '#core/event.ts'
import type { Statement } from './contract.ts'
import { ownDoing } from './own-service.ts'
import { provingHop } from './seen.ts'
import type { Story, Told } from './story.ts'
import { MAX_EVIDENCE, provesSomebody } from './story.ts'
import { cloudName, counted, keyId, listed, moment, naming, quoted } from './words.ts'

/** Whom an event names whose subject is of a tenant beyond the caller's. */
const UNSEEN = 'somebody that you may not see'

/** In the order of the hops, the conclusion last. */
export function becauseOf(story: Story): Statement[] {
  const { event } = story
  if (!event.concluded) return [{ words: 'The record is stored, and nothing has been concluded from it yet.', evidence: [] }]
  const { basis, confidence, evidence } = event.item.attribution
  const steps = basis.flatMap((one) => step(one, story) ?? [])
  const rest =
    evidence.length > MAX_EVIDENCE
      ? [{ words: `It rests on ${counted(evidence.length, 'event')}; the first ${MAX_EVIDENCE} were looked at here.`, evidence: [] }]
      : []
  const clock = story.hops.filter((hop, index) => index > 0 && hop.link === 'time')
  const byClock =
    clock.length > 0 && confidence !== 'none' && confidence !== 'probable'
      ? [
          {
            words: `${counted(clock.length, 'hop')} above ${clock.length === 1 ? 'is' : 'are'} tied by the clock: likely, but the attribution does not rest on ${clock.length === 1 ? 'it' : 'them'}.`,
            evidence: [],
          },
        ]
      : []
  return [...steps, ...rest, ...(confidence === 'none' ? [nothing(story)] : [conclusion(story)]), ...byClock]
}

function step(basis: string, story: Story): Statement | null {
  const { event, directory, bounded } = story
  const { item } = event
  const name = naming(directory)
  const subject = item.subjectOid === null ? (bounded ? UNSEEN : 'nobody') : name(item.tenantId, item.subjectOid)
  const proving = provingHop(story)
  const of = (...events: readonly (Told | null)[]): string[] => events.flatMap((one) => (one && one !== event ? [one.item.id] : []))
  switch (basis) {
    case 'principal':
      return {
        words: item.source === 'app' ? `The API logged the oid of the token: ${subject}.` : `The record names the principal itself: ${subject}.`,
        evidence: of(proving),
      }
    case 'application':
      return {
        words: `The record names the client application ${event.proof.appId ?? proving?.proof.appId ?? ''}, which is that of ${subject}.`,
        evidence: of(proving),
      }
    case 'federated-subject':
      return {
        words: `The cloud wrote down the subject of the token that it was given: ${proving?.proof.subject ? quoted(proving.proof.subject) : subject}.`,
        evidence: of(proving),
      }
    case 'credential': {
      const keys = story.hops.flatMap((hop) => keyId(hop.uses) ?? [])
      const chain = [...new Set(keys)]
      return {
        words: `The ids of the keys link it without a break to the exchange${chain.length > 0 ? `, back over ${listed(chain.toReversed(), 6)}` : ''}.`,
        evidence: of(...story.evidence.filter((one) => one.issues !== null)),
      }
    }
    case 'request-id':
      return {
        words: 'The usage log and the call have one request id, account and region.',
        evidence: of(...story.evidence.filter((one) => one.item.kind === 'llm.invoked')),
      }
    case 'proximity':
      return {
        words:
          'The record does not say who asked. An exchange from the same address and user agent, at most two seconds before, does; but somebody else behind that address could have asked.',
        evidence: of(...story.evidence.filter((one) => one.item.kind === 'token.exchanged')),
      }
    case 'federated-credential':
      return {
        words: `A federated credential of a Blueprint (FIC) that was valid ${story.exchange ? `at some time ${since(story.exchange, story)}` : 'then'} names ${item.attribution.basis.includes('bridge') ? 'the managed identity behind it' : subject}: the agents of that Blueprint could act as it.`,
        evidence: directoryEvidence(story),
      }
    case 'blueprint':
      return { words: `${capital(subject)} is what all agents of that Blueprint sign in through.`, evidence: directoryEvidence(story) }
    case 'bridge':
      return {
        words: `${capital(subject)} is an application that itself signs in through a federated credential for a managed identity.`,
        evidence: directoryEvidence(story),
      }
    case 'asserted-name':
      return {
        words: `Nothing proves who called. The caller wrote the oid of an agent into a name of its own choice: ${listed(event.asserted.map(quoted), 3)}.`,
        evidence: [],
      }
    default:
      return null
  }
}

/** Directory changes and sign-ins that say who belongs to whom. */
function directoryEvidence({ event, evidence }: Story): string[] {
  return evidence
    .filter((one) => one !== event && (one.item.kind === 'identity.changed' || one.item.kind === 'trust.changed' || one.item.kind === 'token.issued'))
    .map((one) => one.item.id)
}

/** From when to when it counts who could have used the identity: a credential lives in caches that agents share, and deleting an agent recalls none. */
function since(exchange: Told, { event }: Story): string {
  return `from the exchange (${moment(exchange.item.time)}) to ${event.item.kind === 'llm.metered' ? 'the call' : 'this event'}`
}

function conclusion(story: Story): Statement {
  const { event, directory, bounded, exchange } = story
  const { item } = event
  const name = naming(directory)
  const agent = item.agentOid === null ? (bounded ? 'an agent that you may not see' : 'no agent') : name(item.tenantId, item.agentOid)
  const say = (words: string): Statement => ({ words, evidence: [] })
  switch (item.attribution.confidence) {
    case 'exact':
      return say(`So it is ${agent}: a platform wrote that down, nothing had to be inferred.`)
    case 'derived':
      return say(
        `Exactly one agent could have used it ${exchange ? `at any time ${since(exchange, story)}` : 'at that moment'}: ${agent}. That follows from the directory, not from a record of ${cloudName(item.source)}: hence derived.`,
      )
    case 'probable':
      return say(`The only agent that this leads to is ${agent}. Time and address are no proof: hence probable.`)
    case 'asserted':
      return say(`It is a claim of ${agent}'s name, shown as one: hence asserted.`)
    default: {
      const agents = item.attribution.candidates.map((oid) => name(item.tenantId, oid))
      const each = exchange ? `: each could have used the credential at some time ${since(exchange, story)}` : ''
      if (bounded)
        return say(
          `Several agents could have done it${each}, and nothing tells them apart. ${agents.length === 0 ? 'You may see none of them.' : `Those that you may see: ${listed(agents)}.`} None is chosen: hence ambiguous.`,
        )
      return say(
        `${counted(agents.length, 'agent')} could have done it${each}, and nothing tells them apart: ${listed(agents)}. All are listed, none is chosen: hence ambiguous.`,
      )
    }
  }
}

function nothing(story: Story): Statement {
  const { event, directory, bounded, exchange } = story
  const { item, proof } = event
  const name = naming(directory)
  const { basis } = item.attribution
  const say = (words: string): Statement => ({ words, evidence: [] })
  if (hasNoActor(item))
    return say(
      'CloudTrail made this record itself, about many calls: it has no caller. Each of those calls has a record of its own, as far as its kind is logged.',
    )
  const subjectIs = basis.includes('proximity') ? 'Time and address lead to this subject, which is no proof' : 'The subject is proven'
  if (item.subjectOid !== null) {
    const known = item.tenantId === null ? undefined : directory.find(item.tenantId, item.subjectOid)
    const subject = name(item.tenantId, item.subjectOid)
    if (known?.kind === 'user') return say(`${subjectIs}: ${subject}. A person is never shown as an agent.`)
    return say(
      `${subjectIs}: ${subject}. No record says that it is an agent, or links one to it ${exchange ? `at any time ${since(exchange, story)}` : 'at that moment'}, so none is named.`,
    )
  }
  if (bounded && provesSomebody(basis)) return say(`${subjectIs}: ${UNSEEN}.`)
  const own = ownDoing(story)
  if (own) return say(`${capital(own.who)} ${own.how}. No Entra identity stands behind that, so nobody is named.`)
  if (item.source === 'entra' && item.kind !== 'token.issued' && item.kind !== 'api.called') {
    return say(
      'A directory or trust change is attributed only where an agent, or something that leads to one, made it. Whom it concerns stands in its targets.',
    )
  }
  switch (proof.by) {
    case 'credential':
      return say(`It was called with the key ${keyId(event.uses) ?? 'in the record'}. ${key(event)}`)
    case 'issued':
      return say(
        'This copy of the record names the key that was issued, but not the one that it was asked for with: only the copy in the account of the caller says whose it was.',
      )
    case 'request':
      return say('It is a usage log; the call with its request id is not in the store, or proves nothing either.')
    case 'federation':
      if (event.entra === false)
        return say(`The token that was exchanged is not from Entra: ${proof.subject === null ? 'the record names no subject' : quoted(proof.subject)}.`)
      return say(
        `The token's subject ${proof.subject === null ? 'is not in the record' : `${quoted(proof.subject)} holds no single oid`}, or the pool's issuer is another tenant's.`,
      )
    case 'proximity':
      if (basis.includes('proximity'))
        return say(
          'Several subjects exchanged tokens from the same address and user agent in the two seconds before. No agent is known for any of them, and nothing tells them apart.',
        )
      return say('The record does not say who asked, and no exchange from the same address and user agent came in the two seconds before.')
    case 'nothing':
      return say('The record names no credential that a federation issued and no Entra identity.')
    default:
      return say('What its record names leads to no single subject.')
  }
}

/** A long-term key belongs to an IAM user; a short-term one was issued by a call that ought to be there. */
function key(event: Told): string {
  const id = keyId(event.uses)
  if (id?.startsWith('AKIA')) return 'That is the long-term key of an IAM user: no federation issued it, so no Entra identity stands behind it.'
  return 'No record that issued it proves an Entra identity, and role and session names never prove one.'
}

const capital = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`
