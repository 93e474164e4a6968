import { z } from 'zod'
import { CONFIDENCES } from '#core/event.ts'
import { SEVERITIES } from '#core/finding.ts'

const guid = z.string().meta({ format: 'uuid' })
const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC, nine fraction digits.' })

/** A conclusion with evidence (DESIGN §5.3). */
export const Finding = z
  .object({
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
  })
  .meta({ id: 'Finding' })
export type Finding = z.infer<typeof Finding>
