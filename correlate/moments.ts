/**
 * Which moment counts (DESIGN §4.2, SPEC §1 "Moment"): who could have acted as a subject at some instant of a span, and since when nobody can. Pure over the directory.
 */
import type { Directory } from './directory/directory.ts'
import { type Candidates, type Subject, candidatesOf, turningPoints } from './candidates.ts'

/** When something may have been done: from the exchange of the credential until its use, or the one instant of the event. Both ends count. */
export interface Moment {
  readonly from: bigint
  readonly to: bigint
}

/** The answers for one subject: one from each turning point to the next, and one before the first. They are looked up when they are asked for. */
interface History {
  readonly times: readonly bigint[]
  /** By the number of turning points before it. */
  readonly single: Map<number, Candidates>
  /** Of several together, by their numbers. */
  readonly joined: Map<string, Candidates>
}

/** Directories are never edited: what one of them said stays true as long as it is there. */
const histories = new WeakMap<Directory, Map<string, History>>()

function historyOf(directory: Directory, subject: Subject): History {
  let all = histories.get(directory)
  if (!all) histories.set(directory, (all = new Map()))
  const key = `${subject.tenantId}/${subject.oid}`
  let history = all.get(key)
  if (!history) {
    const kind = directory.principal(subject.tenantId, subject.oid)?.kind
    // An agent is always itself, and a user nobody.
    const times = kind === 'agent' || kind === 'user' ? [] : [...turningPoints(directory, subject)].toSorted((a, b) => (a < b ? -1 : 1))
    all.set(key, (history = { times, single: new Map(), joined: new Map() }))
  }
  return history
}

/** How many of the turning points are not after the instant. */
function stepAt({ times }: History, time: bigint): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! <= time) low = middle + 1
    else high = middle
  }
  return low
}

function answerAt(directory: Directory, subject: Subject, { times, single }: History, step: number): Candidates {
  let answer = single.get(step)
  if (!answer) single.set(step, (answer = candidatesOf(directory, subject, step === 0 ? (times[0] ?? 0n) - 1n : times[step - 1]!)))
  return answer
}

/** The agents that could have acted as the subject at some instant of these moments. */
export function candidatesDuring(directory: Directory, subject: Subject, moments: readonly Moment[]): Candidates {
  const history = historyOf(directory, subject)
  const steps = new Set<number>()
  for (const { from, to } of moments) for (let step = stepAt(history, from), last = stepAt(history, to); step <= last; step++) steps.add(step)
  if (steps.size === 1) for (const step of steps) return answerAt(directory, subject, history, step)
  const inOrder = [...steps].toSorted((a, b) => a - b)
  const key = inOrder.join()
  let answer = history.joined.get(key)
  if (!answer) history.joined.set(key, (answer = together(inOrder.map((step) => answerAt(directory, subject, history, step)))))
  return answer
}

/** Whoever is in one of the answers is in all of them together. */
function together(answers: readonly Candidates[]): Candidates {
  const agents = new Map(answers.flatMap((answer) => answer.agents.map((agent) => [`${agent.oid}/${agent.tenantId}`, agent] as const)))
  return {
    self: answers[0]!.self,
    agents: [...agents].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, agent]) => agent),
    basis: [...new Set(answers.flatMap(({ basis }) => basis))],
    evidence: [...new Set(answers.flatMap(({ evidence }) => evidence))].toSorted(),
  }
}

/** Whoever could ever have acted as the subject. */
export function candidatesEver(directory: Directory, subject: Subject): Candidates {
  const { times } = historyOf(directory, subject)
  const first = times[0] ?? 0n
  return candidatesDuring(directory, subject, [{ from: first - 1n, to: times.at(-1) ?? first }])
}

/** Nobody is left who could act as the subject: who could do so last, and when that ended. */
export interface Abandoned {
  readonly since: bigint
  readonly last: Candidates
}

/** Null where somebody could act as the subject at that instant, and where nobody ever could before it. */
export function abandonedAt(directory: Directory, subject: Subject, time: bigint): Abandoned | null {
  const history = historyOf(directory, subject)
  for (let step = stepAt(history, time), now = step; step >= 0; step--) {
    const last = answerAt(directory, subject, history, step)
    if (last.agents.length > 0) return step === now ? null : { since: history.times[step]!, last }
  }
  return null
}

/** True where the answer for this subject may change after the first of these instants and until the second. */
export function turnsBetween(directory: Directory, subject: Subject, from: bigint, to: bigint): boolean {
  const history = historyOf(directory, subject)
  return stepAt(history, from) !== stepAt(history, to)
}
