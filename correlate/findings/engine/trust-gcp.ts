import type { JsonObject } from '#core/record.ts'
import { readEntry, type AuditCall } from '../../formats/gcp-audit/entry.ts'
import { parsePool } from '../../formats/gcp-audit/principal.ts'
import { provider as providerBody, text } from '../../formats/gcp-audit/trust.ts'
import { arr, at, obj, str, type Value } from '../../formats/read.ts'
import type { StoredEvent } from './stored-event.ts'
import type { GcpProvider, TrustChange } from './trust-change.ts'

/** The trust that a record of Google's IAM gives: a pool provider, or members of a policy. Null for none. */
export function gcpTrust(event: StoredEvent, record: JsonObject): TrustChange | null {
  const { call } = readEntry(record)
  if (!call) return null
  const provider = providerOf(call)
  const members = addedMembers(call)
  return provider || members.length > 0 ? { cloud: 'gcp', event, provider, members, targets: event.targets } : null
}

function providerOf(call: AuditCall): GcpProvider | null {
  const body = providerBody(call)
  if (!body) return null
  const place = parsePool(call.resourceName) ?? parsePool(str(at(call.request, 'parent'))) ?? parsePool(text(body, 'name'))
  const provider =
    place?.provider ?? text(call.request, 'workloadIdentityPoolProviderId', 'workload_identity_pool_provider_id') ?? parsePool(text(body, 'name'))?.provider
  if (!place || !provider) return null
  const created = /^create/i.test(call.operation)
  const mask = maskOf(call)
  // What an update does not mention stays as it was; what its mask names and its body lacks is emptied (facts/gcp.md b.5).
  const touched = (field: string, value: unknown): boolean =>
    created || value !== undefined || mask.some((path) => path === field || path.startsWith(`${field}.`) || field.startsWith(`${path}.`))
  const oidc = at(body, 'oidc')
  const issuer = text(oidc, 'issuerUri', 'issuer_uri') ?? undefined
  const condition = text(body, 'attributeCondition', 'attribute_condition') ?? undefined
  const audiences = at(oidc, 'allowedAudiences') ?? at(oidc, 'allowed_audiences')
  const mapping = at(body, 'attributeMapping') ?? at(body, 'attribute_mapping')
  return {
    project: place.project,
    pool: place.pool,
    provider,
    issuer,
    audiences: touched('oidc.allowedaudiences', audiences) ? texts(audiences) : undefined,
    condition: touched('attributecondition', condition) ? (condition ?? '') : undefined,
    mapping: touched('attributemapping', mapping)
      ? Object.fromEntries(Object.entries(obj(mapping)).flatMap(([name, from]) => (str(from) === null ? [] : [[name, str(from)!]])))
      : undefined,
  }
}

function maskOf(call: AuditCall): string[] {
  const mask = at(call.request, 'updateMask') ?? at(call.request, 'update_mask')
  const paths = str(mask)?.split(',') ?? texts(at(mask, 'paths'))
  return paths.map((path) => path.trim().toLowerCase().replaceAll('_', ''))
}

const texts = (value: Value): string[] =>
  arr(value)
    .map(str)
    .filter((one) => one !== null)

/** Members that a policy change adds; where the record holds no delta, those of the policy as it was set. */
function addedMembers(call: AuditCall): { role: string | null; member: string }[] {
  const deltas = arr(at(call.serviceData, 'policyDelta.bindingDeltas'))
  if (deltas.length > 0) {
    return deltas.flatMap((delta) => {
      const member = str(at(delta, 'member'))
      return member !== null && str(at(delta, 'action'))?.toUpperCase() !== 'REMOVE' ? [{ role: str(at(delta, 'role')), member }] : []
    })
  }
  return arr(at(at(call.request, 'policy'), 'bindings')).flatMap((binding) =>
    texts(at(binding, 'members')).map((member) => ({ role: str(at(binding, 'role')), member })),
  )
}
