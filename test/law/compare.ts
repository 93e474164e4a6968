/** What two exports differ in, as text for whoever has to find out why. */
const MOST = 6

interface Line {
  readonly type: string
  readonly id: string
  readonly [key: string]: unknown
}

/** Null if both say the same; else the lines that differ, by their fields. `types` restricts both sides. */
export function difference(one: readonly string[], other: readonly string[], types?: readonly string[]): string | null {
  const [left, right] = [keyed(one, types), keyed(other, types)]
  const found: string[] = []
  for (const key of [...new Set([...left.keys(), ...right.keys()])].toSorted()) {
    const [a, b] = [left.get(key), right.get(key)]
    if (a !== b) found.push(`${key}\n${fields(a, b)}`)
  }
  if (found.length === 0) return null
  return `${found.length} lines differ:\n${found.slice(0, MOST).join('\n')}`
}

function keyed(lines: readonly string[], types?: readonly string[]): Map<string, string> {
  const result = new Map<string, string>()
  for (const line of lines) {
    const { type, id } = JSON.parse(line) as Line
    if (types && !types.includes(type)) continue
    const key = `${type} ${id}`
    if (result.has(key)) throw new Error(`two lines are called ${key}`)
    result.set(key, line)
  }
  return result
}

function fields(a: string | undefined, b: string | undefined): string {
  if (a === undefined || b === undefined) return a === undefined ? `  only right: ${b}` : `  only left: ${a}`
  const [left, right] = [JSON.parse(a) as Line, JSON.parse(b) as Line]
  const text = (value: unknown): string => JSON.stringify(value)
  return Object.keys({ ...left, ...right })
    .filter((name) => text(left[name]) !== text(right[name]))
    .map((name) => `  ${name}: ${text(left[name])} | ${text(right[name])}`)
    .join('\n')
}
