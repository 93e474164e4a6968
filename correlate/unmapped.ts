/**
 * What was not understood: the paths of a record that its normaliser neither reads nor knowingly leaves. The record itself is kept
 * whole; the set of such paths is stored once and the event points to it, so that listing them costs nothing per record.
 */
import type { Json, JsonObject } from '#core/record.ts'
import { storable } from '#core/text.ts'

interface Known {
  readonly leaf: boolean
  readonly next: Map<string, Known>
}

/** A set of known paths (`a.b.c`, `[]` for array items, `*` for any key), compiled once per format. */
export type KnownPaths = Known

/** Compiles known paths; a path also covers everything below it. */
export function compilePaths(paths: readonly string[]): KnownPaths {
  const root: { leaf: boolean; next: Map<string, Known> } = { leaf: false, next: new Map() }
  for (const path of paths) {
    let node = root
    for (const step of path
      .replaceAll('[]', '.[]')
      .split('.')
      .filter((part) => part !== '')) {
      let child = node.next.get(step)
      if (!child) node.next.set(step, (child = { leaf: false, next: new Map() }))
      node = child
    }
    node.leaf = true
  }
  return root
}

/** The unknown paths of a record, sorted and distinct, at most 200; unknown subtrees are named by their root. */
export function unmappedPaths(value: JsonObject, known: KnownPaths): readonly string[] {
  const found = new Set<string>()
  const visit = (item: Json | undefined, node: Known, path: string): void => {
    if (node.leaf || found.size >= 200) return
    if (Array.isArray(item)) {
      const next = node.next.get('[]')
      for (const element of item as readonly Json[]) {
        if (next) visit(element, next, `${path}[]`)
        else if (!isEmpty(element)) found.add(`${path}[]`)
      }
    } else if (item !== null && typeof item === 'object') {
      for (const key in item as JsonObject) {
        const child = (item as JsonObject)[key]
        const next = node.next.get(key) ?? node.next.get('*')
        const name = path === '' ? key : `${path}.${key}`
        if (next) visit(child, next, name)
        else if (!isEmpty(child)) found.add(name)
      }
    } else if (!isEmpty(item) && node.next.size > 0) found.add(path)
  }
  visit(value, known, '')
  return [...found].map((path) => storable(path).slice(0, 200)).toSorted()
}

/** Nothing is lost with an empty value: no one needs to understand it. */
function isEmpty(value: Json | undefined): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
