/** Of a record: when it happened. */
const TIME_FIELDS =
  /"(eventTime|time|createdDateTime|activityDateTime|TimeGenerated|CreatedDateTime|ActivityDateTime|timestamp)":\s?"(\d{4}-\d{2}-\d{2}T[^"]+)"/g

/** The times that a record's text names for itself. */
export function timesIn(text: string): readonly string[] {
  return [...text.matchAll(TIME_FIELDS)].map((match) => match[2]!)
}

/** The text with all of them changed. */
export function setTime(text: string, time: string | ((old: string) => string)): string {
  return text.replaceAll(TIME_FIELDS, (_, field: string, old: string) => `"${field}":"${typeof time === 'string' ? time : time(old)}"`)
}
