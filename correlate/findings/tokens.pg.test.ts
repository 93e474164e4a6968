/** Rules about the tokens behind what an identity does. */
import { testRules } from './testing/cases.ts'
import { ACCOUNT, GRAPH, guid, keyOf, sessionIdentity, userIdentity, type World } from './testing/world.ts'

const AGENT = guid('agent')
const UAMI = guid('uami')
const BLUEPRINT = guid('blueprint')
const BLUEPRINT_APP = guid('blueprint-app')
const STRANGER = guid('stranger')
const SA = 'agent@agents-prod.iam.gserviceaccount.com'

/** Identities, and both sign-in logs from two days before. */
const base = (world: World): World =>
  world
    .fics('fic', '-3 06:01', [], [UAMI])
    .principal('agent-created', '-3 06:02', 'Add service principal', AGENT, { agent: true, name: 'Weather Agent' })
    .signIn('mi-log-begins', '-2 07:00', { kind: 'managed-identity', oid: guid('another'), msiType: 'userAssigned' })
    .signIn('sp-log-begins', '-2 07:00', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP })

/** Both sign-in logs have come this far. */
const until = (world: World, time: string): World =>
  world
    .signIn('mi-log-goes-on', time, { kind: 'managed-identity', oid: guid('another'), msiType: 'userAssigned' })
    .signIn('sp-log-goes-on', time, { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP })

const deleted = (world: World): World => base(world).principal('deleted', '10:00', 'Remove service principal', AGENT, { agent: true })

/** A subject of the Blueprint's exchange token: base64url of the .NET bytes of tenant and application. */
const eid1 = `/eid1/c/pub/t/EREREaqqu0uMzCIiIiIiIg/a/${Buffer.from(swapped(BLUEPRINT_APP), 'hex').toString('base64url')}/${AGENT}`

function swapped(id: string): string {
  const [a = '', b = '', c = '', ...rest] = id.split('-')
  const turn = (hex: string): string => hex.match(/../g)!.reverse().join('')
  return turn(a) + turn(b) + turn(c) + rest.join('')
}

