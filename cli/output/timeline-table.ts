/** The timeline in a terminal: one line an event. */
import type { Confidence } from '#core/event.ts'
import type { TimelineItem } from '#api/contract.ts'
import type { Column } from './table.ts'

const CONFIDENCE_STYLES: Readonly<Record<Confidence, 'green' | 'cyan' | 'yellow' | 'magenta' | 'dim'>> = {
  exact: 'green',
  derived: 'cyan',
  probable: 'yellow',
  asserted: 'yellow',
  ambiguous: 'magenta',
  none: 'dim',
}

/** Columns that fill the given width; 120 characters are enough for all that matters, more shows more. */
export function timelineColumns(width: number): readonly Column<TimelineItem>[] {
  const fixed = 23 + 6 + 17 + 7 + 17
  const where = width >= 150 ? 24 : 0
  const spare = Math.max(44, width - fixed - (where > 0 ? 7 : 6))
  const action = Math.floor((spare - where) * 0.45) + 1
  return [
    { title: 'time (UTC)', width: 23, text: (item) => item.time.slice(0, 23).replace('T', ' ') },
    { title: 'source', width: 6, text: (item) => item.source },
    { title: 'kind', width: 17, text: (item) => item.kind },
    { title: 'action', width: action, text: actionText },
    {
      title: 'result',
      width: 7,
      text: (item) => (item.outcome === 'success' ? 'ok' : item.outcome === 'unknown' ? '–' : (item.error?.code ?? 'failed')),
      style: (item) => (item.outcome === 'failure' ? 'red' : null),
    },
    { title: 'agent', width: 17, text: attributionText, style: (item) => CONFIDENCE_STYLES[item.attribution.confidence] },
    {
      title: where > 0 ? 'tokens, model / resource' : 'model / resource, where',
      width: spare - where - action,
      text: (item) => modelText(item) || resourceText(item) || (where > 0 ? '' : whereText(item)),
    },
    ...(where > 0 ? [{ title: 'where', width: where, text: whereText }] : []),
  ]
}

// What the column beside it says already is left out; the other formats have the whole name.
function actionText({ action, role }: TimelineItem): string {
  return `${role === 'target' ? '→ ' : ''}${action
    .replace(/^entra:/, '')
    .replace('.googleapis.com', '')
    .replace('.amazonaws.com', '')}`
}

function attributionText({ attribution, agentOid, subjectOid }: TimelineItem): string {
  if (attribution.confidence === 'ambiguous') return `one of ${attribution.candidates.length} agents`
  if (agentOid !== null) return `${attribution.confidence} ${agentOid.slice(0, 8)}`
  return subjectOid === null ? attribution.confidence : `subject ${subjectOid.slice(0, 8)}`
}

function modelText({ model, usage }: TimelineItem): string {
  if (model === null) return ''
  const tokens = usage === null ? '' : `${usage.inputTokens ?? '?'}→${usage.outputTokens ?? '?'} `
  return `${tokens}${model.name ?? model.id}`
}

// The end tells resources apart; the other formats have the whole name.
function resourceText({ resource }: TimelineItem): string {
  if (resource === null) return ''
  return resource.replace(/^arn:[^:]*:/, '').replace(/^(?:projects|organizations|folders)\/[^/]+\//, '')
}

function whereText({ cloud, sourceIp }: TimelineItem): string {
  const place = [cloud.account, cloud.region].filter((part) => part !== null).join(' ')
  return place || (sourceIp ?? '')
}
