import type { Titles } from '#core/column-titles.ts'
import { titleKey } from '#core/column-titles.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { isObj } from '../read.ts'

/** The cells of a row by the letters and digits of their titles. */
export type Cells = ReadonlyMap<string, Json>

/** What a row stands for as its cloud would write it, with the titles that nobody knows; or why it is no event. */
export type Told = { readonly value: JsonObject; readonly left: readonly string[] } | { readonly reject: string }

/** Of columns with one title the first that is filled counts. */
export function cellsIn(value: JsonObject): Cells {
  const cells = new Map<string, Json>()
  for (const [title, cell] of Object.entries(value)) {
    const key = titleKey(title.replace(/ \(column \d+\)$/, ''))
    if (cell !== undefined && (!cells.has(key) || cells.get(key) === '')) cells.set(key, cell)
  }
  return cells
}

/** The filled cells under the names of their titles; a name with a dot goes below its first part. `others` are titles that are read elsewhere. */
export function renamed(
  cells: Cells,
  titles: Titles,
  others: RegExp | null = null,
): { readonly value: Record<string, Json>; readonly left: readonly string[] } {
  const value: Record<string, Json> = {}
  const left: string[] = []
  for (const [title, cell] of cells) {
    const name = Object.hasOwn(titles, title) ? titles[title] : undefined
    if (name === undefined) {
      if (!others?.test(title)) left.push(title)
      continue
    }
    if (name === null || cell === '' || cell === null) continue
    const [first, below] = name.split('.') as [string, string?]
    if (below === undefined) {
      if (value[first] === undefined) value[first] = cell
    } else {
      const before = value[first]
      value[first] = { ...(isObj(before) ? before : {}), [below]: cell }
    }
  }
  return { value, left }
}
