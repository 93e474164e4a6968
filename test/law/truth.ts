/** What the simulator knows to be true, against what the store says. */
import type { LawWorld } from './worlds.ts'

interface EventLine {
  readonly type: string
  readonly id: string
  readonly nativeId: string
  readonly agentOid: string | null
  readonly attribution: { readonly confidence: string; readonly candidates: readonly string[] }
}

/**
 * Null if nothing is claimed that is not true: every `exact` agent is the one that really acted; and, where no record is missing, what only
 * several agents could have done is shown as `ambiguous` with all of them. Nothing is known of worlds that were tampered with.
 */
export function truthBroken({ truth, complete }: LawWorld, lines: readonly string[]): string | null {
  if (truth === null) return null
  for (const line of lines) {
    const event = JSON.parse(line) as EventLine
    if (event.type !== 'event') continue
    const { nativeId, agentOid, attribution } = event
    const real = truth.get(nativeId)
    if (!real) return `nothing is known of ${nativeId}`
    const say = (what: string): string => `${what}\n  truth: ${JSON.stringify(real)}\n  store: ${line}`
    if (attribution.confidence === 'exact' && agentOid !== real.actualAgentOid) return say('an agent is called exact that did not act')
    if (complete && real.confidence === 'ambiguous' && !real.skip.includes('agent')) {
      if (attribution.confidence !== 'ambiguous' || attribution.candidates.join() !== real.candidates.join())
        return say('several agents could have acted, the store says otherwise')
    }
  }
  return null
}
