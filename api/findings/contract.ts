import { z } from 'zod'
import { CONFIDENCES } from '#core/event.ts'
import { SEVERITIES } from '#core/finding.ts'

export const FINDING_STATUSES = ['open', 'acknowledged'] as const

const guid = z.string().meta({ format: 'uuid' })
const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC, nine fraction digits.' })

/** A conclusion with evidence (DESIGN §5.3), as it follows from the records. */
const Concluded = z.object({
  id: guid.meta({ description: 'A function of the rule and of what the finding is about: more evidence does not change it.' }),
  rule: z.string(),
  severity: z.enum(SEVERITIES),
  confidence: z.enum(CONFIDENCES),
  title: z.string(),
  tenantId: guid.nullable(),
  oids: z.array(guid),
  evidence: z.array(guid).meta({ description: 'Ids of the events it rests on, at most 1000; the explanation says how many there are.' }),
  firstSeen: time,
  lastSeen: time,
  explanation: z.string(),
  remediation: z.string(),
  details: z.record(z.string(), z.json()).nullable().meta({ description: 'What was found, for machines; null for rules that say it all in words.' }),
})
export type ConcludedFinding = z.infer<typeof Concluded>

/** Who decided that a finding needs nothing more, and why. */
const Acknowledgement = z.object({
  by: z.string(),
  byName: z.string().nullable(),
  reason: z.string(),
  at: z.string().meta({ format: 'date-time' }),
  evidenceChanged: z.boolean().meta({ description: 'The evidence, the severity or the confidence has changed since.' }),
})

/** A finding with what people decided about it. Decisions are no part of the canonical export: they follow from no record. */
export const Finding = Concluded.extend({
  status: z.enum(FINDING_STATUSES),
  acknowledgement: Acknowledgement.nullable(),
}).meta({ id: 'Finding' })
export type Finding = z.infer<typeof Finding>
