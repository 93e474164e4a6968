/** What the report calls things, for readers who are no engineers. */
import type { Confidence } from '#core/event.ts'
import type { BatchJobs } from '#api/usage/contract.ts'
import { whole } from './numbers.ts'

interface Certainty {
  readonly name: string
  readonly means: string
  readonly colour: string
}

/** From the surest to the least sure. */
export const CERTAINTIES: Readonly<Record<Confidence, Certainty>> = {
  exact: {
    name: 'Proven',
    means: "The cloud's own record names the agent, or an unbroken chain of credentials leads back to a record that does.",
    colour: '#0b5d62',
  },
  derived: { name: 'Derived', means: 'The record names a managed identity, and exactly one agent could use that identity at that moment.', colour: '#2f9a93' },
  probable: { name: 'Probable', means: 'Rests on time, address or program name; only one agent fits.', colour: '#8cc6a8' },
  ambiguous: {
    name: 'One of several',
    means: 'Several agents share the identity. The candidates are known; which of them it was is not, and none was chosen.',
    colour: '#e0912f',
  },
  asserted: {
    name: 'Only claimed',
    means: 'Nothing proves who called; a name that the caller chose points at an agent. Charged to nobody.',
    colour: '#a9a29a',
  },
  none: { name: 'Unknown', means: 'The records do not say whose call it was: other software, people, or a log that is missing.', colour: '#d4d0ca' },
}

export const CLOUDS: Readonly<Record<string, string>> = { aws: 'AWS', gcp: 'Google Cloud', entra: 'Microsoft Entra', app: 'Own API' }

/** What the report says about batch jobs; null where there were none. */
export function batchWords({ total, aws, gcp }: BatchJobs): string | null {
  if (total === 0) return null
  const where = [...(aws > 0 ? [`${whole(aws)} on AWS`] : []), ...(gcp > 0 ? [`${whole(gcp)} on Google Cloud`] : [])].join(', ')
  return `${whole(total)} batch ${total === 1 ? 'job was' : 'jobs were'} started (${where}). What batch jobs use is in none of these logs: their calls and tokens are not in this report, and unknown.`
}
