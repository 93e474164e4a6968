/** What AWS billed beside what its logs say, by day and caller. Pure. */
import type { PrincipalDay } from '#api/usage/by-principal.ts'
import { formatMoney } from '#api/usage/price.ts'
import { rounded } from './decimal.ts'
import { TOKEN_KINDS } from './read-cur.ts'
import type { Billed, BilledDay, TokenKind } from './read-cur.ts'

/**
 * `same`: all four kinds of tokens are equal. `unknown`: one side does not say how many tokens there were, or part of what was billed is in no log (batch inference
 * and the like), so that the difference means nothing.
 */
export type Verdict = 'same' | 'differs' | 'only-billed' | 'only-logged' | 'unknown'

export interface ReconciledDay {
  readonly day: string
  readonly principal: string | null
  readonly verdict: Verdict
  /** Agents that the calls are charged to. */
  readonly agents: readonly string[]
  readonly logged:
    | (Record<TokenKind, number> & { readonly calls: number; readonly errors: number; readonly meteredCalls: number; readonly unchargedCalls: number })
    | null
  /** Tokens are null where the export does not say their unit; `unloggedLines` bill what is in no log, and their tokens are not among these. */
  readonly billed: (Record<TokenKind, number | null> & { readonly cost: string; readonly unloggedLines: number }) | null
  /** Billed minus logged. */
  readonly difference: Record<TokenKind, number | null> | null
}

/** Both sides by day and caller, sorted; nothing of either is left out. `from` and `to` cut the bill as the logs were cut. */
export function reconcile(
  logged: readonly PrincipalDay[],
  billed: Billed,
  period: { readonly from: string | null; readonly to: string | null },
): ReconciledDay[] {
  const keyOf = ({ day, principal }: { readonly day: string; readonly principal: string | null }): string => JSON.stringify([day, principal])
  const ours = new Map(logged.map((one) => [keyOf(one), one]))
  const theirs = new Map(
    [...billed.days.values()]
      .filter(({ day }) => (period.from === null || day >= period.from) && (period.to === null || day < period.to))
      .map((one) => [keyOf(one), one]),
  )
  return [...new Set([...ours.keys(), ...theirs.keys()])].toSorted().map((key) => compared(ours.get(key) ?? null, theirs.get(key) ?? null))
}

function compared(ours: PrincipalDay | null, theirs: BilledDay | null): ReconciledDay {
  const { day, principal } = (ours ?? theirs)!
  const billed = theirs && { ...tokensOf(theirs), cost: formatMoney(theirs.cost), unloggedLines: theirs.unlogged }
  const difference = ours && billed && byKind((kind) => (billed[kind] === null ? null : billed[kind] - ours[kind]))
  return { day, principal, verdict: verdictOf(ours, theirs, difference), agents: ours?.agents ?? [], logged: ours && loggedOf(ours), billed, difference }
}

function loggedOf({ calls, errors, meteredCalls, unchargedCalls, ...rest }: PrincipalDay): NonNullable<ReconciledDay['logged']> {
  return { calls, errors, meteredCalls, unchargedCalls, ...byKind((kind) => rest[kind]) }
}

const byKind = <Value>(value: (kind: TokenKind) => Value): Record<TokenKind, Value> =>
  Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, value(kind)])) as Record<TokenKind, Value>

const tokensOf = ({ tokens, unknownUnits }: BilledDay): Record<TokenKind, number | null> => byKind((kind) => (unknownUnits > 0 ? null : rounded(tokens[kind])))

function verdictOf(ours: PrincipalDay | null, billed: BilledDay | null, difference: ReconciledDay['difference']): Verdict {
  // What cannot be in the logs is not missing from them.
  if (ours === null) return billed !== null && billed.unlogged > 0 && billed.comparable === 0 ? 'unknown' : 'only-billed'
  if (billed === null || difference === null) return 'only-logged'
  if (billed.unlogged > 0) return 'unknown'
  if (TOKEN_KINDS.every((kind) => difference[kind] === 0)) return 'same'
  // Failed calls have no tokens; others without a usage log have, and nobody knows how many.
  const unmetered = ours.calls - ours.errors > ours.meteredCalls
  return unmetered || TOKEN_KINDS.some((kind) => difference[kind] === null) ? 'unknown' : 'differs'
}
