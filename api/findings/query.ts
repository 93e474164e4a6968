import { z } from 'zod'
import { SEVERITIES } from '#core/finding.ts'
import { FINDING_STATUSES } from './contract.ts'
import { decodeCursor } from '../cursor.ts'
import { guid, inOrder, instant, limit, list } from '../query.ts'

/** The place of a finding in the list: by its last event, then its id. */
export interface FindingPosition {
  readonly lastNs: bigint
  readonly id: string
}

/** @returns the position, or null when the text is no cursor that a page of findings gave out. */
export function decodeFindingCursor(text: string): FindingPosition | null {
  const [lastNs, id, ...rest] = decodeCursor(text) ?? []
  if (rest.length > 0 || lastNs === undefined || id === undefined || !/^-?\d{1,19}$/.test(lastNs) || !guid.safeParse(id).success) return null
  const nanos = BigInt(lastNs)
  return BigInt.asIntN(64, nanos) === nanos ? { lastNs: nanos, id } : null
}

const cursor = z.string().transform((value, context) => {
  const position = decodeFindingCursor(value)
  if (position) return position
  context.addIssue({ code: 'custom', message: 'is no cursor that this API gave out' })
  return z.NEVER
})

const fields = {
  rule: z
    .string()
    .regex(/^[a-z0-9-]+(,[a-z0-9-]+)*$/, 'is no list of rule names, like "audience-trap,sami-anchor"')
    .transform((text) => text.split(','))
    .meta({ description: 'One or several rules, comma-separated.' })
    .optional(),
  severity: list(SEVERITIES).optional(),
  status: list(FINDING_STATUSES).optional(),
  oid: guid.meta({ description: 'Only findings that name this oid.' }).optional(),
  tenant: guid.optional(),
  from: instant.optional(),
  to: instant.optional(),
}

/** The filters of a list of findings; one whose first to last event touches the period counts. */
export const FindingFilters = z.strictObject(fields).refine(inOrder.check, inOrder.params)
export type FindingFilters = z.output<typeof FindingFilters>

/** Forms that other programs read. A page in them has the header `Link` with `rel="next"` where there is more. */
const FINDING_FORMATS = ['json', 'sarif', 'ocsf'] as const

export const FindingsQuery = z
  .strictObject({ ...fields, format: z.enum(FINDING_FORMATS).optional(), limit: limit.optional(), cursor: cursor.optional() })
  .refine(inOrder.check, inOrder.params)
