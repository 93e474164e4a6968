/** Makes up the cast of a world from its seed. */
import type { Agent, Blueprint, ManagedIdentity, Person, Tenant, World } from './cast.ts'
import { BASE32, createRandom, DIGITS } from './random.ts'
import type { Random } from './random.ts'

const DAY = 86_400_000
const TENANT_NAMES = ['kelp', 'birch', 'heron', 'quartz', 'lumen', 'fjord', 'cedar', 'moss'] as const
const STORY = [
  { name: 'Weather', blueprint: 'Weather', topology: 'option-2' },
  { name: 'Pilot', blueprint: 'Port', topology: 'option-1' },
  { name: 'Tide', blueprint: 'Port', topology: 'option-1' },
  { name: 'Crane', blueprint: 'Port', topology: 'option-1' },
  { name: 'Books', blueprint: 'Books', topology: 'bridge' },
  { name: 'Harbour', blueprint: 'Harbour', topology: 'option-1' },
  { name: 'Rail', blueprint: 'Rail', topology: 'option-2' },
  { name: 'Quote', blueprint: 'Weather', topology: 'option-2' },
] as const

/** Changes fall on half seconds and nothing else does (see `offBeat`): no record shares its instant with a change of the directory. */
const onBeat = (at: number) => Math.floor(at / 1000) * 1000 + 500

/**
 * Builds the cast. Agents come in stories of eight: 0 and 7 Option 2 on one Blueprint (7 is deleted late), 1–3 Option 1 on one shared managed
 * identity (3 is created late; in odd stories 2 is disabled for a while), 4 the bridge on a system-assigned identity, 5 Option 1 on its own
 * identity, which is re-created so that trusts go stale (in odd stories a system-assigned one instead), 6 Option 2 with a role chain.
 */
export function castWorld(seed: number, agentCount: number, start: number, days: number): World {
  const stories = Math.ceil(agentCount / STORY.length)
  const tenants = Array.from({ length: Math.min(stories, TENANT_NAMES.length) }, (_, index) => castTenant(createRandom(seed, `tenant ${index}`), index))
  const world: World = { start, end: start + days * DAY, tenants }
  for (let story = 0; story < stories; story++) {
    const tenant = tenants[story % tenants.length]
    if (tenant) castStory(createRandom(seed, `story ${story}`), world, tenant, story, Math.min(STORY.length, agentCount - story * STORY.length))
  }
  return world
}

function castTenant(random: Random, index: number): Tenant {
  const domain = `${TENANT_NAMES[index]}.example`
  const accounts = [random, random, random].map((each) => `${each.int(1, 9)}${each.text(DIGITS, 11)}`)
  const person = (name: string): Person => ({
    oid: random.guid(),
    name,
    ip: `203.0.113.${random.int(1, 254)}`,
    accessKey: `AKIA${random.text(BASE32, 16)}`,
    principalId: `AIDA${random.text(BASE32, 17)}`,
  })
  return {
    index,
    id: random.guid(),
    domain,
    workspaceId: random.guid(),
    subscription: random.guid(),
    admin: person('platform-admin'),
    people: [person('alice'), person('bob'), person('chandra')],
    blueprints: [],
    agents: [],
    api: { appId: random.guid(), servicePrincipalOid: random.guid(), name: 'Weather API' },
    accounts: [accounts[0] ?? '', accounts[1] ?? '', accounts[2] ?? ''],
    regions: ['us-west-2', 'us-east-1'],
    gcp: {
      projectId: `agents-prod-${random.text(DIGITS, 5)}`,
      projectNumber: `5${random.text(DIGITS, 11)}`,
      pool: 'entra-pool',
    },
    chainRoleIds: [`AROA${random.text(BASE32, 17)}`, `AROA${random.text(BASE32, 17)}`],
  }
}

