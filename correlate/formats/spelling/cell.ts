/**
 * Objects and lists that an exporter wrote into a text: JSON, once or several times encoded, and the forms of Athena (`{a=1, b={c=2}}`), PowerShell (`@{A=1; B=2}`) and
 * Python (`{'a': True}`).
 */
import { parseJson } from '#core/parse-json.ts'
import type { Json } from '#core/record.ts'
import { fold, type Place } from './vocabulary.ts'

const MOST_LAYERS = 4

/** The object or list that the text stands for; undefined where it is none, or where its parts cannot be told apart for certain. */
export function unpack(text: string, place: Place): Json | undefined {
  let inner = text.trim()
  for (let layer = 0; layer < MOST_LAYERS; layer++) {
    const parsed = parse(inner) ?? unescaped(inner) ?? python(inner)
    if (parsed === undefined) break
    if (typeof parsed !== 'string') return parsed !== null && typeof parsed === 'object' ? parsed : undefined
    inner = parsed.trim()
  }
  return struct(inner, place)
}

function parse(text: string): Json | undefined {
  if (!/^[[{"]/.test(text)) return undefined
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** The inside of a JSON string (`{\"a\":1}`) or of a CSV cell (`{""a"":1}`) whose quotes were cut off. */
function unescaped(text: string): Json | undefined {
  if (/^[[{]\s*\\"/.test(text)) return parse(`"${text}"`)
  return /^[[{]\s*""\w/.test(text) ? parse(text.replaceAll('""', '"')) : undefined
}

const PYTHON = /\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|True|False|None|-?\d+(?:\.\d+)?|[{}[\],:])/y
const WORDS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' }

/** What `str()` makes of a dict or a list: pandas and many scripts write cells so. Token by token, so that no quote inside of a text is taken for its end. */
function python(text: string): Json | undefined {
  if (!/^(?:\{|\[\s*\{?)\s*'/.test(text)) return undefined
  let json = ''
  PYTHON.lastIndex = 0
  while (PYTHON.lastIndex < text.length) {
    const token = PYTHON.exec(text)?.[1]
    if (token === undefined) return undefined
    json += token.startsWith("'")
      ? `"${token
          .slice(1, -1)
          .replaceAll("\\'", "'")
          .replaceAll('"', String.raw`\"`)}"`
      : (WORDS[token] ?? token)
  }
  return parse(json)
}

/** Members are known by their names, which stand before `=`. What holds a separator and something like a further name may be two members: refused. */
function struct(text: string, place: Place): Json | undefined {
  const powershell = text.startsWith('@{')
  if (!text.endsWith('}') || !(powershell || text.startsWith('{')) || place.names.size === 0) {
    if (place.items === null) return undefined
    return text.startsWith('[') && text.endsWith(']') ? list(text, place.items) : struct(text, place.items)
  }
  const members: [string, Json][] = []
  const taken = new Set<string>()
  for (const part of split(text.slice(powershell ? 2 : 1, -1), powershell ? ';' : ',')) {
    const [, name, value] = /^\s*([\w@.-]+)=(.*)$/s.exec(part) ?? []
    if (name === undefined || value === undefined) return undefined
    const path = place.others.get(fold(name))
    if (path?.length !== 1 || taken.has(path[0]!)) return undefined
    taken.add(path[0]!)
    const next = place.names.get(path[0]!)!
    if (value === '' || value === 'null') members.push([path[0]!, null])
    else if (next.names.size > 0 || next.items) {
      const inner = unpack(value, next)
      members.push([path[0]!, inner === undefined ? value : inner])
    } else members.push([path[0]!, value])
  }
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

function list(text: string, items: Place): Json | undefined {
  const parts = split(text.slice(1, -1), ',').map((part) => part.trim())
  if (parts.length === 1 && parts[0] === '') return []
  if (items.names.size === 0) return parts
  const found = parts.map((part) => struct(part, items))
  return found.every((item) => item !== undefined) ? found : undefined
}

/** Parts between separators outside of brackets; where a part is no `name=…`, the separator belonged to the value before it. */
function split(text: string, separator: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (char === separator && depth === 0) {
      parts.push(text.slice(from, at))
      from = at + 1
    }
  }
  parts.push(text.slice(from))
  return parts
}
