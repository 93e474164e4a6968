/** Runs rules over linked events in order of time. The result follows from the set of events: it knows no clock. */
import type { Correlation } from './correlation.ts'
import { SigmaError } from './fault.ts'
import type { FieldName, SigmaEvent } from './fields.ts'
import type { CorrelationRule, EventRule, SigmaRule } from './rule.ts'
import { Window } from './window.ts'

/** Events that one match lists at most; `count` says how many there are. */
const MOST_EVENTS = 1000
/** Groups are looked through for those that are over after so many events. */
const SWEEP_EVERY = 50_000

export interface Match {
  readonly rule: string
  readonly ruleId: string | null
  readonly level: string | null
  readonly tenantId: string | null
  /** Values of group-by; empty for rules over single events. */
  readonly group: Readonly<Record<string, string>>
  readonly firstNs: bigint
  readonly lastNs: bigint
  readonly count: number
  /** Agents and subjects, sorted. */
  readonly oids: readonly string[]
  readonly events: readonly string[]
}

export interface SigmaRun {
  /** Fields that the rules ask for. */
  readonly fields: readonly FieldName[]
  /** The next event; they must come in order of time. */
  readonly offer: (event: SigmaEvent) => readonly Match[]
  /** What is still open at the end. */
  readonly finish: () => readonly Match[]
}

interface Open {
  readonly hits: Map<string, SigmaEvent>
  readonly group: Readonly<Record<string, string>>
  count: number
  /** The event that stands last, once the list is full. */
  last: string | null
}

interface Group {
  readonly values: Readonly<Record<string, string>>
  readonly window: Window
  open: Open | null
}

/** @throws SigmaError when a correlation names no rule, a correlation, or a name that two rules have */
export function createRun(rules: readonly SigmaRule[]): SigmaRun {
  // In an order of their own: that of the files they stand in is nobody's statement.
  const sorted = rules.toSorted((a, b) => orderOf(a).localeCompare(orderOf(b), 'en'))
  const eventRules = sorted.filter((rule) => rule.kind === 'event')
  const correlations = sorted.filter((rule) => rule.kind === 'correlation').map((rule) => new Correlator(rule, resolve(rule, rules)))
  const silent = new Set(correlations.flatMap(({ inputs, rule }) => (rule.correlation.generate ? [] : [...inputs.keys()])))
  let offered = 0
  return {
    fields: [
      ...new Set([
        ...eventRules.flatMap((rule) => rule.fields),
        ...correlations.flatMap((one) => one.fields),
        'source' as const,
        'agentOid' as const,
        'subjectOid' as const,
      ]),
    ],
    offer(event) {
      const matched = new Set(eventRules.filter((rule) => (rule.source === null || event.field('source') === rule.source) && rule.test(event)))
      const matches = [...matched].filter((rule) => !silent.has(rule)).map((rule) => matchOf(rule, {}, [event], 1))
      if (matched.size > 0) for (const correlation of correlations) matches.push(...correlation.offer(matched, event))
      if (++offered % SWEEP_EVERY === 0) for (const correlation of correlations) matches.push(...correlation.sweep(event.timeNs))
      return matches
    },
    finish: () => correlations.flatMap((correlation) => correlation.sweep(null)),
  }
}

const orderOf = ({ title, id, name }: SigmaRule): string => JSON.stringify([title, id, name])

/** The rules that a correlation names, each under the name it uses. */
function resolve(rule: CorrelationRule, rules: readonly SigmaRule[]): ReadonlyMap<EventRule, string> {
  return new Map(
    rule.correlation.rules.map((name) => {
      const { file, line } = rule.place
      const found = rules.filter((other) => other.name === name || other.id === name)
      if (found.length !== 1)
        throw new SigmaError(
          `${file}:${line}: "${rule.title}" names the rule "${name}", ${found.length === 0 ? 'which is in none of the files' : 'and two rules are called so'}`,
        )
      const [one] = found
      if (one!.kind === 'correlation') throw new SigmaError(`${file}:${line}: "${rule.title}" correlates the correlation "${name}", which is not supported`)
      return [one as EventRule, name] as const
    }),
  )
}

