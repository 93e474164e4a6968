/** What the fields of a rule mean: those of a linked event, or those of the cloud's own record. The rule's logsource says which. */
import type { Source } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import type { Place } from '../fault.ts'
import type { FieldName, FieldValue } from '../fields.ts'

/** A linked event as rules see it. */
export interface SigmaEvent {
  readonly id: string
  readonly timeNs: bigint
  readonly tenantId: string | null
  readonly field: (name: FieldName) => FieldValue
  /** Format of the record behind it (a folder of `correlate/formats/`). */
  readonly format?: string
  /** The record itself, as it is stored; null where it cannot be read. It is unpacked when it is asked for first. */
  readonly record?: () => JsonObject | null
}

/** A value that a test looks at. Booleans of a record are `true` and `false`, objects are their JSON text. */
export type Value = string | number | null

/** One field of a rule. */
export interface Reader {
  /** As the rule writes it. */
  readonly name: string
  /** All values that the event has of it; `[null]` where it has none. */
  readonly read: (event: SigmaEvent) => readonly Value[]
  /** Fields of the linked event that it reads. */
  readonly linked: readonly FieldName[]
  /** It reads the record: costs more than a field of the linked event. */
  readonly fromRecord: boolean
}

export interface Vocabulary {
  /** As the logsource says: `trailjoin`, `aws/cloudtrail`. */
  readonly name: string
  /** Events of these sources only; null for all. */
  readonly sources: readonly Source[] | null
  /** Events of records of these formats only; null for all. */
  readonly formats: readonly string[] | null
  /** What rules for this logsource cannot see here, for people; null for nothing. */
  readonly note: string | null
  /** @throws SigmaError for a field that there is not */
  readonly reader: (name: string, place: Place) => Reader
  /** All texts of an event, for keywords without a field; null where events are no text. */
  readonly texts: ((event: SigmaEvent) => Iterable<string>) | null
  /** An empty text stands for a value that is not there, too: the tables of log stores know no difference. */
  readonly emptyIsAbsent: boolean
  /** Why rules with this value can match nothing; null where they can. */
  readonly hopeless: (value: string) => string | null
}

/** Whether the rule of this vocabulary looks at the event at all. */
export function covers({ sources, formats }: Vocabulary, event: SigmaEvent): boolean {
  if (formats !== null) return event.format !== undefined && formats.includes(event.format)
  return sources === null || sources.includes(event.field('source') as Source)
}
