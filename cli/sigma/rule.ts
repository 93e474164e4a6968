/** Reads Sigma rules (https://sigmahq.io, specification 2.x) as far as docs/sigma.md says; whatever else a file holds that would change its meaning is refused with file and line. */
import { LineCounter, type Document } from 'yaml'
import { z } from 'zod'
import { readYaml } from '../../config/yaml-text.ts'
import { legacyCount } from './aggregation.ts'
import { compileCondition } from './condition.ts'
import { readCorrelation, type Correlation } from './correlation.ts'
import { type Place, refuse, SigmaError } from './fault.ts'
import { compileItem, compileKeywords, type Compiled, type Scalar, type Test } from './match.ts'
import { readLogsource } from './vocabulary/logsource.ts'
import type { Reader, Vocabulary } from './vocabulary/vocabulary.ts'

const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const

interface Head {
  readonly title: string
  readonly id: string | null
  /** What correlations call it. */
  readonly name: string | null
  readonly level: (typeof LEVELS)[number] | null
  readonly place: Place
}

/** A rule over single events. */
export interface EventRule extends Head {
  readonly kind: 'event'
  readonly test: Test
  readonly readers: readonly CountedReader[]
  readonly vocabulary: Vocabulary
}

/** A reader that knows how often it was asked, and how often it found something: a field that no record has is told of. */
interface CountedReader extends Reader {
  asked: number
  found: number
}

/** A rule over what other rules matched. */
export interface CorrelationRule extends Head {
  readonly kind: 'correlation'
  readonly correlation: Correlation
}

export type SigmaRule = EventRule | CorrelationRule

/** Keys of a rule that would change what it means, if they were ignored. */
const REFUSED: Readonly<Record<string, string>> = {
  action: 'collections by "action" are not supported: write one document a rule',
  filter: 'filters are not supported',
}

const RuleHead = z.looseObject({
  title: z.string().min(1),
  id: z.string().nullish(),
  name: z.string().nullish(),
  level: z.enum(LEVELS, `is none of ${LEVELS.join(', ')}`).nullish(),
  taxonomy: z.literal('sigma', 'is not supported').nullish(),
})

/** The rules of a file's text (several documents may stand in one). @throws SigmaError with file, line and reason */
export function readRules(text: string, file: string): readonly SigmaRule[] {
  const lines = new LineCounter()
  const documents = readYaml(text, lines)
  if (documents.length === 0) throw new SigmaError(`${file}: holds no rule`)
  return documents.flatMap((one) => {
    if ('faults' in one) return refuse({ file, line: one.faults[0]!.line }, one.faults[0]!.message)
    const { document, value } = one
    return readRule(value, (...path) => ({ file, line: lineOf(document, lines, path) }))
  })
}

/** The line of a path in the document, or of the nearest of its parents that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = (length === 0 ? document.contents : document.getIn(path.slice(0, length), true)) as
      | { readonly range?: readonly number[] | null }
      | undefined
      | null
    if (node?.range) return lines.linePos(node.range[0]!).line
  }
  return 1
}

export type PlaceOf = (...path: (string | number)[]) => Place

function readRule(value: unknown, place: PlaceOf): readonly SigmaRule[] {
  const head = RuleHead.safeParse(value)
  if (!head.success) {
    const issue = head.error.issues[0]!
    return refuse(place(...(issue.path as string[])), issue.path.length === 0 ? 'is no rule' : `${issue.path.join('.')} ${issue.message}`)
  }
  const { title, id = null, name = null, level = null, ...rest } = head.data
  for (const [key, why] of Object.entries(REFUSED)) if (key in rest) refuse(place(key), why)
  const common = { title, id, name, level, place: place() }
  if (rest['correlation'] !== undefined) {
    if (rest['detection'] !== undefined) refuse(place('detection'), 'a correlation has no detection of its own')
    return [{ kind: 'correlation', ...common, correlation: readCorrelation(rest['correlation'], rest['generate'], place) }]
  }
  const vocabulary = readLogsource(rest['logsource'], place)
  const { count, ...detection } = readDetection(rest['detection'], rest['timeframe'], vocabulary, place)
  const rule: EventRule = { kind: 'event', ...common, vocabulary, ...detection }
  if (!count) return [rule]
  // What the count is over is a rule of its own, which nobody else can name.
  const counted = `${place().file}:${place().line}`
  return [
    { ...rule, name: counted, id: null },
    { kind: 'correlation', ...common, correlation: { ...count, rules: [counted] } },
  ]
}

/** Rules of one detection that is counted in the way of Sigma's first version, or not. */
interface Detection {
  readonly test: Test
  readonly readers: readonly CountedReader[]
  readonly count: Correlation | null
}

