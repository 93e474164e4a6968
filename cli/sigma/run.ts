/** Runs rules over linked events in order of time. The result follows from the set of events: it knows no clock. */
import { SigmaError } from './fault.ts'
import type { FieldName } from './fields.ts'
import type { CorrelationRule, EventRule, SigmaRule } from './rule.ts'
import { covers, type Reader, type SigmaEvent } from './vocabulary/vocabulary.ts'
import { type Hit, Window } from './window.ts'

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

/** Fields that a rule asked for and no record had. */
interface Unseen {
  readonly rule: string
  readonly fields: readonly string[]
  /** Records that were asked. */
  readonly records: number
}

export interface SigmaRun {
  /** Fields of the linked events that the rules ask for. */
  readonly fields: readonly FieldName[]
  /** Whether a rule looks into records. */
  readonly records: boolean
  /** The next event; they must come in order of time. */
  readonly offer: (event: SigmaEvent) => readonly Match[]
  /** What is still open at the end. */
  readonly finish: () => readonly Match[]
  /** A rule that asks for what is nowhere cannot match: that is no statement about what happened. */
  readonly unseen: () => readonly Unseen[]
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

/**
 * The rules that can be run together, and why the others cannot: a correlation may name a rule that is not there, another correlation, or a field that the named rule's
 * logs do not have.
 */
export function linkable(rules: readonly SigmaRule[]): {
  readonly rules: readonly SigmaRule[]
  readonly refused: readonly { readonly file: string; readonly reason: string }[]
} {
  const refused: { file: string; reason: string }[] = []
  const kept = rules.filter((rule) => {
    if (rule.kind === 'event') return true
    try {
      return Boolean(new Correlator(rule, resolve(rule, rules)))
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error
      refused.push({ file: rule.place.file, reason: error.message })
      return false
    }
  })
  return { rules: kept, refused }
}

/** @throws SigmaError when a correlation names no rule, a correlation, or a name that two rules have */
export function createRun(rules: readonly SigmaRule[]): SigmaRun {
  // In an order of their own: that of the files they stand in is nobody's statement.
  const sorted = rules.toSorted((a, b) => orderOf(a).localeCompare(orderOf(b), 'en'))
  const eventRules = sorted.filter((rule) => rule.kind === 'event')
  const correlations = sorted.filter((rule) => rule.kind === 'correlation').map((rule) => new Correlator(rule, resolve(rule, rules)))
  const silent = new Set(correlations.flatMap(({ inputs, rule }) => (rule.correlation.generate ? [] : [...inputs.keys()])))
  const hit = new Set<EventRule>()
  let offered = 0
  return {
    fields: [
      ...new Set([
        ...eventRules.flatMap((rule) => rule.readers).flatMap((reader) => reader.linked),
        ...correlations.flatMap((one) => one.readers).flatMap((reader) => reader.linked),
        'source' as const,
        'agentOid' as const,
        'subjectOid' as const,
      ]),
    ],
    records: eventRules.some((rule) => rule.vocabulary.formats !== null),
    unseen: () =>
      eventRules.flatMap((rule) => {
        const { title, readers } = rule
        // A rule that matched looks for what is not there.
        if (hit.has(rule)) return []
        const nowhere = readers.filter(({ fromRecord, asked, found }) => fromRecord && asked > 0 && found === 0)
        if (nowhere.length === 0) return []
        return [{ rule: title, fields: [...new Set(nowhere.map(({ name }) => name))], records: Math.max(...nowhere.map(({ asked }) => asked)) }]
      }),
    offer(event) {
      const matched = new Set(eventRules.filter((rule) => covers(rule.vocabulary, event) && rule.test(event)))
      for (const rule of matched) hit.add(rule)
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
  readonly readers: readonly Reader[]
  readonly #groups = new Map<string, Group>()
  /** By the name of the rule that is counted: what it is grouped by, and whose values count. */
  readonly #groupReaders = new Map<string, readonly { readonly name: string; readonly reader: Reader }[]>()
  readonly #valueReaders = new Map<string, Reader>()

  constructor(rule: CorrelationRule, inputs: ReadonlyMap<EventRule, string>) {
    this.rule = rule
    this.inputs = inputs
    const { groupBy, field } = rule.correlation
    for (const [input, called] of inputs) {
      const { vocabulary } = input
      const groups = groupBy.map((group) => {
        const { name, place } = group.fieldOf(called)
        return { name: group.name, reader: vocabulary.reader(name, place) }
      })
      this.#groupReaders.set(called, groups)
      if (field) this.#valueReaders.set(called, vocabulary.reader(field.name, field.place))
    }
    this.readers = [...[...this.#groupReaders.values()].flatMap((groups) => groups.map(({ reader }) => reader)), ...this.#valueReaders.values()]
  }

  #valuesOf({ rule, event }: Hit): readonly string[] {
    const values = this.#valueReaders.get(rule)!.read(event)
    return [...new Set(values.filter((value) => value !== null).map(String))]
  }

  /** The next event with all the rules that it matches: taken one after the other, the answer would depend on which comes first. */
  offer(matched: ReadonlySet<EventRule>, event: SigmaEvent): Match[] {
    const byGroup = new Map<string, { readonly values: Readonly<Record<string, string>>; readonly names: string[] }>()
    for (const [rule, name] of this.inputs) {
      const values = matched.has(rule) ? groupValues(this.#groupReaders.get(name)!, event) : null
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
    if (!group) this.#groups.set(key, (group = { values, window: new Window(this.rule.correlation, (hit) => this.#valuesOf(hit)), open: null }))
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

/** Null when the event lacks one: absent values are not equal to each other. Several values are taken together. */
function groupValues(groups: readonly { readonly name: string; readonly reader: Reader }[], event: SigmaEvent): Record<string, string> | null {
  const values: Record<string, string> = {}
  for (const { name, reader } of groups) {
    const found = reader.read(event).filter((value) => value !== null)
    if (found.length === 0) return null
    values[name] = found.join(' ')
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
