import type { TimelineItem } from '../contract.ts'
import { toItem } from '../read-models/item.ts'
import type { TimelineRow } from '../read-models/timeline.ts'

/** What exports write: a timeline item with what other tools have a place for beside. */
export interface ExportItem extends TimelineItem {
  /** `uti` of an issued or validated token. */
  readonly tokenId: string | null
}

/** The export item of one stored row. */
export const toExportItem = (row: TimelineRow): ExportItem => ({ ...toItem(row, row.role), tokenId: row.token_id })

/** Text from logs in one line: control characters would break a line, a terminal or a field. */
// oxlint-disable-next-line no-control-regex
export const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')

/** Service and operation of an action as `core/event.ts` writes it: `bedrock:Converse`, `sts.googleapis.com:ExchangeToken`. */
export function splitAction(action: string): { readonly service: string | null; readonly operation: string } {
  const colon = action.indexOf(':')
  return colon > 0 ? { service: action.slice(0, colon), operation: action.slice(colon + 1) || action } : { service: null, operation: action }
}

/** One sentence about an item, for tools that show a message. */
export function sentence(item: ExportItem): string {
  const { confidence, candidates } = item.attribution
  const who =
    item.agentOid !== null
      ? `agent ${item.agentOid} (${confidence})`
      : confidence === 'ambiguous'
        ? `one of ${candidates.length} agents (ambiguous)`
        : item.subjectOid !== null
          ? `subject ${item.subjectOid} (no agent proven)`
          : item.cloud.principal === null
            ? 'nobody proven'
            : `${item.cloud.principal} (no oid proven)`
  const parts = [
    `${item.action.startsWith(`${item.source}:`) ? '' : `${item.source} `}${item.action} ${item.outcome === 'unknown' ? '(outcome not said)' : item.outcome}`,
    item.error && `(${item.error.code})`,
    `by ${who}`,
    item.model && `with ${item.model.name ?? item.model.id}`,
    item.resource !== null && item.model === null && `on ${item.resource}`,
    item.sourceIp !== null && `from ${item.sourceIp}`,
  ]
  return oneLine(parts.filter(Boolean).join(' '))
}
