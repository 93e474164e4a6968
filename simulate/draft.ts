/** What an actor hands to the merge: one thing that happened, able to write itself as any road's record, with the claim that its record makes. */
import type { Kind, Outcome, Source } from '#core/event.ts'
import type { Agent, Tenant } from './cast.ts'
import type { WrittenTime } from './moments.ts'
import { apiTime, awsTime } from './moments.ts'
import type { Random } from './random.ts'
import { LOWER } from './random.ts'
import type { Invocation, TrailCall } from './records/aws.ts'
import { invocationRecord, trailRecord } from './records/aws.ts'
import type { Audit } from './records/entra-audit.ts'
import { diagnosticAudit, logAnalyticsAudit } from './records/entra-audit.ts'
import type { SignIn } from './records/entra-signin.ts'
import { diagnosticSignIn, graphSignIn, logAnalyticsSignIn } from './records/entra-signin.ts'
import type { AuditEntry } from './records/gcp.ts'
import { auditEntry } from './records/gcp.ts'
import type { Claim, TruthField } from './truth.ts'

/** A way from a cloud to the product; each is a container kind that the importers know. */
export const ROADS = ['eventhub', 'log-analytics', 'graph', 's3', 'lookup', 'eventbridge', 'invocation', 'gcs', 'entries', 'pubsub', 'api'] as const
export type Road = (typeof ROADS)[number]

export interface Draft {
  /** When it happened, ms; drafts of one actor come in this order. */
  readonly at: number
  readonly source: Source
  readonly nativeId: string
  readonly kinds: readonly Kind[]
  readonly outcome: Outcome
  readonly time: WrittenTime
  readonly tenant: Tenant
  readonly claim: Claim | { readonly by: 'near'; readonly key: string }
  readonly actor: Agent | null
  readonly onBehalfOf: string | null
  readonly targets: readonly string[]
  /** A label, or the subject whose latest Google Cloud exchange it belongs to. */
  readonly session: string | { readonly latestExchangeOf: string } | null
  /** When the AWS credential was exchanged that it was done with, ms; null for everything else. */
  readonly since: number | null
  readonly exactParent: string | null
  readonly skip: readonly TruthField[]
  /** A successful Google Cloud exchange: what later mints and calls refer to. */
  readonly exchange: {
    readonly subject: string
    readonly nearKey: string
    readonly claim: Claim
  } | null
  /** Account and region, or project and log: what its files are kept by. */
  readonly place: string
  /** Where the record can travel, the usual road first. */
  readonly roads: readonly Road[]
  readonly write: (road: Road) => string
}

/** What an actor says of an event beside the record. */
export interface Meaning {
  readonly tenant: Tenant
  readonly claim: Draft['claim']
  readonly kinds: readonly Kind[]
  readonly actor?: Agent | null
  readonly onBehalfOf?: string | null
  readonly targets?: readonly string[]
  readonly session?: Draft['session']
  readonly since?: number
  readonly exactParent?: string | null
  readonly skip?: readonly TruthField[]
  readonly exchange?: Draft['exchange']
}

function draft(at: number, meaning: Meaning, rest: Pick<Draft, 'source' | 'nativeId' | 'outcome' | 'time' | 'place' | 'roads' | 'write'>): Draft {
  return {
    at,
    tenant: meaning.tenant,
    claim: meaning.claim,
    kinds: meaning.kinds,
    actor: meaning.actor ?? null,
    onBehalfOf: meaning.onBehalfOf ?? null,
    targets: meaning.targets ?? [],
    session: meaning.session ?? null,
    since: meaning.since ?? null,
    exactParent: meaning.exactParent ?? null,
    skip: meaning.skip ?? [],
    exchange: meaning.exchange ?? null,
    ...rest,
  }
}

