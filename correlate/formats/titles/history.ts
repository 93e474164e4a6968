/** Rows of CloudTrail's event history as the console hands them out. They name neither account nor caller beside an access key: what a row cannot prove stays away. */
import { EVENT_HISTORY_TITLES } from '#core/column-titles.ts'
import type { Cells, Told } from './cells.ts'
import { renamed } from './cells.ts'
import { tableTime } from './time.ts'

export function historyRow(cells: Cells): Told | null {
  if (
    !cells.has('eventname') ||
    !cells.has('eventsource') ||
    !(cells.has('awsaccesskey') || cells.has('username')) ||
    cells.has('useridentity') ||
    cells.has('eventversion')
  )
    return null
  const { value, left } = renamed(cells, EVENT_HISTORY_TITLES)
  return { left, value: { ...value, eventTime: tableTime(value['eventTime']) } }
}
