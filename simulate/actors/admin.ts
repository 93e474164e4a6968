/** What the platform team does: creates identities, Blueprints, agents and trusts, changes and deletes them. Times come from the cast. */
import type { Agent, Blueprint, FederatedCredential, ManagedIdentity, Tenant } from '../cast.ts'
import type { Draft } from '../draft.ts'
import { auditDraft } from '../draft.ts'
import { entraTime, seconds } from '../moments.ts'
import type { Random } from '../random.ts'
import { createRandom, DIGITS, LETTERS } from '../random.ts'
import type { Audit } from '../records/entra-audit.ts'
import { trusts } from './admin-trusts.ts'

/** All set-up and changes of one tenant, in time order. Held in memory: a few records an agent. */
export function setUp(seed: number, tenant: Tenant): Draft[] {
  const random = createRandom(seed, `admin ${tenant.id}`)
  const drafts: Draft[] = []
  const identities = new Set<ManagedIdentity>()
  const providers = new Set<string>()
  for (const blueprint of tenant.blueprints) {
    for (const agent of blueprint.agents) for (const host of agent.hosts) identities.add(host)
    drafts.push(...blueprintSetUp(random, tenant, blueprint))
  }
  for (const identity of identities) drafts.push(...identityLife(random, tenant, identity))
  for (const agent of tenant.agents) drafts.push(...agentLife(random, agent), ...trusts(random, agent, providers))
  drafts.push(...bridges(random, tenant))
  return drafts.sort((a, b) => a.at - b.at)
}

type Target = Audit['target']
const one = (value: string | boolean) => JSON.stringify([value])

function audit(
  random: Random,
  tenant: Tenant,
  at: number,
  activity: string,
  target: Target,
  details: Audit['details'],
  meaning: {
    readonly kind: 'identity.changed' | 'trust.changed'
    readonly targets: readonly string[]
  },
  byPlatform = false,
): Draft {
  const { admin } = tenant
  const record: Audit = {
    id: `Directory_${random.guid().slice(0, 8).toUpperCase()}_${random.text(LETTERS, 5)}_${random.text(DIGITS, 7)}`,
    time: entraTime(at, random),
    stamped: `${seconds(at + random.int(48, 110) * 1000).slice(0, -1)}.${random.int(1_000_000, 9_999_999)}Z`,
    activity,
    tenantId: tenant.id,
    workspaceId: tenant.workspaceId,
    correlationId: random.guid(),
    initiator: byPlatform ? { app: 'Managed Service Identity' } : { user: { id: admin.oid, name: `${admin.name}@${tenant.domain}`, ip: admin.ip } },
    target,
    details,
  }
  return auditDraft(at, record, { tenant, kinds: [meaning.kind], targets: meaning.targets })
}