/** @param outer a timeframe beside the detection, where some rules have it */
function readDetection(value: unknown, outer: unknown, vocabulary: Vocabulary, place: PlaceOf): Detection {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(place('detection'), 'there is no detection')
  const { condition, timeframe, ...selections } = value as Record<string, unknown>
  const conditions = Array.isArray(condition) ? (condition as unknown[]) : [condition]
  if (!conditions.every((one) => typeof one === 'string') || conditions.length === 0)
    return refuse(place('detection', 'condition'), 'the condition must be one text')
  const counted = conditions.length === 1 ? legacyCount(conditions[0]!, timeframe ?? outer, place) : null
  if (timeframe !== undefined && !counted) refuse(place('detection', 'timeframe'), 'timeframe is not supported: write a correlation rule (docs/sigma.md)')
  const readers: CountedReader[] = []
  const asked: Vocabulary = {
    ...vocabulary,
    reader: (name, at) => {
      const reader = counting(vocabulary.reader(name, at))
      readers.push(reader)
      return reader
    },
  }
  const tests = new Map(
    Object.entries(selections).map(([name, selection]) => [name, readSelection(selection, asked, (...path) => place('detection', name, ...path)).test]),
  )
  const texts = counted ? [counted.condition] : conditions
  const compiled = compileCondition(texts, tests, vocabulary.texts !== null, place('detection', 'condition'))
  return { test: compiled, readers, count: counted?.correlation ?? null }
}

function counting(reader: Reader): CountedReader {
  const counted: CountedReader = {
    ...reader,
    asked: 0,
    found: 0,
    read: (event) => {
      const values = reader.read(event)
      counted.asked++
      if (values.some((value) => value !== null)) counted.found++
      return values
    },
  }
  return counted
}

/** A map holds when all of its items do; a list of maps when one of them does; a list of texts when one of them stands in the event. */
function readSelection(value: unknown, vocabulary: Vocabulary, place: PlaceOf): Compiled {
  if (Array.isArray(value)) {
    if (value.length === 0) refuse(place(), 'the selection is empty')
    if (value.every((one) => typeof one === 'string' || typeof one === 'number')) return compileKeywords([], value, vocabulary, place())
    const parts = value.map((one, index) => readSelection(one, vocabulary, (...path) => place(index, ...path)))
    return { test: (event) => parts.some(({ test }) => test(event)), readers: parts.flatMap(({ readers }) => readers) }
  }
  if (typeof value === 'string' || typeof value === 'number') return compileKeywords([], [value], vocabulary, place())
  if (typeof value !== 'object' || value === null) return refuse(place(), 'the selection is neither a map nor a list')
  const items = Object.entries(value)
  if (items.length === 0) refuse(place(), 'the selection is empty')
  const parts = items
    .map(([key, given]) => compileItem(key, scalars(given, place, key), vocabulary, place(key)))
    // What needs no record is asked first: it spares most events the unpacking.
    .toSorted((a, b) => Number(a.readers.some(({ fromRecord }) => fromRecord)) - Number(b.readers.some(({ fromRecord }) => fromRecord)))
  return { test: (event) => parts.every(({ test }) => test(event)), readers: parts.flatMap(({ readers }) => readers) }
}

function scalars(value: unknown, place: PlaceOf, key: string): readonly Scalar[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.map((one, index) =>
    one === null || ['string', 'number', 'boolean'].includes(typeof one)
      ? (one as Scalar)
      : refuse(place(key, index), `a value of "${key}" is no text, number or null`),
  )
}
