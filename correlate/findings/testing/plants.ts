/**
 * Cases of each rule to plant into a world: what makes the rule fire, with the records that the finding must rest on, and what is near to it and must not. Identities,
 * moments, clouds and counts are random; nothing planted for one rule concerns another.
 */
import type { Random } from '../../../simulate/random.ts'
import { createRole, GRAPH, guid, keyOf, TENANT, userIdentity, type World } from './world.ts'

export interface Plant {
  /** Adds the case; every label begins with `name`. Gives the labels that the finding's evidence must be. */
  readonly fires: (world: World, name: string, random: Random) => readonly string[]
  readonly near: (world: World, name: string, random: Random) => void
}

/** Both sign-in logs of the tenant, from days before to after everything that is planted. */
export function logs(world: World): void {
  for (const [label, time] of [
    ['begin', '-3 05:00'],
    ['end', '23:59'],
  ] as const) {
    world.signIn(`mi log ${label}`, time, { kind: 'managed-identity', oid: guid('mi of the log'), msiType: 'userAssigned' })
    world.signIn(`sp log ${label}`, time, { kind: 'blueprint', oid: guid('blueprint'), appId: guid('blueprint-app') })
  }
}

const clock = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
/** A moment of the day that leaves hours before and after it. */
const noon = (random: Random): number => random.int(10 * 60, 13 * 60)

/** An agent with a token for its Blueprint, issued minutes before. */
function agentOf(world: World, name: string, at: number, ip = '203.0.113.10'): string {
  const oid = guid(`${name} agent`)
  world.principal(`${name} created`, '-3 06:00', 'Add service principal', oid, { agent: true })
  world.signIn(`${name} token`, clock(at - 5), { kind: 'agent', oid, resource: guid('blueprint-app'), ip })
  return oid
}

/** An exchange on either cloud. */
function exchange(world: World, label: string, at: number, subject: string, random: Random): void {
  if (random.chance(0.5)) world.awsExchange(label, clock(at), { subject, key: keyOf(label) })
  else world.gcpExchange(label, clock(at), subject)
}

