/** Hand-made events for tests of single rules: everything absent unless a test says so. */
import type { DirectoryFact, Fic, TrailEvent } from '#core/event.ts'
import { oid, tenantId, type AppId, type CredentialId, type Oid, type TenantId } from '#core/keys.ts'
import { eventId, sha256 } from '#core/record.ts'
import { MINUTE } from '#core/time.ts'
import type { Accepted } from '#correlate/accept.ts'

export const guid = (name: string): Oid => oid(eventId('test', name))!
export const app = (name: string): AppId => guid(name) as string as AppId
export const TENANT: TenantId = tenantId(guid('tenant'))!
export const key = (name: string): CredentialId => `aws:${name}` as CredentialId
const START = 1_780_000_000_000_000_000n

/**
 * One accepted record.
 * @param name makes the event's id and native id
 * @param minutes its time
 */
export function record(name: string, minutes: number, fields: Partial<TrailEvent> = {}, format = 'test'): Accepted {
  const event: TrailEvent = {
    id: eventId('test event', name),
    nativeId: name,
    timeNs: START + BigInt(Math.round(minutes * 60)) * (MINUTE / 60n),
    deliveredNs: null,
    source: 'aws',
    kind: 'other',
    action: 'test:Test',
    outcome: 'success',
    error: null,
    tenantId: null,
    proof: { by: 'nothing' },
    onBehalfOf: null,
    targets: [],
    uses: null,
    issues: null,
    requestKey: null,
    nearKey: null,
    tokenId: null,
    asserted: [],
    cloud: { account: null, region: null, principal: null },
    resource: null,
    model: null,
    usage: null,
    sourceIp: null,
    userAgent: null,
    requestId: null,
    directory: [],
    ...fields,
  }
  const text = `${name} ${JSON.stringify(fields, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`
  return {
    record: { text, value: {}, masked: [], origin: { file: 'test', line: null, index: 0 }, context: {} },
    event,
    format,
    rank: 0,
    sha256: sha256(text),
    unmapped: [],
  }
}

/** An audit record of the tenant with these facts. */
export function audit(name: string, minutes: number, directory: readonly DirectoryFact[], fields: Partial<TrailEvent> = {}): Accepted {
  return record(name, minutes, { source: 'entra', kind: 'identity.changed', tenantId: TENANT, directory, ...fields }, 'entra-audit')
}

type Seen = Extract<DirectoryFact, { type: 'seen' }>

export function seen(name: string, kind: Seen['kind'], fields: Partial<Seen> = {}): Seen {
  return { type: 'seen', oid: guid(name), kind, appId: null, name, blueprintAppId: null, blueprintObjectId: null, msiType: null, armId: null, ...fields }
}

export function lifecycle(name: string, change: Extract<DirectoryFact, { type: 'lifecycle' }>['change']): DirectoryFact {
  return { type: 'lifecycle', id: guid(name), change }
}

/** The federated credentials of an application before and after, by the names of the identities that they trust. */
export function fics(application: string, before: readonly string[] | null, after: readonly string[] | null): DirectoryFact {
  const fic = (subject: string): Fic => ({
    id: null,
    name: null,
    issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    subject: guid(subject),
    audiences: [],
  })
  return { type: 'fics', objectId: null, appId: app(application), before: before && before.map(fic), after: after && after.map(fic) }
}

/** An agent of a Blueprint, known without a date. */
export const agent = (name: string, blueprint: string): Seen => seen(name, 'agent', { appId: app(name), blueprintAppId: app(blueprint) })

/** A successful AssumeRoleWithWebIdentity of this principal that issues a key. */
export function exchange(name: string, minutes: number, subject: string, issued: string | null = null, fields: Partial<TrailEvent> = {}): Accepted {
  return record(name, minutes, {
    kind: 'token.exchanged',
    tenantId: TENANT,
    proof: { by: 'federation', subject: guid(subject), oid: guid(subject), pool: null, entra: true },
    issues: issued === null ? null : key(issued),
    ...fields,
  })
}

/** A call with a key. */
export function call(name: string, minutes: number, used: string, fields: Partial<TrailEvent> = {}): Accepted {
  return record(name, minutes, { proof: { by: 'credential' }, uses: key(used), ...fields })
}

/** A sign-in of a principal that the row itself describes. */
export function signin(name: string, minutes: number, who: Seen, fields: Partial<TrailEvent> = {}): Accepted {
  return record(
    name,
    minutes,
    {
      source: 'entra',
      kind: 'token.issued',
      tenantId: TENANT,
      proof: { by: 'principal', oid: who.oid, appId: who.appId, kind: who.kind },
      directory: [who],
      ...fields,
    },
    'entra-signin',
  )
}

/** A Google Cloud event of a federated principal. */
export function gcp(name: string, minutes: number, subject: string, fields: Partial<TrailEvent> = {}): Accepted {
  return record(name, minutes, {
    source: 'gcp',
    proof: { by: 'federation', subject: guid(subject), oid: guid(subject), pool: { project: '1', pool: 'pool', provider: null }, entra: null },
    ...fields,
  })
}
