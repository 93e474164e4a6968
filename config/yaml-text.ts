/**
 * YAML of files that people write, read within bounds: aliases that multiply, nesting that overflows the stack and documents that take minutes are faults with a line, like any other. Messages
 * repeat no values: they may be secrets.
 */
import { isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, parseAllDocuments, parseDocument } from 'yaml'
import type { Document, LineCounter, Node } from 'yaml'

/** A fault, with its line (from 1). */
interface YamlFault {
  readonly line: number
  readonly message: string
}

export type ReadDocument = { readonly document: Document; readonly value: unknown } | { readonly faults: readonly YamlFault[] }

/** As many values as all aliases together may repeat: a file by hand has some dozen. */
const MOST_REPEATED = 10_000
/** Deeper than any file of settings; the parser itself overflows the stack at some hundred. */
const MOST_DEPTH = 100

/**
 * The documents of a text, each with its value or with what is wrong in it.
 * @param single refuses a second document
 */
export function readYaml(
  text: string,
  lines: LineCounter,
  { single = false, schema = 'core' }: { readonly single?: boolean; readonly schema?: 'core' | 'failsafe' } = {},
): readonly ReadDocument[] {
  // "Pretty" errors of the library print the line, and with it what stands there. Its own look for keys that stand twice takes minutes at 100,000 keys.
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, schema })
  const all = [...documents] as Document[]
  // A text of nothing but comments is a document without a value.
  if (single && all.length === 0) all.push(parseDocument(''))
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line)
  const read = all.map((document): ReadDocument => {
    const faults = document.errors.map(({ pos, message }) => ({ line: lineAt(pos[0]), message: /call stack/.test(message) ? 'is nested too deeply' : message }))
    const found = faults.length > 0 ? faults : faultsIn(document, lineAt)
    return found.length > 0 ? { faults: found } : { document, value: document.toJS({ maxAliasCount: -1 }) as unknown }
  })
  const second = single ? all[1] : undefined
  if (second === undefined) return read
  return [{ faults: [{ line: lineAt(second.range?.[0] ?? 0), message: 'a second document begins here: there must be one only' }] }]
}

/** What the parser lets through and nobody should follow. Ends at the first alias or depth too many: what is behind would be the same again. */
function faultsIn(document: Document, lineAt: (offset: number) => number): readonly YamlFault[] {
  const faults: YamlFault[] = []
  /** How many values stand behind each anchor, aliases in it counted in full. */
  const sizes = new Map<string, number>()
  let repeated = 0
  const fault = (node: Node, message: string): void => void faults.push({ line: lineAt(node.range?.[0] ?? 0), message })
  const measure = (node: unknown, depth: number): number => {
    if (!isNode(node)) return 1
    if (depth > MOST_DEPTH) {
      fault(node, 'is nested too deeply')
      throw new Enough()
    }
    if (isAlias(node)) {
      const size = sizes.get(node.source)
      if (size === undefined) fault(node, 'an alias (*) stands inside of what it repeats, or no anchor (&) before it has its name')
      repeated += size ?? 0
      if (repeated <= MOST_REPEATED) return size ?? 1
      fault(node, 'its aliases (*) repeat too much')
      throw new Enough()
    }
    const size = 1 + inside(node, depth)
    if (isCollection(node) || isScalar(node)) if (node.anchor !== undefined) sizes.set(node.anchor, size)
    return size
  }
  const inside = (node: Node, depth: number): number => {
    if (isSeq(node))
      return node.items.reduce<number>(
        (sum, item) => sum + (isPair(item) ? measure(item.key, depth + 1) + measure(item.value, depth + 1) : measure(item, depth + 1)),
        0,
      )
    if (!isMap(node)) return 0
    const seen = new Set<unknown>()
    return node.items.reduce<number>((sum, { key, value }) => {
      if (isScalar(key) && seen.has(key.value)) fault(key, 'Map keys must be unique: this one stands there twice')
      if (isScalar(key)) seen.add(key.value)
      return sum + measure(key, depth + 1) + measure(value, depth + 1)
    }, 0)
  }
  try {
    measure(document.contents, 0)
  } catch (error) {
    if (!(error instanceof Enough)) throw error
  }
  return faults
}

/** Nothing more need be looked at. */
class Enough extends Error {}
