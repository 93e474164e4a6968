/** `product: trailjoin`: the fields of linked events (docs/sigma.md lists them). */
import { SOURCES, type Source } from '#core/event.ts'
import { type Place, refuse } from '../fault.ts'
import { type FieldName, FIELDS, type FieldValue, isField } from '../fields.ts'
import type { Reader, Value, Vocabulary } from './vocabulary.ts'

/** The vocabulary of one source, or of all. */
export const trailjoin = (source: Source | null): Vocabulary => ({
  name: source === null ? 'trailjoin' : `trailjoin/${source}`,
  sources: source === null ? null : [source],
  formats: null,
  note: null,
  reader: linkedReader,
  texts: null,
  emptyIsAbsent: false,
  hopeless: () => null,
})

export const isSource = (name: unknown): name is Source => (SOURCES as readonly unknown[]).includes(name)

/** @throws SigmaError for a field that linked events do not have */
export function linkedReader(name: string, place: Place): Reader {
  const field = isField(name) ? name : unknownField(name, place)
  return { name, read: (event) => elements(event.field(field)), linked: [field], fromRecord: false }
}

function unknownField(name: string, place: Place): FieldName {
  const near = FIELDS.find((field) => field.toLowerCase() === name.toLowerCase().replaceAll(/[_.-]/g, ''))
  return refuse(place, `linked events have no field "${name}"${near ? `: do you mean ${near}?` : `. They have ${FIELDS.join(', ')}`}`)
}

/** An empty list is nothing, as null is. */
function elements(value: FieldValue): readonly Value[] {
  if (!Array.isArray(value)) return [value as Value]
  return value.length === 0 ? [null] : (value as readonly string[])
}