export function signInDraft(at: number, signIn: SignIn, meaning: Meaning): Draft {
  const write = (road: Road) => (road === 'graph' ? graphSignIn(signIn) : road === 'log-analytics' ? logAnalyticsSignIn(signIn) : diagnosticSignIn(signIn))
  return draft(at, meaning, {
    source: 'entra',
    nativeId: signIn.id,
    outcome: signIn.error ? 'failure' : 'success',
    time: signIn.time,
    place: signIn.tenantId,
    roads: ['eventhub', 'log-analytics', 'graph'],
    write,
  })
}

export function auditDraft(at: number, audit: Audit, meaning: Omit<Meaning, 'claim'>): Draft {
  const write = (road: Road) => (road === 'log-analytics' ? logAnalyticsAudit(audit) : diagnosticAudit(audit))
  // Nobody's agent did it: set-up by administrators is shown through its targets.
  const whole: Meaning = {
    ...meaning,
    claim: { by: 'nothing' },
    skip: ['subject', 'session', 'parent', 'agent'],
  }
  return draft(at, whole, {
    source: 'entra',
    nativeId: audit.id,
    outcome: 'success',
    time: audit.time,
    place: audit.tenantId,
    roads: ['eventhub', 'log-analytics'],
    write,
  })
}

export function trailDraft(call: TrailCall, meaning: Meaning): Draft {
  const text = trailRecord(call)
  return draft(call.at, meaning, {
    source: 'aws',
    nativeId: call.eventId,
    outcome: call.error ? 'failure' : 'success',
    time: awsTime(call.at),
    place: `${call.account} ${call.region}`,
    roads: ['s3', 'lookup', 'eventbridge'],
    write: () => text,
  })
}

export function invocationDraft(invocation: Invocation, meaning: Omit<Meaning, 'kinds'>): Draft {
  return draft(
    invocation.at,
    { ...meaning, kinds: ['llm.metered'] },
    {
      source: 'aws',
      nativeId: invocation.requestId,
      outcome: 'success',
      time: awsTime(invocation.at),
      place: `${invocation.account} ${invocation.region}`,
      roads: ['invocation'],
      write: () => invocationRecord(invocation),
    },
  )
}

export function entryDraft(at: number, entry: AuditEntry, meaning: Meaning): Draft {
  return draft(at, meaning, {
    source: 'gcp',
    nativeId: entry.insertId,
    outcome: entry.status ? 'failure' : 'success',
    time: entry.time,
    place: `${entry.project} ${entry.log}`,
    roads: ['gcs', 'entries', 'pubsub'],
    write: () => auditEntry(entry),
  })
}

export interface ApiCall {
  readonly requestId: string
  readonly path: string
  readonly status: number
  readonly token: {
    readonly oid: string
    readonly appId: string
    readonly kind: 'app' | 'user'
    readonly uti: string
  }
  readonly ip: string
  /** Older builds log only the client's application id. */
  readonly terse: boolean
}

/** One line of the own API's access log. */
export function apiDraft(at: number, call: ApiCall, meaning: Meaning): Draft {
  const { tenant } = meaning
  const time = apiTime(at)
  const write = () =>
    JSON.stringify({
      time: time.text,
      api: 'weather',
      requestId: call.requestId,
      method: 'GET',
      path: call.path,
      status: call.status,
      durationMs: 12,
      ...(call.terse
        ? { appid: call.token.appId }
        : {
            tid: tenant.id,
            oid: call.token.oid,
            appid: call.token.appId,
            aud: tenant.api.appId,
            idtyp: call.token.kind,
            uti: call.token.uti,
            sourceIp: call.ip,
            userAgent: 'weather-agent/1.4 undici',
          }),
    })
  return draft(at, meaning, {
    source: 'app',
    nativeId: call.requestId,
    outcome: call.status < 400 ? 'success' : 'failure',
    time,
    place: tenant.id,
    roads: ['api'],
    write,
  })
}

export const newInsertId = (random: Random) => random.text(LOWER, 12)
