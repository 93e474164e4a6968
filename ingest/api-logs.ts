/**
 * Access logs of the operator's own APIs in words of their own: the configuration says which lines they are and what their members mean (`apiLogs:`,
 * docs/configuration.md). A line becomes a record with trailjoin's words for them and the line itself, as it was written, under `logged`: so everything behind
 * (Kafka, the store, evidence) sees one self-contained text, and what it means does not depend on a configuration that is not at hand any more.
 */
import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject, RawRecord } from '#core/record.ts'
import type { RecordSink } from '#core/sink.ts'
import { formatTime, parseTime } from '#core/time.ts'

/** What a field of a line may mean: the words of the format `api-access`. */
export const API_LOG_FIELDS = [
  ...(['time', 'api', 'requestId', 'method', 'path', 'status', 'sourceIp', 'userAgent', 'tid', 'oid', 'appid', 'azp', 'aud', 'idtyp', 'scp', 'uti'] as const),
  'xms_par_app_azp',
] as const
type ApiLogField = (typeof API_LOG_FIELDS)[number]

/** How the lines write their time; without it every form is read that names one instant. */
export const TIME_FORMS = ['iso', 'epoch-seconds', 'epoch-milliseconds', 'epoch-microseconds', 'epoch-nanoseconds', 'clf'] as const
type TimeForm = (typeof TIME_FORMS)[number]

export interface ApiLog {
  readonly name: string
  /** Members that a line of this log has, by their path: this value, or any where it is true. */
  readonly when: Readonly<Record<string, string | number | boolean>>
  /** The member that a field stands in, by its path. */
  readonly fields: Readonly<Partial<Record<ApiLogField, string>>>
  /** The API's name and its tenant, where the lines do not say them. */
  readonly api?: string | undefined
  readonly tenantId?: string | undefined
  readonly timeForm?: TimeForm | undefined
  /** Of times that name no zone, as `+01:00`; UTC without it. */
  readonly zone?: string | undefined
}

export interface ApiLogs {
  readonly matches: (value: JsonObject) => boolean
  /** The record in trailjoin's words; the same record where it is of none of these logs. */
  readonly translate: (record: RawRecord) => RawRecord
}

/** @param logs the first that a line fits is meant */
export function apiLogs(logs: readonly ApiLog[]): ApiLogs {
  const logOf = (value: JsonObject): ApiLog | undefined =>
    value['apiLog'] === undefined ? logs.find(({ when }) => Object.entries(when).every(([path, wanted]) => fits(memberAt(value, path), wanted))) : undefined
  return {
    matches: (value) => logOf(value) !== undefined,
    translate: (record) => {
      const log = logOf(record.value)
      return log === undefined ? record : translated(record, log)
    },
  }
}

/** A sink that hands lines of these logs on in trailjoin's words. */
export function translatingSink(sink: RecordSink, { matches, translate }: ApiLogs): RecordSink {
  return { ...sink, knows: (value) => sink.knows(value) || matches(value), deliver: (records, rejections) => sink.deliver(records.map(translate), rejections) }
}

function fits(member: Json | undefined, wanted: string | number | boolean): boolean {
  if (wanted === true) return member !== undefined && member !== null && member !== false
  return typeof member === 'object' ? false : String(member) === String(wanted)
}

/** The member at a path. A key with dots of its own (`http.method`) is found, too. */
function memberAt(value: Json | undefined, path: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const object = value as JsonObject
  if (Object.hasOwn(object, path)) return object[path]
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot)
    const found = Object.hasOwn(object, head) ? memberAt(object[head], path.slice(dot + 1)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function translated(record: RawRecord, log: ApiLog): RawRecord {
  const said: Record<string, Json> = { apiLog: log.name }
  if (log.api !== undefined) said['api'] = log.api
  if (log.tenantId !== undefined) said['tid'] = log.tenantId
  for (const [field, path] of Object.entries(log.fields)) {
    const member = memberAt(record.value, path)
    if (member !== undefined && member !== null && member !== '') said[field] = field === 'time' ? timeOf(member, log) : member
  }
  const words = JSON.stringify(said)
  const text = `${words.slice(0, -1)},"logged":${record.text}}`
  return { ...record, text, value: parseJson(text) as JsonObject, masked: record.masked.map((pointer) => `/logged${pointer}`) }
}

const UNIT: Readonly<Record<string, bigint>> = {
  'epoch-seconds': 1_000_000_000n,
  'epoch-milliseconds': 1_000_000n,
  'epoch-microseconds': 1000n,
  'epoch-nanoseconds': 1n,
}
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** In ISO 8601 where it is a time of the log's form; as written where it is not, to be refused by its value. */
function timeOf(member: Json, { timeForm, zone }: ApiLog): Json {
  const text = typeof member === 'number' || typeof member === 'string' ? String(member).trim() : ''
  if (timeForm === undefined || timeForm === 'iso') return zone !== undefined && /^\d{4}-\d{2}-\d{2}[T ][\d:.,]+$/.test(text) ? `${text}${zone}` : member
  if (timeForm === 'clf') {
    const [, day, month, year, clock, offset] = /^\[?(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2})(?: ([+-]\d{4}))?\]?$/.exec(text) ?? []
    const number = MONTHS.indexOf(month ?? '') + 1
    const iso = `${year}-${String(number).padStart(2, '0')}-${day}T${clock}${offset ?? zone ?? 'Z'}`
    return number > 0 && parseTime(iso) !== null ? iso : `not clf: ${text}`
  }
  const [, whole, fraction = ''] = /^(\d{1,19})(?:\.(\d{1,9}))?$/.exec(text) ?? []
  if (whole === undefined) return `not ${timeForm}: ${text}`
  const unit = UNIT[timeForm]!
  return formatTime(BigInt(whole) * unit + (BigInt(fraction.padEnd(9, '0')) * unit) / 1_000_000_000n)
}
