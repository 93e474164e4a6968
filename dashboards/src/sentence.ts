import type { TimelineItem } from './api-types.ts'
import type { Names } from './names.ts'
import { formatNumber, plural, SOURCE_WORDS } from './words.ts'

/** Who did it, said exactly as surely as the records allow. */
function who(item: TimelineItem, names: Names): string {
  const { confidence, candidates } = item.attribution
  const subject = item.subjectOid ? names.short(item.subjectOid) : null
  switch (confidence) {
    case 'exact':
    case 'derived':
      return item.agentOid ? names.short(item.agentOid) : (subject ?? 'Somebody')
    case 'probable':
      return item.agentOid ? `Probably ${names.short(item.agentOid)}` : `Probably ${subject ?? 'somebody unknown'}`
    case 'asserted':
      return item.agentOid ? `A caller that calls itself ${names.short(item.agentOid)}` : 'A caller with only a self-chosen name'
    case 'ambiguous':
      return candidates.length > 0 ? `One of these ${plural(candidates.length, 'agent')}` : 'One of several agents'
    case 'none':
      return subject ? `${subject}, which no agent is known for,` : 'Somebody whom no record identifies'
  }
}

/** The same in a table cell. */
export function whoShort(item: TimelineItem, names: Names): string {
  const { confidence, candidates } = item.attribution
  if (confidence === 'ambiguous') return candidates.length > 0 ? `one of ${candidates.length} agents` : 'one of several'
  if (item.agentOid) return confidence === 'asserted' ? `claims ${names.short(item.agentOid)}` : names.short(item.agentOid)
  return item.subjectOid ? names.short(item.subjectOid) : 'unattributed'
}

/** What happened, in one plain sentence. Says nothing that the record does not. */
export function sentence(item: TimelineItem, names: Names): string {
  const actor = who(item, names)
  const failed = item.outcome === 'failure'
  const cloud = SOURCE_WORDS[item.source]
  const model = item.model ? (item.model.name ?? item.model.id) : 'a model'
  const end = failed && item.error ? `: ${item.error.code}${item.error.message ? ` (${shorten(item.error.message)})` : ''}.` : '.'
  const body = (): string => {
    switch (item.kind) {
      case 'token.issued': {
        const subject = item.subjectOid ? names.short(item.subjectOid) : 'a principal'
        return failed ? `Entra refused a token to ${subject}` : `Entra issued a token to ${subject}`
      }
      case 'token.exchanged':
        return failed ? `${cloud} refused the Entra token of ${lowerFirst(actor)}` : `${actor} exchanged an Entra token for ${cloud} credentials`
      case 'credential.minted':
        return failed ? `${actor} tried to get further ${cloud} credentials and was refused` : `${actor} got further ${cloud} credentials from the ones it had`
      case 'llm.invoked':
        return failed ? `${actor} called ${model} on ${cloud} and the call failed` : `${actor} called ${model} on ${cloud}`
      case 'llm.metered':
        return `The ${cloud} usage log metered a call to ${model} by ${lowerFirst(actor)}`
      case 'api.called':
        return failed ? `${actor} called your own API (${item.action}) and got an error` : `${actor} called your own API (${item.action})`
      case 'identity.changed':
        return `${failed ? 'A change to an identity was refused' : 'An identity was changed'}${affected(item, names)}`
      case 'trust.changed':
        return `${failed ? 'A change to a trust was refused' : 'A trust was changed'}${affected(item, names)}`
      case 'other':
        if (/^cloudtrail:(?:\w*Insight|AggregatedEvent)$/.test(item.action))
          return `CloudTrail noted ${item.action.replace('cloudtrail:', '')}${item.resource ? ` about ${item.resource}` : ''}`
        return failed
          ? `${actor} tried ${item.action} and failed`
          : `${actor} did ${item.action}${item.outcome === 'unknown' ? '; the record does not say with what result' : ''}`
    }
  }
  return body() + end
}

function affected(item: TimelineItem, names: Names): string {
  if (item.targets.length === 0) return ''
  const shown = item.targets.slice(0, 3).map(names.short).join(', ')
  return ` that concerns ${shown}${item.targets.length > 3 ? ` and ${item.targets.length - 3} more` : ''}`
}

/** Tokens of a call, or null when no log counted them. */
export function tokenWords(item: TimelineItem): string | null {
  if (!item.usage) return null
  const { inputTokens, outputTokens } = item.usage
  if (inputTokens === null && outputTokens === null) return null
  const show = (count: number | null): string => (count === null ? '?' : formatNumber(count))
  return `${show(inputTokens)} in / ${show(outputTokens)} out`
}

/** Only the words of `who` are lowered, never a name. */
const lowerFirst = (text: string): string => (/^(One of|Probably|A caller|Somebody)/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text)
const shorten = (text: string): string => (text.length > 160 ? `${text.slice(0, 159)}…` : text)
