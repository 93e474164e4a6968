/** The rule about managed identities that outlive their agents. */
import { testRules } from './testing/cases.ts'
import { guid, keyOf, type World } from './testing/world.ts'

const [A, B, UAMI, BRIDGE] = [guid('agent a'), guid('agent b'), guid('uami'), guid('bridge')]

/** A managed identity that agent A, made in advance, can use. */
const base = (world: World): World =>
  world
    .principal('mi created', '-2 06:00', 'Add service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' })
    .fics('fic', '-2 06:01', [], [UAMI])
    .principal('a created', '-2 06:02', 'Add service principal', A, { agent: true })
const removed = (world: World): World => base(world).principal('a removed', '10:00', 'Remove service principal', A, { agent: true })
const fires = (end: string, exchanges: readonly string[], agents: readonly string[] = [A]) => [
  { oids: [UAMI, ...agents], evidence: [end, ...exchanges], confidence: 'derived' },
]

testRules({
  'revocation-incomplete': [
    {
      name: 'fires on exchanges with both clouds after the last agent was deleted, in one finding',
      world: (world) => removed(world).awsExchange('aws', '11:00', { subject: UAMI }).gcpExchange('gcp', '11:01', UAMI),
      gives: fires('a removed', ['aws', 'gcp']),
      says: 'was deleted at 2026-09-10T10:00:00Z',
    },
    {
      name: 'fires after the agent was disabled',
      world: (world) =>
        base(world).principal('disabled', '10:00', 'Update service principal', A, { agent: true, enabled: false }).gcpExchange('gcp', '11:00', UAMI),
      gives: fires('disabled', ['gcp']),
      says: 'was disabled',
    },
    {
      name: 'fires after the federated credential was taken away, though the agent lives',
      world: (world) => base(world).fics('fic removed', '10:00', [UAMI], []).awsExchange('aws', '11:00', { subject: UAMI }),
      gives: fires('fic removed', ['aws']),
      says: 'lost its federated credential',
    },
    {
      name: 'fires after the Blueprint was deleted',
      world: (world) =>
        base(world)
          .audit('blueprint deleted', '10:00', 'Delete application', { id: guid('blueprint-object'), type: 'Application', displayName: 'blueprint' })
          .awsExchange('aws', '11:00', { subject: UAMI }),
      gives: fires('blueprint deleted', ['aws']),
      says: 'lost its Blueprint',
    },
    {
      name: 'of several agents names the one that went last',
      world: (world) =>
        base(world)
          .principal('b created', '-2 06:03', 'Add service principal', B, { agent: true })
          .principal('b removed', '09:00', 'Remove service principal', B, { agent: true })
          .awsExchange('still a', '09:30', { subject: UAMI })
          .principal('a removed', '10:00', 'Remove service principal', A, { agent: true })
          .awsExchange('aws', '11:00', { subject: UAMI }),
      gives: fires('a removed', ['aws']),
    },
    {
      name: 'tells of each time that nobody was left',
      world: (world) =>
        removed(world)
          .awsExchange('first', '10:30', { subject: UAMI })
          .principal('b created', '11:00', 'Add service principal', B, { agent: true })
          .awsExchange('of b', '11:30', { subject: UAMI })
          .principal('b removed', '12:00', 'Remove service principal', B, { agent: true })
          .awsExchange('second', '12:30', { subject: UAMI }),
      gives: [{ oids: [UAMI, A, B], evidence: ['a removed', 'first', 'b removed', 'second'] }],
    },
    {
      name: 'fires on the bridge that stands between the managed identity and the cloud',
      world: (world) =>
        removed(world)
          .fics('bridge fic', '-2 06:05', [], [UAMI], 'bridge')
          .signIn('bridge sign-in', '10:59', { kind: 'service-principal', oid: BRIDGE, appId: guid('bridge-app') })
          .awsExchange('aws', '11:00', { subject: BRIDGE }),
      gives: [{ oids: [BRIDGE, A], evidence: ['a removed', 'aws'] }],
    },
    {
      name: 'stays silent while another agent can use the identity',
      world: (world) =>
        removed(world).principal('b created', '-2 06:03', 'Add service principal', B, { agent: true }).awsExchange('aws', '11:00', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent where an agent that was created meanwhile can use it',
      world: (world) =>
        removed(world).principal('b created', '10:30', 'Add service principal', B, { agent: true }).awsExchange('aws', '11:00', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent where the agents of another Blueprint can use it',
      world: (world) =>
        removed(world)
          .fics('other fic', '-2 06:04', [], [UAMI], 'other')
          .principal('b created', '-2 06:05', 'Add service principal', B, { agent: true, blueprint: guid('other-app') })
          .awsExchange('aws', '11:00', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent on refusals',
      world: (world) => removed(world).awsExchange('aws', '11:00', { subject: UAMI, refused: true }).gcpExchange('gcp', '11:01', UAMI, { code: 7 }),
      gives: [],
    },
    {
      name: 'stays silent on what is done in sessions that began before',
      world: (world) =>
        removed(world)
          .awsExchange('aws', '09:59', { subject: UAMI, key: keyOf('k') })
          .converse('call', '10:30', { key: keyOf('k') })
          .gcpExchange('gcp', '09:59', UAMI)
          .generate('call on gcp', '10:30', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent on an identity that never led to an agent, with a federated credential and without',
      world: (world) =>
        world
          .principal('mi created', '-2 06:00', 'Add service principal', UAMI, { type: 'ManagedIdentity' })
          .fics('fic', '-2 06:01', [], [UAMI])
          .fics('fic removed', '09:00', [UAMI], [])
          .awsExchange('aws', '11:00', { subject: UAMI })
          .awsExchange('stranger', '11:00', { subject: guid('stranger') }),
      gives: [],
    },
    {
      name: 'stays silent on what the identity exchanged before its first agent',
      world: (world) =>
        world
          .fics('fic', '08:00', [], [UAMI])
          .awsExchange('aws', '09:00', { subject: UAMI })
          .principal('a created', '09:30', 'Add service principal', A, { agent: true })
          .principal('a removed', '10:00', 'Remove service principal', A, { agent: true }),
      gives: [],
    },
    {
      name: 'stays silent once the agent is restored or enabled again',
      world: (world) =>
        removed(world)
          .principal('restored', '10:30', 'Restore service principal', A, { agent: true })
          .awsExchange('aws', '11:00', { subject: UAMI })
          .principal('disabled', '11:30', 'Update service principal', A, { agent: true, enabled: false })
          .principal('enabled', '11:40', 'Update service principal', A, { agent: true, enabled: true })
          .gcpExchange('gcp', '12:00', UAMI),
      gives: [],
    },
    {
      name: 'stays silent once the federated credential is back',
      world: (world) => base(world).fics('removed', '10:00', [UAMI], []).fics('added', '10:30', [], [UAMI]).awsExchange('aws', '11:00', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent on an agent that federates itself (that is activity-after-revocation)',
      world: (world) => removed(world).awsExchange('aws', '11:00', { subject: A }),
      gives: [],
    },
  ],
})