export const PLANTS: Readonly<Record<string, Plant>> = {
  'activity-after-revocation': {
    fires: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at)
      world.principal(`${name} deleted`, clock(at), 'Remove service principal', oid, { agent: true })
      world.signIn(`${name} after`, clock(at + random.int(1, 300)), { kind: 'agent', oid })
      return [`${name} deleted`, `${name} after`]
    },
    near: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at)
      world.principal(`${name} deleted`, clock(at), 'Remove service principal', oid, { agent: true })
      exchange(world, `${name} tail`, at + random.int(1, 200), oid, random)
    },
  },
  'audience-trap': {
    fires: (world, name, random) => {
      const at = noon(random)
      world.awsExchange(`${name} exchange`, clock(at), {
        subject: agentOf(world, name, at),
        audience: random.pick([GRAPH, 'https://graph.microsoft.com', 'https://management.azure.com/']),
      })
      return [`${name} exchange`]
    },
    near: (world, name, random) => {
      const at = noon(random)
      world.awsExchange(`${name} exchange`, clock(at), {
        subject: agentOf(world, name, at),
        audience: random.pick(['api://agent-cloud-federation', `api://${guid('blueprint-app')}`]),
      })
    },
  },
  'blueprint-token-misuse': {
    fires: (world, name, random) => {
      const at = noon(random)
      const oid = guid(`${name} blueprint`)
      world.signIn(`${name} t1`, clock(at - 5), { kind: 'blueprint', oid, appId: guid(`${name} blueprint-app`) })
      exchange(world, `${name} exchange`, at, oid, random)
      return [`${name} exchange`]
    },
    near: (world, name, random) =>
      void world.signIn(`${name} t1`, clock(noon(random)), { kind: 'blueprint', oid: guid(`${name} blueprint`), appId: guid(`${name} blueprint-app`) }),
  },
  'credential-used-from-new-address': {
    fires: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at, '198.51.100.7')
      world.awsExchange(`${name} exchange`, clock(at), { subject: oid, key: keyOf(name), ip: '198.51.100.7' })
      world.converse(`${name} home`, clock(at + 1), { key: keyOf(name), ip: '198.51.100.7' })
      world.converse(`${name} away`, clock(at + 2), { key: keyOf(name), ip: `192.0.2.${random.int(1, 250)}` })
      return [`${name} away`]
    },
    near: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at, '198.51.100.7')
      world.signIn(`${name} elsewhere`, clock(at - 60), { kind: 'agent', oid, ip: '198.51.100.8' })
      world.awsExchange(`${name} exchange`, clock(at), { subject: oid, key: keyOf(name), ip: '198.51.100.7' })
      world.converse(`${name} call`, clock(at + 2), { key: keyOf(name), ip: '198.51.100.8' })
    },
  },
  'entra-outage-coupling': {
    fires: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at)
      exchange(world, `${name} exchange`, at, oid, random)
      const labels = [1, 2].map((number) => `${name} failed ${number}`)
      for (const [index, label] of labels.entries())
        world.signIn(label, clock(at + 20 + index * random.int(1, 200)), { kind: 'agent', oid, error: random.pick(['90033', '90036', '90024']) })
      return labels
    },
    near: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at)
      exchange(world, `${name} exchange`, at, oid, random)
      world.signIn(`${name} failed`, clock(at + 20), { kind: 'agent', oid, error: '90033' })
      world.signIn(`${name} refused`, clock(at + 21), { kind: 'agent', oid, error: '7000112' })
    },
  },
  'exchange-without-issuance': {
    fires: (world, name, random) => {
      const oid = guid(`${name} agent`)
      world.principal(`${name} created`, '-3 06:00', 'Add service principal', oid, { agent: true })
      exchange(world, `${name} exchange`, noon(random), oid, random)
      return [`${name} exchange`]
    },
    near: (world, name, random) => {
      const at = noon(random)
      exchange(world, `${name} exchange`, at + random.int(1, 500), agentOf(world, name, at), random)
    },
  },
  'identity-claim-mismatch': {
    fires: (world, name, random) => {
      const at = noon(random)
      const other = agentOf(world, `${name} other`, at)
      world.awsExchange(`${name} exchange`, clock(at), { subject: agentOf(world, name, at), session: `${random.pick(['', 'run-'])}${other}` })
      return [`${name} exchange`]
    },
    near: (world, name, random) => {
      const at = noon(random)
      const oid = agentOf(world, name, at)
      world.awsExchange(`${name} exchange`, clock(at), { subject: oid, session: random.chance(0.5) ? oid : guid(`${name} nobody`) })
    },
  },
  'llm-probing': {
    fires: (world, name, random) => {
      const at = noon(random)
      world.awsExchange(`${name} exchange`, clock(at), { subject: agentOf(world, name, at), key: keyOf(name) })
      const labels = Array.from({ length: random.int(3, 5) }, (_, index) => `${name} call ${index}`)
      for (const [index, label] of labels.entries())
        world.converse(label, clock(at + index * 10), {
          key: keyOf(name),
          model: `vendor.model-${index}-v1:0`,
          error: random.pick(['AccessDeniedException', 'ValidationException']),
        })
      return labels
    },
    near: (world, name, random) => {
      const at = noon(random)
      world.awsExchange(`${name} exchange`, clock(at), { subject: agentOf(world, name, at), key: keyOf(name) })
      const throttled = random.chance(0.5)
      for (let index = 0; index < 4; index++)
        world.converse(`${name} call ${index}`, clock(at + index), {
          key: keyOf(name),
          model: `vendor.model-${throttled ? index : 0}-v1:0`,
          error: throttled ? 'ThrottlingException' : 'AccessDeniedException',
        })
    },
  },
  'logging-disabled': {
    fires: (world, name, random) => {
      world.aws(`${name} stop`, clock(noon(random)), {
        service: 'cloudtrail',
        name: random.pick(['StopLogging', 'DeleteTrail']),
        identity: userIdentity('admin'),
        request: { name: `${name} trail` },
      })
      return [`${name} stop`]
    },
    near: (world, name, random) =>
      void world.aws(`${name} start`, clock(noon(random)), {
        service: 'cloudtrail',
        name: random.pick(['StartLogging', 'CreateTrail', 'DescribeTrails']),
        identity: userIdentity('admin'),
        request: { name: `${name} trail` },
      }),
  },
  'revocation-incomplete': {
    fires: (world, name, random) => {
      const at = noon(random)
      const [oid, uami] = homeOf(world, name, at)
      exchange(world, `${name} before`, at, uami, random)
      const ending = random.int(0, 2)
      const blueprint = guid(`${name}-app`)
      if (ending === 0) world.principal(`${name} end`, clock(at + 1), 'Remove service principal', oid, { agent: true, blueprint })
      else if (ending === 1) world.principal(`${name} end`, clock(at + 1), 'Update service principal', oid, { agent: true, blueprint, enabled: false })
      else world.fics(`${name} end`, clock(at + 1), [uami], [], name)
      const labels = Array.from({ length: random.int(1, 3) }, (_, index) => `${name} after ${index}`)
      for (const [index, label] of labels.entries()) exchange(world, label, at + 2 + index * random.int(1, 90), uami, random)
      return [`${name} end`, ...labels]
    },
    near: (world, name, random) => {
      const at = noon(random)
      const [oid, uami] = homeOf(world, name, at)
      const blueprint = guid(`${name}-app`)
      world.awsExchange(`${name} before`, clock(at), { subject: uami, key: keyOf(name) })
      world.principal(`${name} deleted`, clock(at + 1), 'Remove service principal', oid, { agent: true, blueprint })
      const kind = random.int(0, 2)
      // The session from before, a refusal, another agent.
      if (kind === 0) world.converse(`${name} call`, clock(at + 2), { key: keyOf(name) })
      else if (kind === 1) world.awsExchange(`${name} refused`, clock(at + 2), { subject: uami, refused: true })
      else {
        world.principal(`${name} other`, clock(at + 2), 'Add service principal', guid(`${name} other agent`), { agent: true, blueprint })
        exchange(world, `${name} after`, at + 3, uami, random)
      }
    },
  },
  'secret-where-federation-expected': {
    fires: (world, name, random) => {
      const at = noon(random)
      world.signIn(`${name} secret`, clock(at), { kind: 'agent', oid: agentOf(world, name, at), credential: 'clientSecret' })
      return [`${name} secret`]
    },
    near: (world, name, random) =>
      void world.signIn(`${name} secret`, clock(noon(random)), {
        kind: 'service-principal',
        oid: guid(`${name} app`),
        appId: guid(`${name} app id`),
        credential: 'clientSecret',
      }),
  },
  'tenant-wide-trust': {
    fires: (world, name, random) => {
      const condition = random.chance(0.5) ? undefined : { StringEquals: { [`sts.windows.net/${TENANT}/:aud`]: 'api://agent-cloud-federation' } }
      world.aws(`${name} role`, clock(noon(random)), createRole(name.replaceAll(' ', '-'), [condition]))
      return [`${name} role`]
    },
    near: (world, name, random) =>
      void world.aws(
        `${name} role`,
        clock(noon(random)),
        createRole(name.replaceAll(' ', '-'), [{ StringEquals: { [`sts.windows.net/${TENANT}/:sub`]: guid(`${name} pinned`) } }]),
      ),
  },
  'topology-drift': {
    fires: (world, name, random) => {
      const at = noon(random)
      const [oid, uami] = homeOf(world, name, at)
      world.awsExchange(`${name} through`, clock(at), { subject: uami })
      world.awsExchange(`${name} itself`, clock(at + random.int(1, 120)), { subject: oid })
      return [`${name} through`, `${name} itself`]
    },
    near: (world, name, random) => {
      const at = noon(random)
      const [oid, uami] = homeOf(world, name, at)
      world.awsExchange(`${name} through`, clock(at), { subject: uami })
      world.gcpExchange(`${name} itself`, clock(at + 1), oid)
    },
  },
  'unknown-subject': {
    fires: (world, name, random) => {
      world.awsExchange(`${name} exchange`, clock(noon(random)), { subject: guid(`${name} stranger`) })
      return [`${name} exchange`]
    },
    near: (world, name, random) => void world.awsExchange(`${name} exchange`, clock(noon(random)), { subject: guid(`${name} stranger`), refused: true }),
  },
}

/** An agent on a Blueprint of its own, with a managed identity that no other agent has. */
function homeOf(world: World, name: string, at: number): readonly [agent: string, uami: string] {
  const [oid, uami] = [guid(`${name} agent`), guid(`${name} uami`)]
  world.fics(`${name} fic`, '-3 06:00', [], [uami], name)
  world.signIn(`${name} mi`, clock(at - 8), { kind: 'managed-identity', oid: uami, msiType: 'userAssigned' })
  world.signIn(`${name} token`, clock(at - 5), { kind: 'agent', oid, blueprint: guid(`${name}-app`), resource: guid(`${name}-app`) })
  return [oid, uami]
}
