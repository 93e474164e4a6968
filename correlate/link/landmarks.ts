/**
 * Landmarks: the few events that others go back to by the clock (issuances, exchanges, mints), by subject. Pure; `store/landmarks.ts`
 * loads them.
 */
import type { Kind, Outcome, PrincipalKind, Source } from '#core/event.ts'
import type { EventId } from '#core/keys.ts'

export interface Landmark {
  readonly id: EventId
  readonly timeNs: bigint
  readonly source: Source
  readonly kind: Kind
  readonly outcome: Outcome
  /** Key of the subject: `tenant/oid`. */
  readonly subject: string
  readonly resource: string | null
  readonly principalKind: PrincipalKind | null
}

export const LANDMARK_KINDS = ['token.issued', 'token.exchanged', 'credential.minted'] as const satisfies readonly Kind[]

/** Which landmarks a question needs: those of one subject from one instant to another, both included. */
export interface Window {
  readonly tenantId: string
  readonly oid: string
  readonly from: bigint
  readonly to: bigint
}

export class Landmarks {
  readonly #bySubject = new Map<string, Landmark[]>()

  constructor(landmarks: Iterable<Landmark>) {
    for (const landmark of landmarks) {
      const list = this.#bySubject.get(landmark.subject)
      if (list) list.push(landmark)
      else this.#bySubject.set(landmark.subject, [landmark])
    }
    for (const list of this.#bySubject.values()) list.sort((a, b) => (isBefore(a, b) ? -1 : 1))
  }

  /** The latest successful landmark of any of these subjects that is not after `event` and fulfils the condition; not the event itself. */
  latest(subjects: readonly string[], event: { readonly id: EventId; readonly timeNs: bigint }, condition: (landmark: Landmark) => boolean): Landmark | null {
    let best: Landmark | null = null
    for (const subject of subjects) {
      const list = this.#bySubject.get(subject) ?? []
      for (let index = upperBound(list, event.timeNs) - 1; index >= 0; index--) {
        const landmark = list[index]!
        if (best && !isBefore(best, landmark)) break
        if (landmark.id === event.id || landmark.outcome !== 'success' || !condition(landmark)) continue
        best = landmark
        break
      }
    }
    return best
  }
}

/** Number of landmarks that are not after the instant. */
function upperBound(list: readonly Landmark[], time: bigint): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]!.timeNs <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** Order of events: by time, then by id. */
export function isBefore(a: { readonly timeNs: bigint; readonly id: EventId }, b: { readonly timeNs: bigint; readonly id: EventId }): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.id < b.id)
}
