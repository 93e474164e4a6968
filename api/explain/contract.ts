/** What an explanation holds: plain words, each with the ids of the events that they rest on. */
import { z } from 'zod'
import { CONFIDENCES, KINDS, LINKS, OUTCOMES, SOURCES } from '#core/event.ts'

const guid = z.string().meta({ format: 'uuid' })
const time = z.string().meta({ format: 'date-time' })
const count = z.int().nonnegative()

const Statement = z.object({ words: z.string(), evidence: z.array(guid).meta({ description: 'Ids of events.' }) }).meta({ id: 'Statement' })
export type Statement = z.infer<typeof Statement>

const Hop = z
  .object({
    eventId: guid,
    time,
    source: z.enum(SOURCES),
    kind: z.enum(KINDS),
    action: z.string(),
    outcome: z.enum(OUTCOMES),
    link: z.enum(LINKS).nullable().meta({ description: 'How it is tied to the hop before it: by an id, or by the clock. Null for the first.' }),
    words: z.string(),
  })
  .meta({ id: 'Hop' })
export type Hop = z.infer<typeof Hop>

const IMPROVEMENTS = ['topology', 'mapping', 'condition', 'log', 'identity'] as const
const Improvement = z
  .object({
    change: z.enum(IMPROVEMENTS).meta({ description: '`identity` makes it derived rather than exact: sure by the directory, not by the record itself.' }),
    words: z.string(),
  })
  .meta({ id: 'Improvement' })
export type Improvement = z.infer<typeof Improvement>

export const Explanation = z
  .object({
    eventId: guid,
    summary: z.string(),
    hops: z.array(Hop).meta({ description: 'From the first token to this event: which hop issued what the next one used.' }),
    hopsCut: z.boolean().meta({ description: 'True where there are hops before the first one here: only the last 24 are looked at.' }),
    seen: Statement.extend({ principal: z.string().nullable().meta({ description: 'What the log of this cloud shows as the caller.' }) }),
    confidence: z.object({ value: z.enum(CONFIDENCES), because: z.array(Statement) }),
    wouldBeExact: z
      .array(Improvement)
      .meta({ description: 'What would make records like this one exact from then on. Empty where it is exact, or never can be.' }),
    missing: z.array(Statement).meta({ description: 'What is not in the store and would say more. Silence is never read as absence.' }),
  })
  .meta({ id: 'Explanation' })
export type Explanation = z.infer<typeof Explanation>

export const OidExplanation = z
  .object({
    oid: guid,
    summary: z.string(),
    groups: z
      .array(
        z.object({
          tenantId: guid.nullable(),
          source: z.enum(SOURCES),
          confidence: z.enum(CONFIDENCES),
          subjectOid: guid.nullable(),
          basis: z.array(z.string()),
          events: count,
          firstSeen: time,
          lastSeen: time,
          example: Explanation.meta({ description: 'Of the latest of these events.' }),
        }),
      )
      .meta({ description: 'Its events as actor or candidate, by where they were logged and why they are as sure as they are; the largest groups first.' }),
    more: count.meta({ description: 'Groups that were left out.' }),
  })
  .meta({ id: 'OidExplanation' })
export type OidExplanation = z.infer<typeof OidExplanation>

const certainty = z.object({ exact: count, derived: count, probable: count, asserted: count, ambiguous: count, none: count })

export const WhatIf = z
  .object({
    period: z.object({ from: time.nullable(), to: time.nullable(), firstSeen: time.nullable(), lastSeen: time.nullable() }),
    now: certainty.meta({ description: 'Events of AWS and Google Cloud in the period by confidence, as they are.' }),
    underOption2: certainty.meta({ description: 'The same events if every agent had federated as itself.' }),
    items: z
      .array(
        z.object({
          tenantId: guid.nullable(),
          subjectOid: guid.meta({ description: 'The identity that the clouds saw: a UAMI, or an application that stands for one.' }),
          name: z.string().nullable(),
          kind: z.string(),
          clouds: z.array(z.enum(SOURCES)),
          derivedEvents: count,
          ambiguousEvents: count,
          calls: count.meta({ description: 'LLM calls among them; a call and its usage log count once.' }),
          tokens: count.meta({ description: 'Input, output and cached tokens of these calls, where a log says.' }),
          candidates: z.array(z.object({ oid: guid, name: z.string().nullable() })).meta({ description: 'Agents that could have used it.' }),
          trusts: z
            .array(z.object({ cloud: z.enum(SOURCES), name: z.string() }))
            .meta({ description: 'Roles and pools it federated to: what Option 2 would change.' }),
        }),
      )
      .meta({ description: 'One an identity: events that would be exact, the most first.' }),
    unchanged: z
      .array(z.object({ confidence: z.enum(CONFIDENCES), events: count, words: z.string() }))
      .meta({ description: 'What Option 2 would not make exact.' }),
  })
  .meta({ id: 'WhatIf' })
export type WhatIf = z.infer<typeof WhatIf>
