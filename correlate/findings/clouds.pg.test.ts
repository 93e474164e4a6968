/** Rules about what is done in the clouds with a credential. */
import { testRules } from './testing/cases.ts'
import { POOL, PROJECT, guid, keyOf, sessionIdentity, userIdentity, type World } from './testing/world.ts'

const AGENT = guid('agent')
const OTHER = guid('agent-2')
const UAMI = guid('uami')
const KEY = keyOf('session')
const HOME = '203.0.113.10'
const AWAY = '198.51.100.66'

/** Two agents of one Blueprint; the managed identity could be either's. */
const base = (world: World): World =>
  world
    .fics('fic', '-2 06:01', [], [UAMI])
    .principal('agent-created', '-2 06:02', 'Add service principal', AGENT, { agent: true })
    .principal('other-created', '-2 06:03', 'Add service principal', OTHER, { agent: true })
    .signIn('t1', '-2 07:00', { kind: 'blueprint', oid: guid('blueprint'), appId: guid('blueprint-app') })
    .gcpProvider('provider', '-2 07:00', { condition: `assertion.sub == '${AGENT}'` })

/** One agent only. */
const alone = (world: World): World =>
  world
    .fics('fic', '-2 06:01', [], [UAMI])
    .principal('agent-created', '-2 06:02', 'Add service principal', AGENT, { agent: true })
    .gcpProvider('provider', '-2 07:00', { condition: 'x == "y"' })

const discover = (world: World, label: string, time: string, name: string): World =>
  world.aws(label, time, { service: 'bedrock', name, identity: sessionIdentity(KEY) })

