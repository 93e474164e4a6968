import type { DirectoryFact } from '#core/event.ts'
import type { EventId } from '#core/keys.ts'
import type { StoredFact } from './fact.ts'
import { ALWAYS, type Observation, type Span, intersect, spansOf } from './intervals.ts'

export type LifecycleFact = StoredFact & { readonly fact: Extract<DirectoryFact, { type: 'lifecycle' }> }

/**
 * When a principal or application could act: not before its creation, and from then on as the last change says: not while deleted or disabled. What was never seen
 * created may have existed always; a restore says nothing about how long it had been gone. With the records that it rests on.
 */
export function lifetimeOf(facts: readonly LifecycleFact[]): { alive: readonly Span[]; evidence: readonly EventId[] } {
  const observations = facts.map(({ time, eventId: id, fact }): Observation => ({
    time,
    id,
    before: null,
    after: fact.change !== 'deleted' && fact.change !== 'disabled',
  }))
  const created = facts.filter(({ fact }) => fact.change === 'created').map(({ time }) => time)
  const sinceCreation: readonly Span[] = created.length === 0 ? ALWAYS : [{ from: created.reduce((first, time) => (time < first ? time : first)), to: null }]
  return { alive: intersect(sinceCreation, spansOf(observations, true)), evidence: facts.map((stored) => stored.eventId).toSorted() }
}
