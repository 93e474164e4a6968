/** The product's words as a reader sees them, in the order in which they are shown. Typed so that a new word cannot be forgotten. */
import type { Confidence, Kind, Outcome, Source } from './api-types.ts'

export const SOURCE_WORDS: Readonly<Record<Source, string>> = { entra: 'Entra', aws: 'AWS', gcp: 'GCP', app: 'Own API' }

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  'token.issued': 'Token issued',
  'token.exchanged': 'Token exchanged',
  'credential.minted': 'Credential minted',
  'llm.invoked': 'LLM invoked',
  'llm.metered': 'LLM metered',
  'api.called': 'API called',
  'identity.changed': 'Identity changed',
  'trust.changed': 'Trust changed',
  other: 'Other',
}

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = { success: 'Success', failure: 'Failure', unknown: 'Not said' }

export const CONFIDENCE_WORDS: Readonly<Record<Confidence, { readonly label: string; readonly means: string }>> = {
  exact: {
    label: 'exact',
    means: 'The platform itself put this agent’s identifier on the record, or an unbroken chain of credentials leads to a record where it did.',
  },
  derived: { label: 'derived', means: 'Exact up to the managed identity, and only one agent could have used that managed identity then.' },
  probable: { label: 'probable', means: 'Rests on time, address or user agent, with one candidate. Not proof.' },
  asserted: { label: 'asserted', means: 'Rests only on a value that the caller chose, such as a session name or a label. A claim, not proof.' },
  ambiguous: { label: 'ambiguous', means: 'Two or more agents could have done this. All are listed; none is chosen.' },
  none: { label: 'none', means: 'Nothing in the records says who did this.' },
}

const BASIS_WORDS: Readonly<Record<string, string>> = {
  principal: 'The record names the principal itself',
  application: 'The record names the client application; the agent is the one behind it',
  'federated-subject': 'The cloud recorded the subject of the federated Entra token',
  credential: 'The credential used here was issued by an event that proves the subject',
  'request-id': 'The same request id, account and region as the call that this usage log meters',
  proximity: 'The same caller address and user agent made an exchange within two seconds before',
  'federated-credential': 'A federated credential let the agents of this Blueprint run on the managed identity',
  blueprint: 'The Blueprint’s agents are known from audit records and sign-ins',
  bridge: 'An ordinary application stands between: it signs in through a managed identity',
  'asserted-name': 'A name that the caller chose holds this identity',
}

/** What one basis word means; a word this page does not know is shown as it is. */
export const basisWords = (basis: string): string => BASIS_WORDS[basis] ?? basis

const TOPOLOGY_WORDS: Readonly<Record<string, string>> = {
  'option-1': 'the managed identity federates (Option 1)',
  'option-2': 'the agent itself federates (Option 2)',
  mixed: 'both the agent and its managed identity federate',
  bridge: 'a bridge application federates',
}
export const topologyWords = (topology: string): string => TOPOLOGY_WORDS[topology] ?? topology
export const topologyLabel = (topology: string): string => topology.replace('option-', 'Option ')

/** Keys of a typed record, in its order. */
export const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] => Object.keys(record) as Key[]

const numberFormat = new Intl.NumberFormat('en-GB')
export const formatNumber = (value: number): string => numberFormat.format(value)
export const plural = (count: number, one: string, many = `${one}s`): string => `${formatNumber(count)} ${count === 1 ? one : many}`