testRules({
  'credential-used-from-new-address': [
    {
      name: 'fires on an AWS session that is used from an address its agent never used',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '10:00', { subject: AGENT, key: KEY, ip: HOME })
          .converse('home', '10:01', { key: KEY, ip: HOME })
          .converse('away', '10:02', { key: KEY, ip: AWAY }),
      gives: [{ oids: [AGENT], evidence: ['away'] }],
    },
    {
      name: 'fires on a Google session in the same way, through failures, too',
      world: (world) =>
        base(world)
          .gcpExchange('exchange', '10:00', AGENT, { ip: HOME })
          .generate('home', '10:01', { subject: AGENT, ip: HOME })
          .generate('away', '10:02', { subject: AGENT, ip: AWAY, code: 7 }),
      gives: [{ oids: [AGENT], evidence: ['away'] }],
    },
    {
      name: 'stays silent where the agent signed in or called an API from there, or the session was exchanged there',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '10:00', { subject: AGENT, key: KEY, ip: HOME })
          .converse('home', '10:01', { key: KEY, ip: HOME })
          .converse('away', '10:02', { key: KEY, ip: AWAY })
          .converse('third', '10:03', { key: KEY, ip: '192.0.2.5' })
          .signIn('signed-in', '09:00', { kind: 'agent', oid: AGENT, ip: AWAY })
          .api('called', '11:00', { oid: AGENT, ip: '192.0.2.5' }),
      gives: [],
    },
    {
      name: "stays silent on services on the caller's behalf, on what is no address, and on keys without a subject",
      world: (world) =>
        base(world)
          .awsExchange('exchange', '10:00', { subject: AGENT, key: KEY, ip: HOME })
          .converse('service', '10:01', { key: KEY, ip: 'bedrock.amazonaws.com' })
          .converse('behalf', '10:02', { key: KEY, ip: AWAY, invokedBy: 'AWS Internal' })
          .converse('unseen', '10:03', { key: keyOf('unseen'), ip: AWAY })
          .gcpExchange('gcp', '10:00', AGENT, { ip: HOME })
          .generate('private', '10:01', { subject: AGENT, ip: 'private' }),
      gives: [],
    },
  ],
  'identity-claim-mismatch': [
    {
      name: 'fires on a session name that holds another known agent, on every event that carries it',
      world: (world) =>
        base(world).awsExchange('exchange', '10:00', { subject: AGENT, key: KEY, session: OTHER }).converse('call', '10:01', { key: KEY, session: OTHER }),
      gives: [{ oids: [AGENT, OTHER], evidence: ['exchange', 'call'] }],
    },
    {
      name: 'fires on a request label on Google',
      world: (world) =>
        base(world)
          .gcpExchange('exchange', '10:00', AGENT)
          .generate('call', '10:01', { subject: AGENT, labels: { agent_oid: OTHER } }),
      gives: [{ oids: [AGENT, OTHER], evidence: ['call'] }],
    },
    {
      name: 'stays silent on the subject, a candidate, the Blueprint and the managed identity',
      world: (world) =>
        base(world)
          .awsExchange('itself', '10:00', { subject: AGENT, session: AGENT })
          .awsExchange('candidate', '10:01', { subject: UAMI, session: OTHER })
          .awsExchange('blueprint', '10:02', { subject: AGENT, session: guid('blueprint') })
          .awsExchange('identity', '10:03', { subject: AGENT, session: UAMI })
          .awsExchange('application', '10:04', { subject: AGENT, session: guid('blueprint-app') }),
      gives: [],
    },
    {
      name: 'stays silent on unknown ids and where nothing is proven',
      world: (world) =>
        base(world)
          .awsExchange('unknown', '10:00', { subject: AGENT, session: guid('nobody') })
          .converse('unproven', '10:01', { key: keyOf('unseen'), session: OTHER }),
      gives: [],
    },
  ],
  'topology-drift': [
    {
      name: 'fires when an agent exchanges as itself and through its own managed identity',
      world: (world) =>
        alone(world)
          .awsExchange('itself', '10:00', { subject: AGENT })
          .awsExchange('through', '09:00', { subject: UAMI })
          .awsExchange('again', '11:00', { subject: UAMI }),
      gives: [{ oids: [AGENT, UAMI], evidence: ['itself', 'through', 'again'], confidence: 'derived' }],
    },
    {
      name: 'fires over a shared managed identity only where the two do not overlap',
      world: (world) =>
        base(world)
          .awsExchange('shared', '09:00', { subject: UAMI })
          .awsExchange('itself', '10:00', { subject: AGENT })
          .awsExchange('later', '11:00', { subject: AGENT }),
      gives: [{ oids: [AGENT, UAMI], evidence: ['shared', 'itself', 'later'], confidence: 'probable' }],
    },
    {
      name: 'stays silent over a shared managed identity that goes on being used meanwhile',
      world: (world) =>
        base(world)
          .awsExchange('shared', '09:00', { subject: UAMI })
          .awsExchange('itself', '10:00', { subject: AGENT })
          .awsExchange('meanwhile', '11:00', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent across clouds, on refused exchanges and on bridges',
      world: (world) =>
        alone(world)
          .fics('bridge-fic', '-2 06:04', [], [UAMI], 'bridge')
          .signIn('bridge', '08:00', { kind: 'service-principal', oid: guid('bridge-sp'), appId: guid('bridge-app') })
          .awsExchange('bridged', '09:00', { subject: guid('bridge-sp') })
          .awsExchange('itself', '10:00', { subject: AGENT })
          .awsExchange('refused', '10:30', { subject: UAMI, refused: true })
          .gcpExchange('google', '11:00', UAMI),
      gives: [],
    },
  ],
  'llm-probing': [
    {
      name: 'fires when one key is refused on three models within an hour',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '10:00', { subject: AGENT, key: KEY })
          .converse('one', '10:01', { key: KEY, model: 'anthropic.claude-v2', error: 'AccessDeniedException' })
          .converse('two', '10:30', { key: KEY, model: 'amazon.nova-lite-v1:0', error: 'ValidationException' })
          .converse('three', '10:59', { key: KEY, model: 'meta.llama3-1-70b-instruct-v1:0', error: 'ResourceNotFoundException' }),
      gives: [{ oids: [AGENT], evidence: ['one', 'two', 'three'] }],
    },
    {
      name: 'fires when one model is refused in three regions, on Google as well',
      world: (world) =>
        base(world)
          .gcpExchange('exchange', '10:00', AGENT)
          .generate('one', '10:01', { subject: AGENT, location: 'us-central1', code: 7 })
          .generate('two', '10:02', { subject: AGENT, location: 'europe-west4', code: 8 })
          .generate('three', '10:03', { subject: AGENT, location: 'asia-east1', code: 3 }),
      gives: [{ oids: [AGENT], evidence: ['one', 'two', 'three'] }],
    },
    {
      name: 'fires on two kinds of discovery and one refusal',
      world: (world) =>
        discover(discover(base(world), 'list', '10:00', 'ListFoundationModels'), 'available', '10:01', 'GetFoundationModelAvailability').converse(
          'refused',
          '10:02',
          { key: KEY, error: 'AccessDeniedException' },
        ),
      gives: [{ oids: [], evidence: ['list', 'available', 'refused'] }],
    },
    {
      name: 'stays silent on throttling and on repeats on one model',
      world: (world) =>
        base(world)
          .converse('one', '10:01', { key: KEY, model: 'anthropic.claude-v2', error: 'ThrottlingException' })
          .converse('two', '10:02', { key: KEY, model: 'amazon.nova-lite-v1:0', error: 'ThrottlingException' })
          .converse('three', '10:03', { key: KEY, model: 'meta.llama3-1-70b-instruct-v1:0', error: 'ThrottlingException' })
          .converse('same', '10:04', { key: KEY, error: 'AccessDeniedException' })
          .converse('same-2', '10:05', { key: KEY, error: 'AccessDeniedException' })
          .converse('same-3', '10:06', { key: KEY, model: 'us.anthropic.claude-3-haiku-20240307-v1:0', error: 'AccessDeniedException' }),
      gives: [],
    },
    {
      name: 'stays silent on refusals spread over hours, over keys, and on discovery alone',
      world: (world) =>
        discover(discover(base(world), 'list', '05:00', 'ListFoundationModels'), 'available', '05:01', 'GetFoundationModelAvailability')
          .converse('one', '10:00', { key: KEY, model: 'anthropic.claude-v2', error: 'AccessDeniedException' })
          .converse('two', '10:50', { key: KEY, model: 'amazon.nova-lite-v1:0', error: 'AccessDeniedException' })
          .converse('three', '11:10', { key: KEY, model: 'meta.llama3-1-70b-instruct-v1:0', error: 'AccessDeniedException' })
          .converse('elsewhere', '10:30', { key: keyOf('second'), model: 'cohere.command-r-v1:0', error: 'AccessDeniedException' }),
      gives: [],
    },
  ],
  'logging-disabled': [
    {
      name: 'fires when a trail is stopped, deleted or narrowed, and names the agent that did it',
      world: (world) =>
        base(world)
          .awsExchange('exchange', '10:00', { subject: AGENT, key: KEY })
          .aws('stop', '10:01', { service: 'cloudtrail', name: 'StopLogging', identity: sessionIdentity(KEY), request: { name: 'main' } })
          .aws('narrow', '11:00', {
            service: 'cloudtrail',
            name: 'PutEventSelectors',
            identity: userIdentity('admin'),
            request: { trailName: 'data', eventSelectors: [{ readWriteType: 'WriteOnly', includeManagementEvents: true }] },
          })
          .aws('invocations', '11:01', { service: 'bedrock', name: 'DeleteModelInvocationLoggingConfiguration', identity: userIdentity('admin') }),
      gives: [
        { oids: [AGENT], evidence: ['stop'] },
        { oids: [], evidence: ['narrow'] },
        { oids: [], evidence: ['invocations'] },
      ],
    },
    {
      name: 'fires when a sink is deleted, a log type is taken away or a principal is exempted',
      world: (world) =>
        base(world)
          .gcp('sink', '10:00', {
            service: 'logging.googleapis.com',
            method: 'google.logging.v2.ConfigServiceV2.DeleteSink',
            resource: `projects/${PROJECT.id}/sinks/audit`,
          })
          .gcpPolicy('type', '10:01', { auditConfigDeltas: [{ action: 'REMOVE', service: 'sts.googleapis.com', logType: 'ADMIN_READ' }] })
          .gcpPolicy('exempt', '10:02', {
            auditConfigDeltas: [
              { action: 'ADD', service: 'aiplatform.googleapis.com', logType: 'DATA_READ', exemptedMember: 'serviceAccount:x@y.iam.gserviceaccount.com' },
            ],
          }),
      gives: [
        { oids: [], evidence: ['sink'] },
        { oids: [], evidence: ['type', 'exempt'] },
      ],
    },
    {
      name: 'fires also when the policy change gives federated access at the same time',
      world: (world) =>
        base(world).gcpPolicy('both', '10:00', {
          bindingDeltas: [
            {
              action: 'ADD',
              role: 'roles/aiplatform.user',
              member: `principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/${POOL}/subject/${AGENT}`,
            },
          ],
          auditConfigDeltas: [{ action: 'REMOVE', service: 'allServices', logType: 'DATA_READ' }],
        }),
      gives: [{ oids: [], evidence: ['both'] }],
    },
    {
      name: 'stays silent on reading, starting, adding and guardrails',
      world: (world) =>
        base(world)
          .aws('start', '10:00', { service: 'cloudtrail', name: 'StartLogging', identity: userIdentity('admin'), request: { name: 'main' } })
          .aws('create', '10:01', { service: 'cloudtrail', name: 'CreateTrail', identity: userIdentity('admin'), request: { name: 'main' } })
          .aws('widen', '10:02', {
            service: 'cloudtrail',
            name: 'UpdateTrail',
            identity: userIdentity('admin'),
            request: { name: 'main', isMultiRegionTrail: true },
          })
          .aws('read', '10:03', { service: 'bedrock', name: 'GetModelInvocationLoggingConfiguration', identity: userIdentity('admin') })
          .aws('guardrail', '10:04', { service: 'bedrock', name: 'DeleteGuardrail', identity: userIdentity('admin') })
          .aws('put', '10:05', {
            service: 'bedrock',
            name: 'PutModelInvocationLoggingConfiguration',
            identity: userIdentity('admin'),
            request: { loggingConfig: { s3Config: { bucketName: 'logs' }, textDataDeliveryEnabled: true, imageDataDeliveryEnabled: false } },
          })
          .aws('all', '10:06', {
            service: 'cloudtrail',
            name: 'PutEventSelectors',
            identity: userIdentity('admin'),
            request: { trailName: 'main', eventSelectors: [{ readWriteType: 'All', includeManagementEvents: true }] },
          }),
      gives: [],
    },
    {
      name: 'stays silent on refused changes, new audit logs and exemptions that are taken away',
      world: (world) =>
        base(world)
          .aws('refused', '10:00', {
            service: 'cloudtrail',
            name: 'StopLogging',
            identity: userIdentity('admin'),
            request: { name: 'main' },
            error: 'AccessDenied',
          })
          .gcpPolicy('more', '10:01', { auditConfigDeltas: [{ action: 'ADD', service: 'sts.googleapis.com', logType: 'ADMIN_READ' }] })
          .gcpPolicy('unexempt', '10:02', {
            auditConfigDeltas: [{ action: 'REMOVE', service: 'sts.googleapis.com', logType: 'ADMIN_READ', exemptedMember: 'user:x@kelp.example' }],
          })
          .gcp('sink', '10:03', { service: 'logging.googleapis.com', method: 'google.logging.v2.ConfigServiceV2.CreateSink' }),
      gives: [],
    },
  ],
})
