/** Makes records of the rows of a table. */
import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'

/** A row as a record: its cells under the titles of their columns, as JSON. */
export interface Row {
  readonly text: string
  readonly value: JsonObject
}

const STEP = /^@?[A-Za-z_][\w-]*$|^\d{1,3}$|^@type$/

/**
 * Makes rows of cells in the order of these titles. A title with dots (`userIdentity.arn`, `protoPayload.authenticationInfo.principalEmail`) is a path, as CloudWatch
 * Logs Insights, Logs Explorer, Splunk and Kibana write it: its cell is nested, so that masking and formats meet it where it stands in a record. A cell stays the
 * text that it is; a repeated or empty title gets its number.
 */
export function rowMaker(titles: readonly string[]): (cells: readonly Json[]) => Row {
  const root = treeOf(named(titles))
  return (cells) => {
    const text = write(root, cells)
    return { text, value: parseJson(text) as JsonObject }
  }
}

/** Titles without white space at their ends, each once. */
function named(titles: readonly string[]): string[] {
  const seen = new Set<string>()
  return titles.map((written, index) => {
    const title = written.trim()
    const name = title === '' ? `column ${index + 1}` : seen.has(title) ? `${title} (column ${index + 1})` : title
    seen.add(name)
    return name
  })
}

/** Members in order of their first column: a column, or what stands below. */
type Tree = Map<string, number | Tree>

function treeOf(titles: readonly string[]): Tree {
  const root: Tree = new Map()
  titles.forEach((title, index) => {
    const path = title.split('.')
    const nested = path.length > 1 && path.length <= 12 && path.every((step) => STEP.test(step)) && !/^\d/.test(path[0]!)
    if (!nested || !put(root, path, index)) root.set(root.has(title) ? `${title} (column ${index + 1})` : title, index)
  })
  return root
}

/** False where a column stands in the way: `a` and `a.b` cannot both be nested. */
function put(root: Tree, path: readonly string[], index: number): boolean {
  let tree = root
  for (const step of path.slice(0, -1)) {
    const below = tree.get(step)
    if (typeof below === 'number') return false
    if (below === undefined) {
      const fresh: Tree = new Map()
      tree.set(step, fresh)
      tree = fresh
    } else tree = below
  }
  if (tree.has(path.at(-1)!)) return false
  tree.set(path.at(-1)!, index)
  return true
}

/** The text of an object or list; what is below a path is left out where its cells are empty: an empty cell is no payload. */
function write(tree: Tree, cells: readonly Json[], top = true): string {
  const list = !top && isList(tree)
  const parts: string[] = []
  for (const [key, below] of tree) {
    const cell = typeof below === 'number' ? (cells[below] ?? '') : null
    const value = cell === null ? write(below as Tree, cells, false) : cell === '' && !top ? '' : JSON.stringify(cell)
    if (value !== '') parts.push(list ? value : `${JSON.stringify(key)}:${value}`)
  }
  if (parts.length === 0 && !top) return ''
  return list ? `[${parts.join(',')}]` : `{${parts.join(',')}}`
}

/** `a.0`, `a.1` …: the items of a list, in their order and none left out. */
function isList(tree: Tree): boolean {
  let next = 0
  for (const key of tree.keys()) if (key !== String(next++)) return false
  return next > 0
}
