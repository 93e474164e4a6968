/**
 * What the API promises (DESIGN §5.2), as zod schemas: the routes answer with these, OpenAPI is generated from them, and the
 * page and other clients take their types from here. Absent values are null, never left out and never invented.
 */
import { LOG_GAP_CAUSES } from '#core/transport.ts'
import { z } from 'zod'
import { Revocation } from './findings/revocation.ts'
import { CONFIDENCES, KINDS, LINKS, OUTCOMES, PRINCIPAL_KINDS, ROLES, SOURCES } from '#core/event.ts'

const guid = z.string().meta({ format: 'uuid', example: '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08' })
const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC, nine fraction digits.' })
const count = z.int().nonnegative()

const Attribution = z
  .object({
    confidence: z.enum(CONFIDENCES),
    basis: z.array(z.string()).meta({ description: 'What it rests on, in the order of the hops.' }),
    candidates: z.array(guid).meta({ description: 'All agents that could be meant; filled only where the confidence is `ambiguous`.' }),
    evidence: z.array(guid).meta({ description: 'Ids of the events it rests on, beside the event itself.' }),
  })
  .meta({ id: 'Attribution' })

const itemFields = {
  id: guid,
  nativeId: z.string().meta({ description: "The cloud's own id of the record." }),
  time,
  source: z.enum(SOURCES),
  kind: z.enum(KINDS),
  action: z.string(),
  outcome: z.enum(OUTCOMES).meta({ description: '`unknown`: the record says neither.' }),
  error: z.object({ code: z.string(), message: z.string().nullable() }).nullable(),
  tenantId: guid.nullable(),
  subjectOid: guid.nullable(),
  agentOid: guid.nullable(),
  onBehalfOf: guid.nullable(),
  targets: z.array(guid),
  role: z.enum(ROLES).meta({ description: "Why the item stands in this oid's timeline." }),
  attribution: Attribution,
  traceId: z.string().nullable(),
  sessionId: z.string().nullable(),
  parentId: guid.nullable(),
  cloud: z.object({ account: z.string().nullable(), region: z.string().nullable(), principal: z.string().nullable() }),
  resource: z.string().nullable().meta({
    description:
      'What was acted on, as the record names it: an Entra resource, an API audience, a role or another ARN, a Google Cloud resource name, a model id.',
  }),
  model: z.object({ id: z.string(), name: z.string().nullable(), provider: z.string().nullable() }).nullable(),
  usage: z
    .object({ inputTokens: count.nullable(), outputTokens: count.nullable(), cacheReadTokens: count.nullable(), cacheWriteTokens: count.nullable() })
    .nullable(),
  sourceIp: z.string().nullable(),
  userAgent: z.string().nullable(),
  requestId: z.string().nullable(),
  deliveredAt: time.nullable(),
  ingestedAt: time,
  rawSha256: z.string().nullable().meta({ description: 'SHA-256 (hex) of the stored text that speaks for the event.' }),
}

export const TimelineItem = z.object(itemFields).meta({ id: 'TimelineItem' })
export type TimelineItem = z.infer<typeof TimelineItem>

const origin = { file: z.string(), line: z.int().nullable().meta({ description: 'Counted from 1.' }) }

export const EventDetail = z
  .object({
    ...itemFields,
    role: z.null().meta({ description: 'An event by itself stands in no timeline.' }),
    tokenId: z.string().nullable(),
    asserted: z.array(z.string()).meta({ description: 'Identities that the caller chose to write down: claims, never proof.' }),
    evidence: z
      .object({
        rawSha256: z.string(),
        format: z.string(),
        ...origin,
        masked: z.array(z.string()).meta({ description: 'JSON pointers of values that were masked before anything was stored.' }),
        variants: z.array(z.object({ sha256: z.string(), format: z.string(), ...origin, masked: z.array(z.string()) })),
      })
      .nullable(),
  })
  .meta({ id: 'EventDetail' })
export type EventDetail = z.infer<typeof EventDetail>

const traceFields = {
  id: guid,
  tenantId: guid.nullable(),
  ownerOid: guid.meta({ description: 'The agent, or the subject where no agent is sure enough.' }),
  start: time,
  end: time,
  events: count,
  sessions: count,
  sources: z.array(z.enum(SOURCES)),
}

