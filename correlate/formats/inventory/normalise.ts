import type { DirectoryFact, FormatModule, Normalised } from '#core/event.ts'
import { type AppId, type Oid, appId, oid, tenantId } from '#core/keys.ts'
import { type JsonObject, canonicalJson, eventId } from '#core/record.ts'
import { str } from '../read.ts'
import { noTime, readTime } from '../time.ts'

type Statement = { readonly facts: readonly DirectoryFact[]; readonly targets: readonly Oid[] } | { readonly fault: string }

/** An event of kind `other` whose directory facts are what the operator declares. Says which field is missing or wrong. */
export const normalise: FormatModule['normalise'] = ({ value, context }): Normalised => {
  const timeNs = readTime(value['time'])
  if (timeNs === null) return { reject: noTime({ time: value['time'] }) }
  const tenant = tenantId(value['tenantId']) ?? tenantId(context.tenantId)
  if (tenant === null) return { reject: 'no tenant (tenantId)' }
  const statement = statementOf(value, tenant)
  if ('fault' in statement) return { reject: statement.fault }
  const id = eventId('inventory', 'content', canonicalJson(value))
  return {
    event: {
      id,
      nativeId: id,
      timeNs,
      deliveredNs: null,
      source: 'entra',
      kind: 'other',
      action: `inventory:${str(value['declares'])}`,
      outcome: 'success',
      error: null,
      tenantId: tenant,
      proof: { by: 'nothing' },
      onBehalfOf: null,
      targets: statement.targets.toSorted(),
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
      directory: statement.facts,
    },
  }
}

function statementOf(value: JsonObject, tenant: string): Statement {
  const name = str(value['name'])
  const id = oid(value['oid'])
  const app = appId(value['appId'])
  const blueprintAppId = appId(value['blueprintAppId'])
  const blueprintObjectId = oid(value['blueprintObjectId'])
  const seen = (of: { oid: Oid; kind: 'agent' | 'blueprint' | 'managed-identity'; appId: AppId | null }): DirectoryFact => ({
    type: 'seen',
    name,
    blueprintAppId: of.kind === 'agent' ? blueprintAppId : null,
    blueprintObjectId: of.kind === 'managed-identity' ? null : blueprintObjectId,
    msiType: of.kind === 'managed-identity' ? 'userAssigned' : null,
    armId: str(value['armId']),
    ...of,
  })
  switch (value['declares']) {
    case 'agent':
      if (id === null) return { fault: 'an agent needs its object id (oid)' }
      if (blueprintAppId === null && blueprintObjectId === null) return { fault: 'an agent needs its Blueprint (blueprintAppId or blueprintObjectId)' }
      return { facts: [seen({ oid: id, kind: 'agent', appId: app })], targets: [id] }
    case 'managed-identity':
      if (id === null) return { fault: 'a managed identity needs its object id (oid)' }
      return { facts: [seen({ oid: id, kind: 'managed-identity', appId: app })], targets: [id] }
    case 'blueprint': {
      const objectId = oid(value['objectId'])
      const principal = oid(value['principalOid'])
      if (app === null) return { fault: 'a Blueprint needs its application id (appId)' }
      const application: DirectoryFact[] = objectId === null ? [] : [{ type: 'application', objectId, appId: app, name, blueprint: true }]
      const own: DirectoryFact[] = principal === null ? [] : [seen({ oid: principal, kind: 'blueprint', appId: app })]
      return { facts: [...application, ...own], targets: principal === null ? [] : [principal] }
    }
    case 'federated-credential':
      return credential(value, tenant, blueprintAppId, blueprintObjectId)
    default:
      return { fault: `declares is "${str(value['declares'])}": it must be agent, managed-identity, blueprint or federated-credential` }
  }
}

function credential(value: JsonObject, tenant: string, blueprintAppId: AppId | null, blueprintObjectId: Oid | null): Statement {
  const subject = str(value['subject'])
  const change = str(value['change']) ?? 'always'
  if (blueprintAppId === null && blueprintObjectId === null)
    return { fault: 'a federated credential needs its application (blueprintAppId or blueprintObjectId)' }
  if (subject === null) return { fault: 'a federated credential needs its subject' }
  if (change !== 'always' && change !== 'added' && change !== 'removed')
    return { fault: `change is "${change}": it must be added or removed, or left out when it always held` }
  const fic = {
    id: null,
    name: str(value['name']),
    issuer: str(value['issuer']) ?? `https://login.microsoftonline.com/${tenant}/v2.0`,
    subject: oid(subject) ?? subject,
    audiences: [],
  }
  const target = oid(subject)
  return { facts: [{ type: 'fic-declared', objectId: blueprintObjectId, appId: blueprintAppId, fic, change }], targets: target === null ? [] : [target] }
}
