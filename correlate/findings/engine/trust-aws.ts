import type { TenantId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { entraIssuerIn } from '#core/entra-issuer.ts'
import { conditions, listOf, policy } from '../../formats/cloudtrail/trust.ts'
import { at, obj, str, type Value } from '../../formats/read.ts'
import type { StoredEvent } from './stored-event.ts'
import type { Alternative, TrustChange } from './trust-change.ts'

/** The trust that an IAM record gives to Entra issuers: a role's trust document, or an identity provider with its audiences. Null for none. */
export function awsTrust(event: StoredEvent, record: JsonObject): TrustChange | null {
  const request = obj(record['requestParameters'])
  const document = policy(request['assumeRolePolicyDocument'] ?? request['policyDocument'] ?? at(record, 'responseElements.role.assumeRolePolicyDocument'))
  const alternatives: Alternative[] = []
  const audiences: { audience: string; tenantId: TenantId | null }[] = []
  for (const statement of listOf(document['Statement'])) {
    const issuers = listOf(at(statement, 'Principal.Federated'))
      .map((provider) => entraIssuerIn(str(provider) ?? ''))
      .filter((issuer) => issuer.entra)
    if (issuers.length === 0 || str(at(statement, 'Effect')) !== 'Allow' || !allowsExchange(at(statement, 'Action'))) continue
    const tenantId = issuers[0]!.tenantId
    alternatives.push({ tenantId, pinned: pinsSubject(statement) })
    for (const [key, values] of conditions(statement))
      if (/:aud$/i.test(key) && entraIssuerIn(key).entra) audiences.push(...values.flatMap((value) => named(value, tenantId)))
  }
  const provider = str(request['url']) ?? str(request['openIDConnectProviderArn'])
  const issuer = provider === null ? null : entraIssuerIn(provider)
  if (issuer?.entra && !/:(?:Remove|Delete)/.test(event.action)) {
    const clientIds = [...listOf(at(request, 'clientIDList')), ...listOf(at(request, 'clientID'))]
    audiences.push(...clientIds.flatMap((value) => named(value, issuer.tenantId)))
  }
  if (alternatives.length === 0 && audiences.length === 0) return null
  return { cloud: 'aws', event, place: placeOf(event, record), audiences, alternatives, targets: event.targets }
}

function named(value: Value, tenantId: TenantId | null): { audience: string; tenantId: TenantId | null }[] {
  const audience = str(value)
  return audience === null ? [] : [{ audience, tenantId }]
}

function allowsExchange(action: Value): boolean {
  return listOf(action).some((name) => /^(?:\*|sts:\*|sts:AssumeRole\*|sts:AssumeRoleWithWebIdentity)$/i.test(str(name) ?? ''))
}

/** A `:sub` condition that says who, not who not, and is no bare wildcard. AWS can see nothing else of the principal (facts/aws.md c.1). */
function pinsSubject(statement: Value): boolean {
  return Object.entries(obj(at(statement, 'Condition'))).some(([operator, keys]) => {
    if (/not/i.test(operator) || !/string/i.test(operator)) return false
    return Object.entries(obj(keys)).some(([key, value]) => {
      const values = listOf(value).map(str)
      return /:sub$/i.test(key) && values.length > 0 && values.every((one) => one !== null && !/^\*+$/.test(one))
    })
  })
}

/** The role's ARN; an update names the role only, which is unique in its account. */
function placeOf(event: StoredEvent, record: JsonObject): string {
  const role = str(at(record, 'requestParameters.roleName'))
  return (
    event.resource ??
    (role === null ? (str(at(record, 'requestParameters.url')) ?? 'an identity provider') : `arn:aws:iam::${event.account ?? ''}:role/${role}`)
  )
}
