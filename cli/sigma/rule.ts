/** Reads Sigma rules (https://sigmahq.io, specification 2.x) as far as docs/sigma.md says; whatever else a file holds that would change its meaning is refused with file and line. */
import { LineCounter, parseAllDocuments, type Document } from 'yaml'
import { z } from 'zod'
import { SOURCES, type Source } from '#core/event.ts'
import { compileCondition } from './condition.ts'
import { readCorrelation, type Correlation } from './correlation.ts'
import { type Place, refuse, SigmaError } from './fault.ts'
import type { FieldName } from './fields.ts'
import { compileItem, type Scalar, type Test } from './match.ts'

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
  readonly fields: readonly FieldName[]
  /** Only events of this source; null for all. */
  readonly source: Source | null
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
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  if (!Array.isArray(documents) || documents.length === 0) throw new SigmaError(`${file}: holds no rule`)
  return (documents as Document[]).map((document) => {
    const broken = document.errors[0]
    if (broken) refuse({ file, line: lines.linePos(broken.pos[0]).line }, broken.message)
    return readRule(document, (...path) => ({ file, line: lineOf(document, lines, path) }))
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

function readRule(document: Document, place: PlaceOf): SigmaRule {
  const value = document.toJS({ maxAliasCount: 100 }) as unknown
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
    return { kind: 'correlation', ...common, correlation: readCorrelation(rest['correlation'], rest['generate'], place) }
  }
  return { kind: 'event', ...common, source: readSource(rest['logsource'], place), ...readDetection(rest['detection'], place) }
}

/** `product: trailjoin`; `service` is the source of the event. */
function readSource(value: unknown, place: PlaceOf): Source | null {
  const source = z.looseObject({ product: z.string() }).safeParse(value)
  if (!source.success || source.data.product !== 'trailjoin')
    return refuse(place('logsource'), 'the logsource must say "product: trailjoin": rules for other logs ask for other fields')
  const { product: _product, definition: _definition, service, ...more } = source.data
  const extra = Object.keys(more)[0]
  if (extra !== undefined) refuse(place('logsource', extra), `"${extra}" of a logsource is not supported: write service, or a field in the detection`)
  if (service === undefined || service === null) return null
  return (SOURCES as readonly unknown[]).includes(service)
    ? (service as Source)
    : refuse(place('logsource', 'service'), `the service is none of ${SOURCES.join(', ')}`)
}

type Fields = Set<FieldName>

function readDetection(value: unknown, place: PlaceOf): { readonly test: Test; readonly fields: readonly FieldName[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(place('detection'), 'there is no detection')
  const { condition, ...selections } = value as Record<string, unknown>
  if ('timeframe' in selections) refuse(place('detection', 'timeframe'), 'timeframe is not supported: write a correlation rule (docs/sigma.md)')
  if (typeof condition !== 'string') return refuse(place('detection', 'condition'), 'the condition must be one text')
  const fields: Fields = new Set()
  const tests = new Map(
    Object.entries(selections).map(([name, selection]) => [name, readSelection(selection, (...path) => place('detection', name, ...path), fields)]),
  )
  return { test: compileCondition(condition, tests, place('detection', 'condition')), fields: [...fields] }
}

/** A map holds when all of its items do; a list of maps when one of them does. */
function readSelection(value: unknown, place: PlaceOf, fields: Fields): Test {
  if (Array.isArray(value)) {
    if (value.length === 0) refuse(place(), 'the selection is empty')
    const tests = value.map((one, index) => readSelection(one, (...path) => place(index, ...path), fields))
    return (event) => tests.some((test) => test(event))
  }
  if (typeof value !== 'object' || value === null)
    return refuse(place(), 'keywords without a field are not supported: a linked event is no text. Write field: value')
  const items = Object.entries(value)
  if (items.length === 0) refuse(place(), 'the selection is empty')
  const tests = items.map(([key, given]) => {
    const compiled = compileItem(key, scalars(given, place, key), place(key))
    for (const field of compiled.fields) fields.add(field)
    return compiled.test
  })
  return (event) => tests.every((test) => test(event))
}

function scalars(value: unknown, place: PlaceOf, key: string): readonly Scalar[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.map((one, index) =>
    one === null || ['string', 'number', 'boolean'].includes(typeof one)
      ? (one as Scalar)
      : refuse(place(key, index), `a value of "${key}" is no text, number or null`),
  )
}
