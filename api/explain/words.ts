/** Names and numbers as explanations write them. Text from logs is quoted and cut: a caller may have chosen it. */
import type { Source } from '#core/event.ts'
import type { KnownDirectory } from '../read-models/directory.ts'

const CLOUDS: Readonly<Record<Source, string>> = { entra: 'Entra', aws: 'AWS', gcp: 'Google Cloud', app: 'your own API' }
export const cloudName = (source: Source): string => CLOUDS[source]

const KINDS = {
  agent: 'Agent Identity',
  blueprint: 'Blueprint principal',
  'managed-identity': 'managed identity',
  'service-principal': 'service principal',
  user: 'user',
} as const

/** `the managed identity mi-books (da11…)`; the kind and name only as far as records say. */
export function naming(directory: KnownDirectory): (tenantId: string | null, oid: string) => string {
  return (tenantId, oid) => {
    const known = tenantId === null ? undefined : directory.find(tenantId, oid)
    const kind = known?.kind ? KINDS[known.kind] : 'the oid'
    const name = known?.names[0]
    return `${kind === 'the oid' ? '' : 'the '}${kind}${name === undefined ? '' : ` ${quoted(name)}`} ${name === undefined ? oid : `(${oid})`}`
  }
}

/** Text of a log in quotation marks, at most 200 characters. */
export function quoted(text: string): string {
  return `"${text.length > 200 ? `${text.slice(0, 199)}…` : text}"`
}

/** `a, b and c`; more than `most` are counted. */
export function listed(parts: readonly string[], most = 12): string {
  const shown = parts.length > most ? [...parts.slice(0, most), `${parts.length - most} more`] : parts
  return shown.length < 2 ? (shown[0] ?? 'none') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}

/** To the second, as people read it. */
export const moment = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`

/** `2 h 11 min`, from two ISO times. */
export function between(from: string, to: string): string {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000)
  if (seconds < 1) return 'less than a second'
  if (seconds < 120) return counted(seconds, 'second')
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** An AWS key without the prefix that the store gives it; null for credentials that are no keys. */
export const keyId = (credential: string | null): string | null => (credential?.startsWith('aws:') ? credential.slice(4) : null)
