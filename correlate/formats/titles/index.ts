/**
 * Rows of tables that are made for people: titles with blanks (`Date (UTC)`, `Event name`), times with their zone in the title (`TimeGenerated [UTC]`), columns numbered.
 * Asked only about records that no format knows as they stand, so records as clouds write them pay nothing for it.
 */
import { titleKey } from '#core/column-titles.ts'
import type { Json, JsonObject } from '#core/record.ts'
import type { Told } from './cells.ts'
import { cellsIn } from './cells.ts'
import { auditRow, signinRow } from './entra.ts'
import { historyRow } from './history.ts'
import { tableTime } from './time.ts'

/** What the row stands for; null when it is no such row. */
export function fromTitles(value: JsonObject): Told | null {
  const cells = cellsIn(value)
  return signinRow(cells) ?? auditRow(cells) ?? historyRow(cells) ?? zonedRow(value)
}

/** Columns that hold times, beside those that say so by their zone. */
const TIMES = /^(?:timegenerated|createddatetime|activitydatetime|eventtime|timestamp|time)$/

/** A row with the cloud's own columns, except that titles name a zone or times are written as in a browser; null when it has neither. */
function zonedRow(value: JsonObject): Told | null {
  const row: Record<string, Json> = {}
  let changed = false
  for (const [title, cell] of Object.entries(value)) {
    const [, name, zone] = /^(.*\S)\s*\[([^\]]+)\]$/.exec(title) ?? []
    const isTime = zone !== undefined || TIMES.test(titleKey(title))
    const time = isTime ? tableTime(cell) : cell
    if (zone !== undefined && !/^(?:UTC|GMT|Z)$/i.test(zone) && TIMES.test(titleKey(title)))
      return { reject: `the times of this table are in a zone that is not UTC (${title}): set the portal to UTC and export it again` }
    if (zone !== undefined || time !== cell) changed = true
    if (cell !== undefined) Object.defineProperty(row, name ?? title, { value: time, enumerable: true, configurable: true, writable: true })
  }
  return changed ? { value: row, left: [] } : null
}