export const Trace = z.object(traceFields).meta({ id: 'Trace' })
export type Trace = z.infer<typeof Trace>

export const TraceDetail = z
  .object({
    ...traceFields,
    items: z.array(z.object({ ...itemFields, role: z.null() })).meta({ description: 'Its events in order of time.' }),
    edges: z.array(z.object({ parent: guid, child: guid, link: z.enum(LINKS) })).meta({ description: '`exact` where an id links, `time` where a clock does.' }),
    sessionList: z.array(z.object({ id: guid, cloud: z.enum(['aws', 'gcp']), resolved: z.boolean(), rootEvent: guid.nullable(), eventIds: z.array(guid) })),
    truncated: z.boolean().meta({ description: 'True when the trace has more events than one answer holds.' }),
  })
  .meta({ id: 'TraceDetail' })
export type TraceDetail = z.infer<typeof TraceDetail>

const named = { oid: guid, name: z.string().nullable() }
const perSource = z.object({ entra: count, aws: count, gcp: count, app: count })
const perConfidence = z.object({ exact: count, derived: count, probable: count, asserted: count, ambiguous: count, none: count })

const TOPOLOGIES = ['option-1', 'option-2', 'mixed', 'bridge'] as const
const topology = z.enum(TOPOLOGIES).nullable()
export type Topology = (typeof TOPOLOGIES)[number]

/** How an agent federated to a cloud from one moment on. */
const TopologyPeriod = z.object({
  topology: z.enum(TOPOLOGIES),
  since: time,
  until: time.nullable().meta({ description: 'When the next period begins; null: it goes on, as far as records say.' }),
})
export type TopologyPeriod = z.infer<typeof TopologyPeriod>

const STATUSES = ['active', 'disabled', 'deleted'] as const
export type Status = (typeof STATUSES)[number]

export const Blueprint = z
  .object({ appId: guid.nullable(), objectId: guid.nullable(), principalOid: guid.nullable(), name: z.string().nullable() })
  .meta({ id: 'Blueprint' })
export type Blueprint = z.infer<typeof Blueprint>

export const LinkedUami = z
  .object({ ...named, current: z.boolean().meta({ description: 'False when the federated credential for it was removed since.' }) })
  .meta({ id: 'LinkedUami' })
export type LinkedUami = z.infer<typeof LinkedUami>

export const Agent = z
  .object({
    tenantId: guid.nullable(),
    ...named,
    appId: guid.nullable(),
    status: z.enum(STATUSES).nullable(),
    blueprint: Blueprint.nullable(),
    uamis: z.array(LinkedUami),
    topology: z.object({ aws: topology, gcp: topology }),
    firstSeen: time.nullable(),
    lastSeen: time.nullable(),
    counts: z.object({ bySource: perSource, byConfidence: perConfidence }).meta({ description: 'Events in its timeline as actor or candidate.' }),
    exactEvents: count,
    candidateEvents: count.meta({ description: 'Events that it is only one of several candidates for.' }),
    targetEvents: count.meta({ description: 'Directory and trust changes that name it.' }),
  })
  .meta({ id: 'Agent' })
export type Agent = z.infer<typeof Agent>

const OID_KINDS = [...PRINCIPAL_KINDS, 'application', 'unknown'] as const

export const OidInfo = z
  .object({
    tenantId: guid.nullable(),
    oid: guid,
    kind: z.enum(OID_KINDS),
    name: z.string().nullable(),
    names: z.array(z.string()).meta({ description: 'Every name that it had, the latest first.' }),
    appId: guid.nullable(),
    status: z.enum(STATUSES).nullable(),
    msiType: z.enum(['userAssigned', 'systemAssigned']).nullable(),
    armId: z.string().nullable(),
    blueprint: Blueprint.nullable().meta({ description: 'Of an agent.' }),
    uamis: z.array(LinkedUami).meta({ description: "Of an agent or a Blueprint: managed identities that the Blueprint's federated credentials name." }),
    agents: z.array(z.object(named)).meta({ description: 'Of a managed identity or a Blueprint: the agents that could use it.' }),
    topology: z.object({ aws: topology, gcp: topology }),
    topologyOverTime: z
      .object({ aws: z.array(TopologyPeriod), gcp: z.array(TopologyPeriod) })
      .meta({ description: 'Of an agent: with the dates of change, the oldest first; empty where no exchange is known.' }),
    revocation: Revocation.nullable().meta({ description: 'Of an agent that was deleted or disabled: the proof of what held after that.' }),
    firstSeen: time.nullable(),
    lastSeen: time.nullable(),
    counts: z.object({
      bySource: perSource,
      byKind: z.partialRecord(z.enum(KINDS), count),
      byRole: z.object({ actor: count, candidate: count, target: count }),
      byConfidence: perConfidence,
    }),
  })
  .meta({ id: 'OidInfo' })
