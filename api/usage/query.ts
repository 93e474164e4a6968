/** What can be asked of the LLM-usage report. The CLI parses its options with the same schema. */
import { z } from 'zod'
import { SOURCES } from '#core/event.ts'
import { parseTime } from '#core/time.ts'
import { guid } from '../query.ts'

/** What rows can be told apart by. `agent` includes the candidates of ambiguous use. */
export const DIMENSIONS = ['day', 'tenant', 'agent', 'confidence', 'cloud', 'account', 'region', 'ranRegion', 'model', 'modelId', 'tokenBasis'] as const
export type Dimension = (typeof DIMENSIONS)[number]

const REPORT_FORMATS = ['json', 'csv', 'focus'] as const

const quoted = (text: string): string => JSON.stringify(text.slice(0, 40))

/** A date, or a time at UTC midnight: usage is counted by whole UTC days, so that no finer answer would be true. */
const day = z
  .string()
  .transform((text, context) => {
    const nanos = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
    if (nanos === null) context.addIssue({ code: 'custom', message: `${quoted(text)} is no day: write 2026-09-01` })
    else if (nanos % 86_400_000_000_000n !== 0n)
      context.addIssue({ code: 'custom', message: `${quoted(text)} is no midnight in UTC: usage is counted by UTC days` })
    else return new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 10)
    return z.NEVER
  })
  .meta({ format: 'date', description: 'UTC day.' })

const groupBy = z
  .string()
  .transform((text, context) => {
    const chosen = text.split(',').map((word) => word.trim())
    const wrong = chosen.filter((word) => !(DIMENSIONS as readonly string[]).includes(word))
    if (wrong.length === 0) return DIMENSIONS.filter((word) => chosen.includes(word))
    context.addIssue({ code: 'custom', message: `${quoted(wrong.join(','))} is not one of ${DIMENSIONS.join(', ')}` })
    return z.NEVER
  })
  .meta({
    description: `Adds rows up but for these, comma-separated: ${DIMENSIONS.join(', ')}. The share (agent, ambiguous, unattributed) is always told apart.`,
  })

const cloud = z.enum(SOURCES, { error: (issue) => `${quoted(String(issue.input))} is not one of ${SOURCES.join(', ')}` })

const fields = {
  from: day.optional(),
  to: day.optional().meta({ description: 'The day after the last one.' }),
  tenant: guid.optional(),
  agent: guid.optional().meta({ description: 'Its own use, ambiguous use that it is a candidate for, and all that is unattributed.' }),
  cloud: cloud.optional(),
  groupBy: groupBy.optional(),
}

const inOrder = {
  check: ({ from, to }: { from?: string | undefined; to?: string | undefined }) => from === undefined || to === undefined || from < to,
  params: { path: ['from'], error: 'is not before "to" (the day after the last one)' },
}

export const UsageFilters = z.strictObject(fields).refine(inOrder.check, inOrder.params)
export type UsageFilters = z.output<typeof UsageFilters>

export const UsageQuery = z
  .strictObject({
    ...fields,
    format: z
      .enum(REPORT_FORMATS, { error: (issue) => `${quoted(String(issue.input))} is not offered: the formats are ${REPORT_FORMATS.join(', ')}` })
      .optional(),
  })
  .refine(inOrder.check, inOrder.params)
