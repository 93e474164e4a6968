/**
 * Times as tables for people have them. Consoles write them in the language of the browser, PowerShell in that of the machine, so a date with slashes is read only
 * where it names one day: `11/10/2026` is the tenth of November in one country and the eleventh of October in the next.
 */
import type { Value } from '../read.ts'

const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?`
/** `11/10/2026, 10:00:00.000 AM`: how a browser set to American English writes a time. The comma and the capitals together are written by no other English. */
const AMERICAN = new RegExp(String.raw`^(\d{1,2})/(\d{1,2})/(\d{4}), ${CLOCK} ?(AM|PM)$`)
/** The same numbers by somebody whose country is not known. */
const SOMEWHERE = new RegExp(String.raw`^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}),? ${CLOCK}(?: ?([AaPp])\.?[Mm]\.?)?$`)
/** `November 10, 2026, 10:00:00 (UTC+01:00)` of AWS's console, `Nov 10, 2026 10:00:00 AM` of Defender's portal: a month in words makes it one day. */
const IN_WORDS = new RegExp(String.raw`^([A-Z][a-z]{2,8}) (\d{1,2}), (\d{4}),?(?: at)? ${CLOCK}(?: ?(AM|PM))?(?: ?\(?(?:UTC|GMT)([+-]\d{2}:?\d{2})?\)?)?$`)
const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']

/**
 * A time in UTC as ISO 8601, where the text is one in a form that only tables have; anything else as it is (ISO, epochs and the rest are the normaliser's to read).
 * Where two days fit, or the clock shows no hour that there is, the text stays, to be refused by its value.
 */
export function tableTime(value: Value): Value {
  if (typeof value !== 'string') return value
  const text = value.trim().replaceAll('\u202F', ' ')
  const american = AMERICAN.exec(text)
  if (american) {
    const [, month, day, year, hour, minute, second, fraction, half] = american
    return iso(year!, month!, day!, hour!, minute!, second, fraction, half) ?? value
  }
  const inWords = IN_WORDS.exec(text)
  if (inWords) {
    const [, name, day, year, hour, minute, second, fraction, half, zone] = inWords
    const month = MONTHS.findIndex((one) => one === name!.toLowerCase() || one.slice(0, 3) === name!.toLowerCase()) + 1
    const time = month === 0 ? null : iso(year!, String(month), day!, hour!, minute!, second, fraction, half)
    return time === null ? value : zone === undefined ? time : `${time.slice(0, -1)}${zone}`
  }
  const somewhere = SOMEWHERE.exec(text)
  if (!somewhere) return value
  const [, first, second, year, hour, minute, seconds, fraction, half] = somewhere
  const [one, other] = [Number(first), Number(second)]
  if (one <= 12 && other <= 12 && one !== other) return value
  const [month, day] = one > 12 ? [second!, first!] : [first!, second!]
  return iso(year!, month, day, hour!, minute!, seconds, fraction, half === undefined ? undefined : `${half.toUpperCase()}M`) ?? value
}

function iso(year: string, month: string, day: string, hour: string, minute: string, second = '00', fraction?: string, half?: string): string | null {
  const clock = Number(hour)
  if (half !== undefined && (clock < 1 || clock > 12)) return null
  const hours = half === undefined ? clock : (clock % 12) + (half === 'PM' ? 12 : 0)
  const two = (part: string | number): string => String(part).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)}T${two(hours)}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}Z`
}