export type OidInfo = z.infer<typeof OidInfo>

/** One entry a tenant: an oid means something only inside a tenant. */
export const OidAnswer = z
  .object({
    id: guid.meta({ description: 'As asked.' }),
    resolvedFrom: z
      .enum(['appId', 'objectId'])
      .nullable()
      .meta({ description: 'Set when the id asked for is no oid of a principal but names one otherwise; the items then carry the oid.' }),
    items: z.array(OidInfo),
  })
  .meta({ id: 'OidAnswer' })
export type OidAnswer = z.infer<typeof OidAnswer>

export const Rejected = z
  .object({
    id: guid,
    ...origin,
    index: z.int().meta({ description: 'Number of the record in its file, from 0.' }),
    reason: z.string(),
    text: z.string(),
    rejectedAt: time,
  })
  .meta({ id: 'Rejected' })
export type Rejected = z.infer<typeof Rejected>

export const Unmapped = z
  .object({ id: z.int(), format: z.string(), paths: z.array(z.string()), exampleEvent: guid })
  .meta({ id: 'Unmapped', description: 'A set of paths inside records of a format that no normaliser reads.' })
export type Unmapped = z.infer<typeof Unmapped>

export const Coverage = z
  .object({
    sources: z.array(
      z.object({
        source: z.string(),
        part: z.string().meta({ description: 'Account and region, table, resource …; empty when the source has one part.' }),
        kind: z.string(),
        watermark: time.nullable().meta({ description: 'Event time up to which the part is complete as far as it can know.' }),
        lastSuccessAt: time.nullable(),
        lastError: z
          .object({
            code: z.string(),
            message: z.string().nullable(),
            at: time,
            failures: count.meta({ description: 'Polls that failed since the last good one.' }),
          })
          .nullable(),
        records: count,
        rejected: count,
        gaps: z.array(z.object({ from: time, until: time, reason: z.string() })),
      }),
    ),
    lost: z
      .array(
        z.object({
          log: z.string().meta({ description: 'Kafka topic.' }),
          partition: count,
          firstOffset: z.string(),
          lastOffset: z.string().nullable().meta({ description: 'Null where the topic was made anew.' }),
          from: time.nullable().meta({ description: 'When the first of these messages was written, as far as that can be told. Their records are older.' }),
          until: time.nullable(),
          cause: z.enum(LOG_GAP_CAUSES),
          detail: z.string().nullable(),
          notedAt: time,
        }),
      )
      .meta({
        description: 'Messages between collectors and store that were never stored: whose they were nobody knows, so answers about that time are incomplete.',
      }),
    logs: z
      .array(z.object({ source: z.enum(SOURCES), kind: z.enum(KINDS), first: time, last: time }))
      .meta({ description: 'What is in the store at all. A log that is not here was not seen: that says nothing about what it would have held.' }),
    pending: count
      .nullable()
      .meta({ description: 'Batches that conclusions have not been drawn from yet; null for callers bound to tenants, who are not told.' }),
  })
  .meta({ id: 'Coverage' })
export type Coverage = z.infer<typeof Coverage>

/** A page: `next` is the cursor of the next one, null on the last. */
export const page = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item), next: z.string().nullable() })
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** RFC 9457 problem details; `errors` names each faulty parameter, `roles` those that would be let in. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    roles: z.array(z.string()).optional().meta({ description: 'Of a 403: any one of these roles would do.' }),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>