testRules({
  'activity-after-revocation': [
    {
      name: 'fires when a deleted agent gets a new token',
      world: (world) => deleted(world).signIn('before', '09:50', { kind: 'agent', oid: AGENT }).signIn('after', '10:30', { kind: 'agent', oid: AGENT }),
      gives: [{ oids: [AGENT], evidence: ['deleted', 'after'], confidence: 'exact' }],
    },
    {
      name: 'fires on an exchange that no earlier token explains, and on what its session does',
      world: (world) =>
        deleted(world)
          .signIn('before', '08:00', { kind: 'agent', oid: AGENT })
          .awsExchange('exchange', '20:00', { subject: AGENT, key: keyOf('late') })
          .converse('call', '20:01', { key: keyOf('late') })
          .converse('refused', '20:02', { key: keyOf('late'), error: 'AccessDeniedException' }),
      gives: [{ oids: [AGENT], evidence: ['deleted', 'exchange', 'call'], confidence: 'derived' }],
    },
    {
      name: "fires on a disabled agent whose exchange is within a token's life, but for which none was issued",
      world: (world) =>
        until(base(world), '12:00')
          .principal('disabled', '10:00', 'Update service principal', AGENT, { agent: true, enabled: false })
          .awsExchange('exchange', '11:00', { subject: AGENT }),
      gives: [{ oids: [AGENT], evidence: ['disabled', 'exchange'], confidence: 'derived' }],
    },
    {
      name: 'says that it is only probable while the sign-in log has not come as far as the revocation',
      world: (world) =>
        base(world)
          .principal('disabled', '10:00', 'Update service principal', AGENT, { agent: true, enabled: false })
          .awsExchange('exchange', '11:00', { subject: AGENT }),
      gives: [{ oids: [AGENT], evidence: ['disabled', 'exchange'], confidence: 'probable' }],
    },
    {
      name: 'stays silent on a token from before, its exchange and its session, and on failures',
      world: (world) =>
        deleted(world)
          .signIn('before', '09:50', { kind: 'agent', oid: AGENT })
          .awsExchange('tail', '11:00', { subject: AGENT, key: keyOf('tail') })
          .converse('call', '11:01', { key: keyOf('tail') })
          .signIn('failed', '12:00', { kind: 'agent', oid: AGENT, error: '7000112' })
          .awsExchange('refused', '22:00', { subject: AGENT, refused: true }),
      gives: [],
    },
    {
      name: 'stays silent after the agent is restored or enabled again',
      world: (world) =>
        deleted(world)
          .principal('restored', '10:05', 'Restore service principal', AGENT, { agent: true })
          .signIn('after', '10:30', { kind: 'agent', oid: AGENT })
          .principal('disabled', '11:00', 'Update service principal', AGENT, { agent: true, enabled: false })
          .principal('enabled', '11:05', 'Update service principal', AGENT, { agent: true, enabled: true })
          .signIn('again', '11:30', { kind: 'agent', oid: AGENT }),
      gives: [],
    },
  ],
  'unknown-subject': [
    {
      name: 'fires on an object id that no Entra record names',
      world: (world) => until(base(world), '10:06').awsExchange('one', '10:00', { subject: STRANGER }).awsExchange('two', '10:05', { subject: STRANGER }),
      gives: [{ oids: [STRANGER], evidence: ['one', 'two'], confidence: 'derived' }],
    },
    {
      name: 'says that it is only probable while the sign-in logs have not come as far as the exchange',
      world: (world) => until(base(world), '10:04').awsExchange('one', '10:00', { subject: STRANGER }).awsExchange('two', '10:05', { subject: STRANGER }),
      gives: [{ oids: [STRANGER], evidence: ['one', 'two'], confidence: 'probable' }],
    },
    {
      name: 'says that it is only probable where the sign-in logs begin too late',
      world: (world) =>
        world.signIn('begin', '09:00', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP }).awsExchange('one', '10:00', { subject: STRANGER }),
      gives: [{ oids: [STRANGER], evidence: ['one'], confidence: 'probable' }],
    },
    {
      name: 'stays silent on what sign-ins, audits or federated credentials name',
      world: (world) =>
        base(world)
          .awsExchange('agent', '10:00', { subject: AGENT })
          .awsExchange('uami', '10:01', { subject: UAMI })
          .awsExchange('admin', '10:02', { subject: guid('admin') }),
      gives: [],
    },
    {
      name: 'stays silent on failures, other issuers, Sentinel, and tenants without Entra records',
      world: (world) =>
        base(world)
          .awsExchange('refused', '10:00', { subject: STRANGER, refused: true })
          .awsExchange('github', '10:01', { subject: STRANGER, issuer: 'token.actions.githubusercontent.com' })
          .awsExchange('sentinel', '10:02', {
            subject: STRANGER,
            issuer: 'sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/',
            session: 'MicrosoftSentinel_x',
          })
          .awsExchange('elsewhere', '10:03', { subject: STRANGER, issuer: `sts.windows.net/${guid('other-tenant')}/` }),
      gives: [],
    },
  ],
  'exchange-without-issuance': [
    {
      name: 'fires on an agent without a sign-in in nine hours',
      world: (world) =>
        base(world)
          .signIn('old', '-1 12:00', { kind: 'agent', oid: AGENT })
          .awsExchange('exchange', '10:00', { subject: AGENT })
          .signIn('later', '10:30', { kind: 'blueprint', oid: BLUEPRINT }),
      gives: [{ oids: [AGENT], evidence: ['exchange'], confidence: 'derived' }],
    },
    {
      name: 'fires on a managed identity without a sign-in in twenty-five hours, and says so while the log may be late',
      world: (world) => base(world).signIn('old', '-1 08:00', { kind: 'managed-identity', oid: UAMI }).awsExchange('exchange', '10:00', { subject: UAMI }),
      gives: [{ oids: [UAMI], evidence: ['exchange'], confidence: 'probable' }],
    },
    {
      name: "stays silent within the token's life, on refused exchanges and on unknown subjects",
      world: (world) =>
        base(world)
          .signIn('mi', '-1 10:00', { kind: 'managed-identity', oid: UAMI })
          .awsExchange('uami', '10:00', { subject: UAMI })
          .signIn('agent', '02:00', { kind: 'agent', oid: AGENT })
          .awsExchange('exchange', '10:00', { subject: AGENT })
          .awsExchange('refused', '22:00', { subject: AGENT, refused: true })
          .awsExchange('stranger', '10:00', { subject: STRANGER }),
      gives: [],
    },
    {
      name: 'stays silent where the sign-in log of that kind does not reach back',
      world: (world) =>
        world
          .fics('fic', '-3 06:01', [], [UAMI])
          .principal('agent-created', '-3 06:02', 'Add service principal', AGENT, { agent: true })
          .signIn('sp-log', '08:00', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP })
          .signIn('mi-log', '-2 08:00', { kind: 'managed-identity', oid: guid('another') })
          .awsExchange('exchange', '10:00', { subject: AGENT }),
      gives: [],
    },
  ],
  'blueprint-token-misuse': [
    {
      name: 'fires on an /eid1/ subject, accepted or refused, on both clouds',
      world: (world) => base(world).awsExchange('aws', '10:00', { subject: eid1, refused: true }).gcpExchange('gcp', '10:01', eid1),
      gives: [{ oids: [BLUEPRINT, AGENT], evidence: ['aws', 'gcp'] }],
    },
    {
      name: "fires on the Blueprint's own principal, at a cloud and at an API",
      world: (world) => base(world).awsExchange('aws', '10:00', { subject: BLUEPRINT }).api('api', '10:05', { oid: BLUEPRINT, appId: BLUEPRINT_APP }),
      gives: [{ oids: [BLUEPRINT], evidence: ['aws', 'api'] }],
    },
    {
      name: 'stays silent on the agent itself',
      world: (world) => base(world).awsExchange('aws', '10:00', { subject: AGENT }).api('api', '10:05', { oid: AGENT }),
      gives: [],
    },
    {
      name: "stays silent on the Blueprint's sign-ins and on other service principals",
      world: (world) =>
        base(world)
          .signIn('t1', '09:59', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP })
          .signIn('bridge', '09:59', { kind: 'service-principal', oid: guid('bridge'), appId: guid('bridge-app') })
          .awsExchange('aws', '10:00', { subject: guid('bridge') }),
      gives: [],
    },
  ],
  'secret-where-federation-expected': [
    {
      name: 'fires on a Blueprint that signs in with a secret, and on its refused secrets',
      world: (world) =>
        base(world)
          .signIn('secret', '10:00', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP, credential: 'clientSecret' })
          .signIn('expired', '10:05', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP, error: '7000222', credential: 'clientSecret' }),
      gives: [{ oids: [BLUEPRINT], evidence: ['secret', 'expired'] }],
    },
    {
      name: "fires on model calls with an IAM user's key, and with a Bedrock API key in a federated session",
      world: (world) =>
        base(world)
          .aws('static', '10:00', {
            service: 'bedrock',
            name: 'InvokeModel',
            identity: userIdentity('developer', 'AKIAABCDEFGH12345678'),
            request: { modelId: 'amazon.nova-lite-v1:0' },
          })
          .awsExchange('exchange', '10:00', { subject: AGENT, key: keyOf('bearer') })
          .converse('bearer', '10:01', { key: keyOf('bearer'), bearer: true }),
      gives: [
        { oids: [], evidence: ['static'] },
        { oids: [AGENT], evidence: ['bearer'] },
      ],
    },
    {
      name: "fires on model calls with the root user's key, which is no IAM user's",
      world: (world) =>
        base(world).aws('root', '10:00', {
          service: 'bedrock',
          name: 'InvokeModel',
          identity: { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT, accessKeyId: 'AKIAABCDEFGH12345679' },
          request: { modelId: 'amazon.nova-lite-v1:0' },
        }),
      gives: [{ oids: [], evidence: ['root'] }],
      says: "with the root user's key",
    },
    {
      name: 'fires on a model call with a service-account key, and on any use by key of an account that is federated',
      world: (world) =>
        base(world)
          .generate('by-key', '10:00', { account: 'plain@agents-prod.iam.gserviceaccount.com', byKey: true })
          .gcpProvider('provider', '-1 06:00', { condition: `assertion.sub == '${AGENT}'` })
          .gcpExchange('exchange', '10:00', AGENT)
          .generate('federated', '10:01', { account: SA, subject: AGENT })
          .gcp('list', '11:00', {
            service: 'storage.googleapis.com',
            method: 'storage.objects.list',
            authentication: { principalEmail: SA, serviceAccountKeyName: '//iam.googleapis.com/x/keys/abc' },
          }),
      gives: [
        { oids: [], evidence: ['by-key'] },
        { oids: [AGENT], evidence: ['list'] },
      ],
    },
    {
      name: 'stays silent on other applications with a secret, and on federated sign-ins',
      world: (world) =>
        base(world)
          .signIn('other', '10:00', { kind: 'service-principal', oid: guid('erp'), appId: guid('erp-app'), credential: 'clientSecret' })
          .signIn('other-expired', '10:01', { kind: 'service-principal', oid: guid('erp'), appId: guid('erp-app'), error: '7000222' })
          .signIn('federated', '10:02', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP })
          .signIn('refused', '10:03', { kind: 'blueprint', oid: BLUEPRINT, appId: BLUEPRINT_APP, error: '700213' }),
      gives: [],
    },
    {
      name: 'stays silent on personal keys without model calls, and on federated model calls',
      world: (world) =>
        base(world)
          .aws('list', '10:00', { service: 's3', name: 'ListBuckets', identity: userIdentity('developer', 'AKIAABCDEFGH12345678') })
          .awsExchange('exchange', '10:00', { subject: AGENT, key: keyOf('fine') })
          .converse('call', '10:01', { key: keyOf('fine') })
          .gcp('storage', '11:00', {
            service: 'storage.googleapis.com',
            method: 'storage.objects.list',
            authentication: { principalEmail: 'backup@x.iam.gserviceaccount.com', serviceAccountKeyName: '//iam/keys/abc' },
          })
          .aws('service', '11:01', {
            service: 'bedrock',
            name: 'Converse',
            identity: sessionIdentity(keyOf('unseen')),
            request: { modelId: 'amazon.nova-lite-v1:0' },
          }),
      gives: [],
    },
  ],
  'entra-outage-coupling': [
    {
      name: 'fires on two failures of Entra itself within six hours, for an agent that federates itself',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '08:00', { subject: AGENT })
          .signIn('one', '10:00', { kind: 'agent', oid: AGENT, error: '90033' })
          .signIn('two', '15:59', { kind: 'agent', oid: AGENT, error: '90033', resource: GRAPH }),
      gives: [{ oids: [AGENT], evidence: ['one', 'two'] }],
    },
    {
      name: 'stays silent under Option 1',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '08:00', { subject: UAMI })
          .signIn('one', '10:00', { kind: 'agent', oid: AGENT, error: '90033' })
          .signIn('two', '10:05', { kind: 'agent', oid: AGENT, error: '90033' }),
      gives: [],
    },
    {
      name: 'stays silent on one failure, on failures far apart, and on faults of the client',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '08:00', { subject: AGENT })
          .signIn('one', '01:00', { kind: 'agent', oid: AGENT, error: '90033' })
          .signIn('two', '10:00', { kind: 'agent', oid: AGENT, error: '90033' })
          .signIn('client', '10:01', { kind: 'agent', oid: AGENT, error: '700016' })
          .signIn('client-again', '10:02', { kind: 'agent', oid: AGENT, error: '65001' }),
      gives: [],
    },
  ],
})