class Correlator {
  readonly rule: CorrelationRule
  readonly inputs: ReadonlyMap<EventRule, string>
  readonly fields: readonly FieldName[]
  readonly #groups = new Map<string, Group>()

  constructor(rule: CorrelationRule, inputs: ReadonlyMap<EventRule, string>) {
    this.rule = rule
    this.inputs = inputs
    const { groupBy, field } = rule.correlation
    this.fields = [...groupBy.flatMap((group) => [...inputs.values()].map((name) => group.fieldOf(name))), ...(field ? [field] : [])]
  }

  /** The next event with all the rules that it matches: taken one after the other, the answer would depend on which comes first. */
  offer(matched: ReadonlySet<EventRule>, event: SigmaEvent): Match[] {
    const byGroup = new Map<string, { readonly values: Readonly<Record<string, string>>; readonly names: string[] }>()
    for (const [rule, name] of this.inputs) {
      const values = matched.has(rule) ? groupValues(this.rule.correlation, name, event) : null
      if (values === null) continue
      const key = JSON.stringify(values)
      const known = byGroup.get(key)
      if (known) known.names.push(name)
      else byGroup.set(key, { values, names: [name] })
    }
    return [...byGroup].flatMap(([key, { values, names }]) => this.#push(key, values, names, event))
  }

  #push(key: string, values: Readonly<Record<string, string>>, names: readonly string[], event: SigmaEvent): Match[] {
    let group = this.#groups.get(key)
    if (!group) this.#groups.set(key, (group = { values, window: new Window(this.rule.correlation), open: null }))
    group.window.advance(event.timeNs)
    const closed = group.window.empty ? this.#close(group) : []
    group.window.push(names, event)
    if (!group.window.holds()) return [...closed, ...this.#close(group)]
    const begun = group.open !== null
    const open = (group.open ??= { hits: new Map(), group: values, count: 0, last: null })
    for (const hit of begun ? [{ event }] : group.window.hits) add(open, hit.event)
    return closed
  }

  /** Ends the groups that no event after this time can go on with; null: all. */
  sweep(timeNs: bigint | null): Match[] {
    return [...this.#groups].flatMap(([key, group]) => {
      if (timeNs !== null) {
        group.window.advance(timeNs)
        if (!group.window.empty) return []
      }
      this.#groups.delete(key)
      return this.#close(group)
    })
  }

  #close(group: Group): Match[] {
    const { open } = group
    group.open = null
    return open ? [matchOf(this.rule, open.group, [...open.hits.values()], open.count)] : []
  }
}

function add(open: Open, event: SigmaEvent): void {
  if (open.hits.has(event.id)) return
  open.count++
  if (open.hits.size < MOST_EVENTS) return void open.hits.set(event.id, event)
  // The last one is always there: it ends the match.
  if (open.last !== null) open.hits.delete(open.last)
  open.hits.set(event.id, event)
  open.last = event.id
}

/** Null when the event lacks one: absent values are not equal to each other. A list's values are taken together. */
function groupValues({ groupBy }: Correlation, rule: string, event: SigmaEvent): Record<string, string> | null {
  const values: Record<string, string> = {}
  for (const { name, fieldOf } of groupBy) {
    const value = event.field(fieldOf(rule))
    if (value === null || (Array.isArray(value) && value.length === 0)) return null
    values[name] = Array.isArray(value) ? value.join(' ') : String(value)
  }
  return values
}

function matchOf(rule: SigmaRule, group: Readonly<Record<string, string>>, events: readonly SigmaEvent[], count: number): Match {
  const times = events.map((event) => event.timeNs)
  const tenants = new Set(events.map((event) => event.tenantId).filter((tenant) => tenant !== null))
  return {
    rule: rule.title,
    ruleId: rule.id,
    level: rule.level,
    tenantId: tenants.size === 1 ? [...tenants][0]! : null,
    group,
    firstNs: times.reduce((a, b) => (b < a ? b : a)),
    lastNs: times.reduce((a, b) => (b > a ? b : a)),
    count,
    oids: [
      ...new Set(events.flatMap((event) => [event.field('agentOid'), event.field('subjectOid')] as (string | null)[]).filter((oid) => oid !== null)),
    ].toSorted(),
    events: events.map((event) => event.id),
  }
}
