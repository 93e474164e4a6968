/** The LLM-usage report as the API answers it (DESIGN §5.2). Absent values are null, never left out and never invented. */
import { z } from 'zod'
import { CONFIDENCES, SOURCES } from '#core/event.ts'

const guid = z.string().meta({ format: 'uuid' })
const day = z.string().meta({ format: 'date', description: 'UTC day.' })
// No upper bound is promised: sums of tokens may be larger than a 32-bit number.
const count = z.number().nonnegative()

export const SHARES = ['agent', 'ambiguous', 'unattributed'] as const
const TOKEN_BASES = ['metered', 'asserted', 'none'] as const

const counts = {
  calls: count,
  errors: count.meta({ description: 'Calls that failed; they are among the calls.' }),
  throttles: count.meta({ description: 'Calls that the cloud refused because of too much use at once; they are among the errors.' }),
  inputTokens: count.meta({ description: 'Without cached ones.' }),
  outputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
}

export const UsageRow = z
  .object({
    day: day.nullable().meta({ description: 'Null in rows that add several up; so are the fields below that the report is not grouped by.' }),
    tenantId: guid.nullable(),
    share: z.enum(SHARES),
    agentOid: guid.nullable(),
    confidence: z.enum(CONFIDENCES).nullable(),
    candidates: z.array(guid).meta({ description: 'Of ambiguous use: every agent that could be meant.' }),
    cloud: z.enum(SOURCES).nullable(),
    account: z.string().nullable(),
    region: z.string().nullable().meta({ description: 'The one that was called.' }),
    ranRegion: z
      .string()
      .nullable()
      .meta({ description: 'The one that the cloud handed the call on to (AWS cross-region inference). Null: no log says that the call left `region`.' }),
    model: z.string().nullable().meta({ description: 'Plain name; null where the id is opaque or the log names no model.' }),
    modelId: z.string().nullable().meta({ description: 'As the caller wrote it.' }),
    ...counts,
    tokenBasis: z
      .enum(TOKEN_BASES)
      .nullable()
      .meta({ description: "`metered`: from the cloud's usage log. `none`: no log says how many tokens; they are unknown, not 0." }),
  })
  .meta({ id: 'UsageRow' })
export type UsageRow = z.infer<typeof UsageRow>

/** The counts of a row. */
export type UsageCounts = Pick<UsageRow, keyof typeof counts>

const coverageOf = z.object({
  ...counts,
  meteredCalls: count.meta({ description: 'Calls whose tokens a usage log says.' }),
  callShare: z.number().nullable().meta({ description: 'Of all calls, 0 to 1, six digits; null without calls.' }),
  tokenShare: z.number().nullable().meta({ description: 'Of all known tokens (all four kinds); null without any.' }),
})
export type CoverageOf = z.infer<typeof coverageOf>

const perConfidence = z.object({ exact: coverageOf, derived: coverageOf, probable: coverageOf, asserted: coverageOf, ambiguous: coverageOf, none: coverageOf })

const batchJobs = z.object({ total: count, aws: count, gcp: count })
export type BatchJobs = z.infer<typeof batchJobs>

export const UsageCoverage = z
  .object({
    total: coverageOf,
    byConfidence: perConfidence,
    pendingEvents: count.nullable().meta({
      description:
        'Stored events that no conclusions are drawn from yet: they are not counted. Normally 0; null for callers bound to tenants, who are not told.',
    }),
    batchJobs: batchJobs.meta({
      description:
        'Batch jobs (Bedrock model invocation jobs, Vertex AI and Gemini batch prediction) that were started in the period. What they use is in no log that this report is made from: their calls and tokens are missing here, and unknown.',
    }),
    otherTenants: count.meta({
      description:
        'Calls of the period left out because they belong to another tenant or to none that is proven; 0 unless a tenant is asked for. Never of tenants that the caller may not see.',
    }),
  })
  .meta({ id: 'UsageCoverage', description: 'How sure the report is: part of the number.' })
export type UsageCoverage = z.infer<typeof UsageCoverage>

export const UsageReport = z
  .object({
    period: z.object({
      from: day.nullable().meta({ description: 'First day asked for.' }),
      to: day.nullable().meta({ description: 'The day after the last one asked for.' }),
      firstDay: day.nullable().meta({ description: 'With any calls.' }),
      lastDay: day.nullable(),
    }),
    groupBy: z.array(z.string()),
    rows: z.array(UsageRow).meta({ description: 'Ambiguous and unattributed use always have a row, also when there was none.' }),
    coverage: UsageCoverage,
  })
  .meta({ id: 'UsageReport' })
export type UsageReport = z.infer<typeof UsageReport>
