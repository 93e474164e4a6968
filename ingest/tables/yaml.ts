/**
 * YAML as command lines print it: `gcloud logging read --format=yaml` (a document an entry), `aws … --output yaml` (a list under a key), `az … --output yaml` (a list).
 * Read document by document and item by item, with memory for one of them.
 *
 * Plain scalars are numbers and truth values only where both YAML 1.1, which the printers follow, and JSON say so: `0123` and `1e5` are texts (PyYAML prints the
 * text "0189" and insert ids like "5e12" without quotes).
 */
import { parseDocument } from 'yaml'
import type { ScalarTag, Tags } from 'yaml'
import type { Json, JsonObject } from '#core/record.ts'
import type { Pieces, Splitter } from '../split/splitter.ts'
import { mayWrap, wrapper } from '../split/wrappers.ts'
import type { TextReader } from '../text-reader.ts'

/** A larger document is refused: records have at most 1 MiB. */
const MAX_DOCUMENT = 4 * 1024 * 1024

/** Members at the top of a record, or of what holds records: two of them make a YAML of ours. A program's settings or a detection rule has none. */
const MARKS =
  /^(?:- |---\s*)?\s{0,2}['"]?(?:insertId|logName|protoPayload|timestamp|receiveTimestamp|eventVersion|eventID|eventName|eventSource|eventTime|userIdentity|CloudTrailEvent|EventId|EventName|createdDateTime|servicePrincipalId|activityDateTime|activityDisplayName|targetResources|schemaType|modelId|requestId)['"]?:(?:\s|$)/gm
const LISTS = /^(?:Events|events|Records|records|entries|value):\s*\n- /m

export const yamlReader: TextReader = {
  fits(head) {
    if (!/^(?:#[^\n]*\n|%[^\n]*\n|\s*\n)*(?:---|- |['"]?[A-Za-z@_][\w@]*['"]?:(?:\s|$))/.test(head)) return false
    const found = new Set(Array.from(head.matchAll(MARKS), ([match]) => match.replace(/^(?:- |---)/, '').trim()))
    return found.size > 1 && (/^(?:---|- )/m.test(head) || LISTS.test(head) || found.size > 2)
  },
  open,
}

const plain = (tag: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag => ({ tag, default: true, test, resolve })
const SCALARS: ScalarTag[] = [
  plain('tag:yaml.org,2002:null', /^(?:~|null)?$/, () => null),
  plain('tag:yaml.org,2002:bool', /^(?:true|false)$/, (text) => text === 'true'),
  // Fifteen digits are exact in a JSON number; longer ones stay the text that they are.
  plain('tag:yaml.org,2002:int', /^-?(?:0|[1-9]\d{0,14})$/, Number),
  plain('tag:yaml.org,2002:float', /^-?(?:0|[1-9]\d{0,14})\.\d{1,15}$/, Number),
]

function parse(text: string): { readonly value: Json } | { readonly fault: string } {
  // An alias repeats what is written elsewhere: command lines print none, and a chain of them fills memory.
  const document = parseDocument(text, { schema: 'failsafe', customTags: (tags: Tags) => [...tags, ...SCALARS], prettyErrors: false, logLevel: 'silent' })
  if (document.errors.length > 0) return { fault: document.errors[0]!.message }
  try {
    return { value: JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 0 }) ?? null)) as Json }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

function open(pieces: Pieces): Splitter {
  let bytes: Buffer = Buffer.alloc(0)
  let line = 0
  let part: { lines: string[]; readonly from: number; size: number; tooLarge: boolean } | null = null
  /** Inside of a list under a key (`Events:`), whose neighbours say nothing of records. */
  let listed = false

  function finish(): void {
    const done = part
    part = null
    const text = done === null ? '' : done.lines.join('\n')
    if (done === null || /^(?:\s*(?:#[^\n]*)?(?:\n|$))*$/.test(text)) return
    if (done.tooLarge) return pieces.rejected(`larger than ${MAX_DOCUMENT} bytes`, text, done.from)
    const parsed = parse(text)
    if ('fault' in parsed) return pieces.rejected(`no YAML: ${parsed.fault}`, text, done.from)
    give(parsed.value, text, done.from)
  }

  function give(value: Json, text: string, from: number, top = true): void {
    if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) give(item, text, from, false)
      return
    }
    if (value === null || typeof value !== 'object') return pieces.rejected('no record: an object belongs here', text, from)
    const object = value as JsonObject
    const keys = Object.keys(object)
    // `Events:` above its items, which come by themselves, and `NextToken: …` below them.
    if (object[keys.at(-1)!] === null && wrapper(keys.at(-1)!, Object.fromEntries(Object.entries(object).slice(0, -1)))) {
      listed = true
      return
    }
    if (listed && top && keys.every((key) => object[key] === null || typeof object[key] !== 'object')) return
    if (mayWrap(object)) {
      const key = keys.find((name) => Array.isArray(object[name]))!
      if (wrapper(key, Object.fromEntries(Object.entries(object).filter(([name]) => name !== key)))) return give(object[key]!, text, from)
    }
    pieces.record(JSON.stringify(object), object, from)
  }

  function take(text: string): void {
    line++
    const marker = /^---(?:\s|$)/.test(text)
    const item = /^- |^-$/.test(text)
    const inItem = part !== null && /^-(?: |$)/.test(part.lines[0]!)
    // In column 0 begins a document, an item, or what follows a list.
    if (marker || item || (inItem && /^[^\s#-]/.test(text)) || /^\.\.\.\s*$/.test(text)) finish()
    if (marker) listed = false
    const rest = marker ? text.slice(3).trim() : /^\.\.\.\s*$/.test(text) ? '' : text
    if (part === null && rest.trim() === '') return
    part ??= { lines: [], from: line, size: 0, tooLarge: false }
    part.size += rest.length
    if (part.size > MAX_DOCUMENT) part.tooLarge = true
    else part.lines.push(rest)
  }

  return {
    write(chunk) {
      const before = bytes.length
      bytes = before === 0 ? Buffer.from(chunk) : Buffer.concat([bytes, chunk])
      let start = 0
      for (let end = bytes.indexOf(10, before); end >= 0; end = bytes.indexOf(10, start)) {
        take(textOf(bytes.subarray(start, end)))
        start = end + 1
      }
      bytes = bytes.subarray(start)
      if (bytes.length > MAX_DOCUMENT) {
        take(textOf(bytes))
        line--
        bytes = Buffer.alloc(0)
      }
    },
    end() {
      if (bytes.length > 0) take(textOf(bytes))
      finish()
    },
  }
}

function textOf(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/\r$/, '')
}
