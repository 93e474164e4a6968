/** The findings of the period, for the report. Pure. */
import type { Finding } from '#api/findings/contract.ts'
import { SEVERITIES } from '#core/finding.ts'
import { cell, empty, heading, text } from './blocks.ts'
import type { Block, Cell, Line } from './blocks.ts'
import type { ReportData } from './report-data.ts'
import { whole } from './numbers.ts'
import { CERTAINTIES } from './words.ts'

/** Findings shown, the gravest first; the command at the end of the report prints all. */
const SHOWN = 200
/** Principals named in one cell. */
const SHOWN_OIDS = 5

const COLOURS: Readonly<Record<Finding['severity'], string>> = { critical: '#8f1d1d', high: '#c8452f', medium: '#e0912f', low: '#d9c76a', info: '#b9c2c8' }
const gravity = (finding: Finding): number => -SEVERITIES.indexOf(finding.severity)

/** What was found in the period: a sentence with the numbers, and a table. */
export function findingsSection(data: ReportData): Block[] {
  const { findings } = data
  const sorted = findings.toSorted((a, b) => gravity(a) - gravity(b) || (a.lastSeen === b.lastSeen ? (a.id < b.id ? -1 : 1) : a.lastSeen > b.lastSeen ? -1 : 1))
  const counts = SEVERITIES.toReversed().flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count === 0 ? [] : [`${whole(count)} ${severity}`]
  })
  return [
    heading('Findings of the period'),
    text(
      `Weak points and signs of abuse whose evidence, from its first to its last record, touches the period${data.scope.agent === null ? '' : ' and that name the agent'}. They are about all clouds and about everything that agents do, not only about their use of models.${
        counts.length === 0 ? '' : ` There are ${whole(findings.length)}: ${counts.join(', ')}.`
      }`,
    ),
    ...(sorted.length === 0
      ? [empty('None. That is no proof that all is well: it depends on which logs were imported.')]
      : [
          {
            block: 'table',
            heads: [
              { text: 'Severity' },
              { text: 'What was found, and what to do', wide: true },
              { text: 'Whom it is about', percent: 24 },
              { text: 'First and last seen (UTC)' },
            ],
            rows: sorted.slice(0, SHOWN).map((finding) => lineOf(data, finding)),
            foot: null,
          } as const,
        ]),
    ...(sorted.length > SHOWN ? [text(`${whole(sorted.length - SHOWN)} more findings, none of them graver, are not shown.`, 'soft')] : []),
  ]
}

function lineOf(data: ReportData, finding: Finding): readonly Cell[] {
  const shown = finding.oids.slice(0, SHOWN_OIDS).flatMap((oid): readonly Line[] => {
    const name = data.nameOf(finding.tenantId, oid)
    return name === null ? [{ text: oid, as: 'id' }] : [{ text: name }, { text: oid, as: 'id' }]
  })
  const more = finding.oids.length - SHOWN_OIDS
  const moment = (time: string): string => time.slice(0, 16).replace('T', ' ')
  return [
    {
      ...cell({ text: finding.severity, as: 'strong' }, { text: CERTAINTIES[finding.confidence].name.toLowerCase(), as: 'sub' }),
      whole: true,
      swatch: COLOURS[finding.severity],
    },
    cell({ text: finding.title, as: 'strong' }, { text: finding.rule, as: 'id' }, finding.explanation, { text: finding.remediation, as: 'soft' }),
    finding.oids.length === 0 ? cell('–') : cell(...shown, ...(more > 0 ? [{ text: `and ${more} more`, as: 'soft' } as const] : [])),
    { ...cell(moment(finding.firstSeen), moment(finding.lastSeen)), whole: true },
  ]
}
