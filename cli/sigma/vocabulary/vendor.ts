/** What vocabularies over the cloud's own records have in common. */
import type { JsonObject } from '#core/record.ts'
import { linkedReader } from './trailjoin.ts'
import { texts } from './record-path.ts'
import type { Reader, Value, Vocabulary } from './vocabulary.ts'

type Given = Pick<Vocabulary, 'name' | 'sources' | 'formats'> & Partial<Pick<Vocabulary, 'note' | 'hopeless'>> & { readonly reader: (name: string) => Reader }

/** Conclusions about the event stand beside the members of its record under this prefix: `trailjoin.agentOid`. */
const LINKED = 'trailjoin.'

export const vendor = ({ reader, note = null, hopeless = () => null, ...given }: Given): Vocabulary => ({
  ...given,
  note,
  hopeless,
  reader: (name, place) => (name.startsWith(LINKED) ? linkedReader(name.slice(LINKED.length), place) : reader(name)),
  texts: (event) => texts(event.record?.()),
  emptyIsAbsent: true,
})

/** A field that is read from the record. */
export const recordReader = (name: string, read: (record: JsonObject) => readonly Value[]): Reader => ({
  name,
  linked: [],
  fromRecord: true,
  read: (event) => {
    const record = event.record?.() ?? null
    const found = record === null ? [] : read(record)
    return found.length === 0 ? [null] : found
  },
})