function identityLife(random: Random, tenant: Tenant, identity: ManagedIdentity): Draft[] {
  const target = (modified: Target['modified']): Target => ({
    id: identity.oid,
    name: identity.name,
    type: 'ServicePrincipal',
    modified,
  })
  const added: Target['modified'] = [
    ['AccountEnabled', '[]', '[true]'],
    ['AppPrincipalId', '[]', one(identity.clientId)],
    ['AlternativeNames', '[]', JSON.stringify([`isExplicit=${identity.kind === 'userAssigned' ? 'True' : 'False'}`, identity.armId])],
    ['DisplayName', '[]', one(identity.name)],
    ['ServicePrincipalType', '[]', one('ManagedIdentity')],
  ]
  const meaning = { kind: 'identity.changed', targets: [identity.oid] } as const
  const drafts = [
    audit(
      random,
      tenant,
      identity.createdAt,
      'Add service principal',
      target(added),
      [['User-Agent', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)']],
      meaning,
      true,
    ),
  ]
  if (identity.deletedAt !== null) drafts.push(audit(random, tenant, identity.deletedAt, 'Remove service principal', target([]), [], meaning, true))
  return drafts
}

function blueprintSetUp(random: Random, tenant: Tenant, blueprint: Blueprint): Draft[] {
  const application = (modified: Target['modified']): Target => ({
    id: blueprint.objectId,
    name: blueprint.name,
    type: 'Application',
    agentType: 'agenticApp',
    modified,
  })
  const details: Audit['details'] = [['AppId', blueprint.appId]]
  const principal: Target = {
    id: blueprint.servicePrincipalOid,
    name: blueprint.name,
    type: 'ServicePrincipal',
    agentType: 'agentIdentityBlueprintPrincipal',
    blueprintId: blueprint.objectId,
    modified: [
      ['AccountEnabled', '[]', '[true]'],
      ['AppPrincipalId', '[]', one(blueprint.appId)],
      ['DisplayName', '[]', one(blueprint.name)],
    ],
  }
  const drafts = [
    audit(
      random,
      tenant,
      blueprint.createdAt,
      'Add application',
      application([
        ['AppId', '[]', one(blueprint.appId)],
        ['DisplayName', '[]', one(blueprint.name)],
      ]),
      details,
      { kind: 'identity.changed', targets: [] },
    ),
    audit(random, tenant, blueprint.createdAt + 3_000, 'Add service principal', principal, details, {
      kind: 'identity.changed',
      targets: [blueprint.servicePrincipalOid],
    }),
  ]
  const moments = [...new Set(blueprint.fics.flatMap((fic) => (fic.to === null ? [fic.from] : [fic.from, fic.to])))].sort((a, b) => a - b)
  for (const at of moments) {
    const before = blueprint.fics.filter((fic) => fic.from < at && (fic.to === null || fic.to >= at))
    const after = blueprint.fics.filter((fic) => fic.from <= at && (fic.to === null || fic.to > at))
    const touched = [...new Set([...before, ...after].filter((fic) => !(before.includes(fic) && after.includes(fic))).map((fic) => fic.identity.oid))]
    drafts.push(
      ficChange(
        random,
        tenant,
        at,
        application,
        details,
        before.map((fic) => ficText(tenant, fic)),
        after.map((fic) => ficText(tenant, fic)),
        touched,
      ),
    )
  }
  return drafts
}

function ficChange(
  random: Random,
  tenant: Tenant,
  at: number,
  target: (modified: Target['modified']) => Target,
  details: Audit['details'],
  before: readonly object[],
  after: readonly object[],
  touched: readonly string[],
): Draft {
  const modified: Target['modified'] = [
    ['FederatedIdentityCredentials', JSON.stringify(before), JSON.stringify(after)],
    ['Included Updated Properties', null, '"FederatedIdentityCredentials"'],
  ]
  return audit(random, tenant, at, 'Update application', target(modified), details, {
    kind: 'trust.changed',
    targets: touched,
  })
}

function ficText(tenant: Tenant, fic: Pick<FederatedCredential, 'id' | 'name' | 'identity'>): object {
  return {
    Name: fic.name,
    Issuer: `https://login.microsoftonline.com/${tenant.id}/v2.0`,
    Subject: fic.identity.oid,
    Id: fic.id,
    Description: null,
    Audiences: ['api://AzureADTokenExchange'],
    ClaimsMatchingExpressionValue: null,
    ClaimsMatchingExpressionLanguageVersion: 0,
    EncodingVersion: 2,
    TrustedIssuer: null,
  }
}

function agentLife(random: Random, agent: Agent): Draft[] {
  const { tenant, blueprint } = agent
  const target = (modified: Target['modified']): Target => ({
    id: agent.oid,
    name: agent.name,
    type: 'ServicePrincipal',
    agentType: 'agenticAppInstance',
    blueprintId: blueprint.objectId,
    modified,
  })
  const details: Audit['details'] = [
    ['AppId', agent.oid],
    ['AgentIdentityBlueprintId', blueprint.appId],
  ]
  const added: Target['modified'] = [
    ['AccountEnabled', '[]', '[true]'],
    ['AppPrincipalId', '[]', one(agent.oid)],
    ['DisplayName', '[]', one(agent.name)],
  ]
  const meaning = { kind: 'identity.changed', targets: [agent.oid] } as const
  const drafts = [audit(random, tenant, agent.createdAt, 'Add service principal', target(added), details, meaning)]
  for (const [from, to] of agent.disabled) {
    drafts.push(
      audit(
        random,
        tenant,
        from,
        'Update service principal',
        target([
          ['AccountEnabled', '[true]', '[false]'],
          ['Included Updated Properties', null, '"AccountEnabled"'],
        ]),
        details,
        meaning,
      ),
    )
    drafts.push(
      audit(
        random,
        tenant,
        to,
        'Update service principal',
        target([
          ['AccountEnabled', '[false]', '[true]'],
          ['Included Updated Properties', null, '"AccountEnabled"'],
        ]),
        details,
        meaning,
      ),
    )
  }
  if (agent.deletedAt !== null) drafts.push(audit(random, tenant, agent.deletedAt, 'Remove service principal', target([]), details, meaning))
  return drafts
}

function bridges(random: Random, tenant: Tenant): Draft[] {
  return tenant.agents.flatMap((agent) => {
    const { bridge } = agent
    const fic = agent.blueprint.fics[0]
    if (!bridge || !fic) return []
    const application = (modified: Target['modified']): Target => ({
      id: bridge.objectId,
      name: bridge.name,
      type: 'Application',
      modified,
    })
    const details: Audit['details'] = [['AppId', bridge.appId]]
    const principal: Target = {
      id: bridge.servicePrincipalOid,
      name: bridge.name,
      type: 'ServicePrincipal',
      modified: [
        ['AccountEnabled', '[]', '[true]'],
        ['AppPrincipalId', '[]', one(bridge.appId)],
        ['DisplayName', '[]', one(bridge.name)],
        ['ServicePrincipalType', '[]', one('Application')],
      ],
    }
    const at = fic.from
    return [
      audit(
        random,
        tenant,
        at + 2_000,
        'Add application',
        application([
          ['AppId', '[]', one(bridge.appId)],
          ['DisplayName', '[]', one(bridge.name)],
        ]),
        details,
        { kind: 'identity.changed', targets: [] },
      ),
      audit(random, tenant, at + 4_000, 'Add service principal', principal, details, {
        kind: 'identity.changed',
        targets: [bridge.servicePrincipalOid],
      }),
      ficChange(
        random,
        tenant,
        at + 6_000,
        application,
        details,
        [],
        [
          ficText(tenant, {
            id: bridge.ficId,
            name: `fic-${fic.identity.name}-bridge`,
            identity: fic.identity,
          }),
        ],
        [fic.identity.oid],
      ),
    ]
  })
}
