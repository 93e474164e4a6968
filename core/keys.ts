/**
 * Branded identifiers. The domain is full of GUIDs that look alike and mean different things (an object id, an application
 * id, a tenant id), and mixing two of them is its commonest bug: here that is a type error.
 */
declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Id of an event: a UUID that is a function of the record's own identity (see `eventId`). */
export type EventId = Branded<'EventId'>
/** Entra tenant id (`tid`), lower case. */
export type TenantId = Branded<'TenantId'>
/** Entra object id (`oid`), lower case. Means something only together with a tenant. */
export type Oid = Branded<'Oid'>
/** Entra application (client) id, lower case. */
export type AppId = Branded<'AppId'>
/** A credential that one hop issues and the next one uses, e.g. `aws:ASIA…`. */
export type CredentialId = Branded<'CredentialId'>

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const GUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const NIL = '00000000-0000-0000-0000-000000000000'

/** Stands for "no tenant is proven" in keys of tables, where null cannot. */
export const NO_TENANT = NIL

/** True for a GUID in any case, the nil GUID excepted (logs print it for "nothing"). */
export function isGuid(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && value !== NIL && GUID.test(value)
}

/** All GUIDs inside a text, lower case, in order of appearance. */
export function guidsIn(text: string): string[] {
  return (text.match(GUIDS) ?? []).map((guid) => guid.toLowerCase())
}

export const tenantId = (value: unknown): TenantId | null => (isGuid(value) ? (value.toLowerCase() as TenantId) : null)
export const oid = (value: unknown): Oid | null => (isGuid(value) ? (value.toLowerCase() as Oid) : null)
export const appId = (value: unknown): AppId | null => (isGuid(value) ? (value.toLowerCase() as AppId) : null)

/**
 * An AWS access key id as a credential, or null when it cannot be one. Placeholder and masked keys (`1111`, `AKIA****`,
 * `SAMPLE…`, AWS's documentation keys) stand on the records of many strangers, so they must never join anything.
 * Real ids are four letters and sixteen of A–Z and 0–9 (published samples with rewritten ids use all digits), never so few different ones.
 */
export function awsCredential(accessKeyId: unknown): CredentialId | null {
  if (typeof accessKeyId !== 'string' || !/^A[SK]IA[A-Z0-9]{16}$/.test(accessKeyId)) return null
  const tail = accessKeyId.slice(4)
  if (tail.endsWith('EXAMPLE') || hasFewCharacters(tail) || /SAMPLE|EXAMPLE|MOCK|FAKE|REDACT|MASK/.test(tail)) return null
  return `aws:${accessKeyId}` as CredentialId
}

/** Fewer than six different ones. Without a Set: nearly every AWS record asks. */
function hasFewCharacters(text: string): boolean {
  let different = 0
  for (let at = 0; at < text.length && different < 6; at++) if (text.indexOf(text[at]!) === at) different++
  return different < 6
}

/**
 * An AWS account id: text of twelve digits. Exporters make numbers of them, and what lies before the first digit that is not 0 is lost: it is put back. A number that was
 * rounded (`1.23E+10` of a spreadsheet) cannot be. Anything else that stands in its place is kept as written.
 */
export function awsAccount(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string' || text === '' || text === 'null' || text === '<null>') return null
  if (/^\d{12}$/.test(text)) return text
  const plain = text.trim()
  const digits = /^(\d{1,12})(?:\.0+)?$/.exec(plain)?.[1] ?? unrounded(plain)
  return digits === null || digits === undefined ? plain : digits.padStart(12, '0')
}

/** The digits of a number in scientific notation that has all of them: `1.2345678901E+10`. */
function unrounded(text: string): string | null {
  const [, first, rest, exponent] = /^(\d)\.(\d{1,11})[eE]\+?(\d{1,2})$/.exec(text) ?? []
  return first !== undefined && rest!.length === Number(exponent) ? first + rest! : null
}
