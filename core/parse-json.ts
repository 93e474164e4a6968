import { skipSpace, stringEnd, valueEnd } from './json-text.ts'
import type { Json } from './record.ts'

/**
 * The value of a JSON text, as `JSON.parse` should give it; records and what they carry are read with it, never with `JSON.parse`.
 *
 * V8's parser takes a key with an escape for a key that it has seen before when the older one ends where the escape begins: after `{"h":[],"\\":0}`, the key of
 * `{"h":1,"\"":2}` is read as `\` (https://github.com/nodejs/node/issues/63785; Node 24.21 and 26.5 do it, 20 does not). Other keys and all values are right, so a
 * text without an escape in a key goes its fast way, and the others are read member by member.
 *
 * @throws SyntaxError as `JSON.parse` does.
 */
export function parseJson(text: string): Json {
  const value = JSON.parse(text) as Json
  return hasEscapedKey(text) ? reread(text) : value
}

/** Backslashes stand only inside of strings; a string that a colon follows is a key. `text` is valid JSON. */
function hasEscapedKey(text: string): boolean {
  let at = text.indexOf('\\')
  while (at >= 0) {
    // The backslash stands where the quote of the string would: what is skipped first is what it escapes.
    const end = stringEnd(text, at - 1)
    if (text.charCodeAt(skipSpace(text, end)) === 58) return true
    at = text.indexOf('\\', end)
  }
  return false
}

/** Without recursion: V8 takes any depth. `text` is valid JSON. */
function reread(text: string): Json {
  const open: (Json[] | Record<string, Json>)[] = []
  let key = ''
  let at = skipSpace(text, 0)
  for (;;) {
    const code = text.charCodeAt(at)
    let value: Json | undefined
    if (code === 123 || code === 91) {
      open.push(code === 91 ? [] : {})
      put(open.at(-2), key, open.at(-1)!)
      at = skipSpace(text, at + 1)
    } else {
      const end = valueEnd(text, at)
      value = JSON.parse(text.slice(at, end)) as Json
      put(open.at(-1), key, value)
      at = skipSpace(text, end)
    }
    // What is complete is left, up to the next value.
    for (;;) {
      const container = open.at(-1)
      if (container === undefined) return value!
      const next = text.charCodeAt(at)
      if (next === 125 || next === 93) {
        value = open.pop()
        at = skipSpace(text, at + 1)
        continue
      }
      if (next === 44) at = skipSpace(text, at + 1)
      if (!Array.isArray(container)) {
        const end = stringEnd(text, at)
        key = JSON.parse(text.slice(at, end)) as string
        at = skipSpace(text, skipSpace(text, end) + 1)
      }
      break
    }
  }
}

function put(container: Json[] | Record<string, Json> | undefined, key: string, value: Json): void {
  if (container === undefined) return
  if (Array.isArray(container)) container.push(value)
  // `__proto__` is a key like others in JSON; an assignment would set the prototype.
  else Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true })
}

/** What is wrong with a text, in the parser's words without those of the text: a reason is shown where the text may not be. */
export function jsonFault(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  return words.replace(/,? ?(?:\.\.\.)?".*$/s, '').trim() || 'a word that JSON does not know'
}