function castStory(random: Random, world: World, tenant: Tenant, story: number, size: number): void {
  const span = world.end - world.start
  const suffix = story < TENANT_NAMES.length ? '' : ` ${story + 1}`
  const odd = story % 2 === 1
  // Set-up takes the first minutes; stories of one tenant follow each other.
  let clock = world.start + (story % 60) * 60_000
  const next = () => (clock = onBeat(clock + random.int(4_000, 12_000)))
  const identity = (name: string, kind: ManagedIdentity['kind'], createdAt: number, deletedAt: number | null = null): ManagedIdentity => ({
    oid: random.guid(),
    clientId: random.guid(),
    name,
    kind,
    armId:
      kind === 'userAssigned'
        ? `/subscriptions/${tenant.subscription}/resourcegroups/rg-agents/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`
        : `/subscriptions/${tenant.subscription}/resourcegroups/rg-agents/providers/Microsoft.App/containerApps/${name}`,
    createdAt,
    deletedAt,
  })
  const known = new Map<
    string,
    {
      blueprint: Blueprint
      hosts: ManagedIdentity[]
      ip: string
      stale: readonly [number, number] | null
    }
  >()

  for (const [index, role] of STORY.slice(0, size).entries()) {
    const slug = `${role.name}${suffix}`.toLowerCase().replaceAll(' ', '-')
    let home = known.get(role.blueprint)
    if (!home) {
      const host = `mi-${role.blueprint.toLowerCase()}${suffix.replace(' ', '-')}-host`
      const systemAssigned = role.topology === 'bridge' || (index === 5 && odd)
      const recreated = index === 5 && !odd ? onBeat(world.start + span * 0.4) : null
      const repaired = recreated === null ? null : onBeat(world.start + span * 0.55)
      const hosts = [identity(host, systemAssigned ? 'systemAssigned' : 'userAssigned', next(), recreated)]
      if (recreated !== null) hosts.push(identity(host, 'userAssigned', recreated + 60_000))
      const blueprint: Blueprint = {
        appId: random.guid(),
        objectId: random.guid(),
        servicePrincipalOid: random.guid(),
        name: `${role.blueprint} Blueprint${suffix}`,
        createdAt: next(),
        fics: [],
        agents: [],
      }
      const first = hosts[0]
      const second = hosts[1]
      if (first)
        blueprint.fics.push({
          id: random.guid(),
          name: `fic-${host}`,
          identity: first,
          from: onBeat(next() + 10_000),
          to: repaired,
        })
      if (second && repaired !== null)
        blueprint.fics.push({
          id: random.guid(),
          name: `fic-${host}`,
          identity: second,
          from: repaired,
          to: null,
        })
      tenant.blueprints.push(blueprint)
      home = {
        blueprint,
        hosts,
        ip: documentationAddress(tenant, random),
        stale: recreated !== null && repaired !== null ? [recreated, repaired] : null,
      }
      known.set(role.blueprint, home)
      clock += 20_000
    }
    const late = index === 3 ? onBeat(world.start + span * 0.3) : null
    const agent: Agent = {
      oid: random.guid(),
      name: `${role.name} Agent${suffix}`,
      tenant,
      blueprint: home.blueprint,
      topology: role.topology,
      hosts: home.hosts,
      createdAt: late ?? next(),
      deletedAt: index === 7 ? onBeat(world.start + span * 0.8) : null,
      disabled: index === 2 && odd ? [[onBeat(world.start + span * 0.5), onBeat(world.start + span * 0.65)]] : [],
      staleTrust: home.stale,
      ip: home.ip,
      aws:
        index === 7
          ? null
          : {
              role: `${role.topology === 'option-1' ? role.blueprint : role.name}${suffix.replace(' ', '')}AgentBedrock`,
              roleId: `AROA${random.text(BASE32, 17)}`,
              sessionName: role.topology === 'bridge' ? null : slug,
              chain: index === 6,
            },
      gcp:
        index === 4 || index === 6
          ? null
          : {
              serviceAccount: `${role.topology === 'option-1' ? role.blueprint.toLowerCase() + suffix.replace(' ', '-') : slug}-agent@${tenant.gcp.projectId}.iam.gserviceaccount.com`,
              uniqueId: `1${random.text(DIGITS, 20)}`,
              provider: `entra-${role.topology === 'option-1' ? home.hosts[0]?.name : slug}`,
              mintShape: index === 7 || index === 5 || (index === 2 && odd) ? '2026' : '2024',
            },
      bridge:
        role.topology === 'bridge'
          ? {
              appId: random.guid(),
              objectId: random.guid(),
              servicePrincipalOid: random.guid(),
              name: 'AWS STS Bedrock Federation',
              ficId: random.guid(),
            }
          : null,
      onBehalfOf: index === 0,
    }
    home.blueprint.agents.push(agent)
    tenant.agents.push(agent)
  }
  shareTrusts(tenant)
}

/** Agents on one managed identity share one role and one service account (Option 1): same ids. */
function shareTrusts(tenant: Tenant): void {
  const roles = new Map<string, string>()
  const accounts = new Map<string, string>()
  for (const [index, agent] of tenant.agents.entries()) {
    const roleId = agent.aws && (roles.get(agent.aws.role) ?? agent.aws.roleId)
    if (agent.aws && roleId) roles.set(agent.aws.role, roleId)
    const uniqueId = agent.gcp && (accounts.get(agent.gcp.serviceAccount) ?? agent.gcp.uniqueId)
    if (agent.gcp && uniqueId) accounts.set(agent.gcp.serviceAccount, uniqueId)
    const shared: Agent = {
      ...agent,
      aws: agent.aws && { ...agent.aws, roleId: roleId ?? agent.aws.roleId },
      gcp: agent.gcp && { ...agent.gcp, uniqueId: uniqueId ?? agent.gcp.uniqueId },
    }
    tenant.agents[index] = shared
    const list = agent.blueprint.agents
    list[list.indexOf(agent)] = shared
  }
}

/** An egress address that no other host of the tenant has while there is one left, and no other tenant ever: 62 for each of the eight tenants. */
function documentationAddress(tenant: Tenant, random: Random): string {
  const taken = new Set(tenant.agents.map((agent) => agent.ip))
  const address = () => `${random.pick(['192.0.2', '198.51.100'])}.${tenant.index * 31 + random.int(1, 31)}`
  let found = address()
  for (let attempt = 0; attempt < 600 && taken.has(found); attempt++) found = address()
  return found
}
