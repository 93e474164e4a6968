import { z } from 'zod'
import { CONFIDENCES } from '#core/event.ts'
import { EventDetail, OidInfo } from '../contract.ts'
import { FIELDS } from './identify.ts'

const guid = z.string().meta({ format: 'uuid' })
const time = z.string().meta({ format: 'date-time' })
const count = z.int().nonnegative()

/** An event without the parts that only its own page shows. */
const Sample = z
  .object(EventDetail.shape)
  .pick({ id: true, time: true, source: true, kind: true, action: true, outcome: true, tenantId: true, subjectOid: true, agentOid: true })

const Occurrence = z.object({
  field: z.enum(FIELDS).meta({ description: 'Where the events bear it; `credential`: used or issued there; `record`: anywhere inside of the record.' }),
  match: z.enum(['exact', 'prefix', 'within']).meta({ description: '`prefix`: sessions of a role; `within`: the record names it, or something below it.' }),
  events: count,
  atLeast: z.boolean().meta({ description: 'True when there are more than were counted.' }),
  firstSeen: time.nullable().meta({ description: 'Null where only the latest were counted.' }),
  lastSeen: time,
  principals: z
    .array(z.object({ tenantId: guid.nullable(), subjectOid: guid.nullable(), agentOid: guid.nullable(), confidence: z.enum(CONFIDENCES), events: count }))
    .meta({ description: 'Whom the counted events are attributed to, the most events first; at most 20.' }),
  morePrincipals: count.meta({ description: 'Others of these that are not listed.' }),
  sample: z.array(Sample).meta({ description: 'The latest.' }),
})
export type Occurrence = z.infer<typeof Occurrence>

export const Resolution = z
  .object({
    query: z.string(),
    looksLike: z.array(z.string()).meta({ description: 'What it could be by its form.' }),
    refused: z.string().nullable().meta({ description: 'Why it cannot be looked up; null where it can.' }),
    principals: z
      .array(
        z.object({
          as: z.enum(['oid', 'appId', 'objectId', 'armId', 'name']).meta({ description: 'What of the principal (or application) it is.' }),
          tenantId: guid.nullable(),
          oid: guid,
          kind: OidInfo.shape.kind,
          name: z.string().nullable(),
          appId: guid.nullable(),
          firstSeen: time.nullable(),
          lastSeen: time.nullable(),
        }),
      )
      .meta({ description: 'Principals and applications that it names, one entry a tenant; at most 20.' }),
    morePrincipals: count.meta({ description: 'Others that it names, which are not listed.' }),
    others: z.array(z.object({ as: z.enum(['tenant', 'trace', 'session', 'finding']), id: guid })).meta({ description: 'What else has this id.' }),
    occurrences: z.array(Occurrence).meta({ description: 'Events that bear it, by field.' }),
    notSearched: z
      .array(z.string())
      .meta({ description: 'What was not looked through, in words: nothing is said of what stands there. Empty where everything was.' }),
  })
  .meta({ id: 'Resolution' })
export type Resolution = z.infer<typeof Resolution>
