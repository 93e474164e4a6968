/** Rules about whom clouds and Blueprints trust. */
import { testRules } from './testing/cases.ts'
import { ACCOUNT, GRAPH, POOL, PROJECT, TENANT, TOKEN_EXCHANGE, createRole, guid, keyOf, type World } from './testing/world.ts'

const AGENT = guid('agent')
const UAMI = guid('uami')
const NEW = guid('uami-2')
const WEATHER = guid('weather')
const ISSUER = `sts.windows.net/${TENANT}/`

/** A managed identity, its Blueprint and one agent. */
const base = (world: World): World =>
  world
    .principal('mi-created', '-2 06:00', 'Add service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' })
    .fics('fic', '-2 06:01', [], [UAMI])
    .principal('agent-created', '-2 06:02', 'Add service principal', AGENT, { agent: true, name: 'Weather Agent' })
    .signIn('sp-log-begins', '-2 07:00', { kind: 'blueprint', oid: guid('blueprint'), appId: guid('blueprint-app') })

const aud = (audience: string): object => ({ StringEquals: { [`${ISSUER}:sub`]: AGENT, [`${ISSUER}:aud`]: audience } })

testRules({
  'audience-trap': [
    {
      name: 'fires on an AWS exchange with the audience of an API that has an access log',
      world: (world) =>
        base(world)
          .api('call', '09:00', { oid: AGENT })
          .awsExchange('exchange', '10:00', { subject: AGENT, audience: `api://${WEATHER}` }),
      gives: [{ oids: [AGENT], evidence: ['exchange'] }],
    },
    {
      name: 'fires on a role that allows the audience of Graph',
      world: (world) => base(world).aws('role', '09:00', createRole('agent', [aud(GRAPH)])),
      gives: [{ oids: [AGENT], evidence: ['role'] }],
    },
    {
      name: 'fires on a Google provider that allows the API beside a dedicated audience',
      world: (world) =>
        base(world)
          .api('call', '09:00', { oid: AGENT })
          .gcpProvider('provider', '09:30', { condition: `assertion.sub == '${AGENT}'`, audiences: ['api://agent-cloud-federation', WEATHER] }),
      gives: [{ oids: [AGENT], evidence: ['provider'] }],
    },
    {
      name: 'fires on a Google exchange before which the agent had tokens for other APIs only',
      world: (world) =>
        base(world)
          .gcpProvider('provider', '-1 06:00', { condition: `assertion.sub == '${AGENT}'` })
          .api('call', '09:00', { oid: AGENT })
          .signIn('weather-token', '08:59', { kind: 'agent', oid: AGENT, resource: WEATHER })
          .gcpExchange('exchange', '10:00', AGENT)
          .signIn('log-goes-on', '10:01', { kind: 'blueprint', oid: guid('blueprint'), appId: guid('blueprint-app') }),
      gives: [{ oids: [AGENT], evidence: ['exchange', 'weather-token'], confidence: 'derived' }],
    },
    {
      name: 'says that it is only probable while the sign-in log has not come as far as the exchange',
      world: (world) =>
        base(world)
          .gcpProvider('provider', '-1 06:00', { condition: `assertion.sub == '${AGENT}'` })
          .signIn('graph-token', '08:59', { kind: 'agent', oid: AGENT, resource: GRAPH })
          .gcpExchange('exchange', '10:00', AGENT),
      gives: [{ oids: [AGENT], evidence: ['exchange', 'graph-token'], confidence: 'probable' }],
    },
    {
      name: 'says that it is only probable where the sign-in log does not reach back',
      world: (world) =>
        world
          .gcpProvider('provider', '06:00', { condition: `assertion.sub == '${AGENT}'` })
          .signIn('graph-token', '08:59', { kind: 'agent', oid: AGENT, resource: GRAPH })
          .gcpExchange('exchange', '10:00', AGENT),
      gives: [{ oids: [AGENT], evidence: ['exchange', 'graph-token'], confidence: 'probable' }],
    },
    {
      name: 'stays silent on the Blueprint, the token exchange and a dedicated audience',
      world: (world) =>
        base(world)
          .api('call', '09:00', { oid: AGENT, audience: guid('blueprint-app') })
          .awsExchange('one', '10:00', { subject: AGENT, audience: `api://${guid('blueprint-app')}` })
          .awsExchange('two', '10:01', { subject: UAMI, audience: TOKEN_EXCHANGE })
          .awsExchange('three', '10:02', { subject: AGENT })
          .aws('role', '09:00', createRole('agent', [aud('api://agent-cloud-federation')])),
      gives: [],
    },
    {
      name: 'stays silent where the agent also had a dedicated token, and on refused exchanges',
      world: (world) =>
        base(world)
          .gcpProvider('provider', '-1 06:00', { condition: `assertion.sub == '${AGENT}'` })
          .signIn('graph-token', '08:59', { kind: 'agent', oid: AGENT, resource: GRAPH })
          .signIn('own-token', '08:58', { kind: 'agent', oid: AGENT, resource: guid('blueprint-app') })
          .gcpExchange('exchange', '10:00', AGENT)
          .awsExchange('refused', '10:01', { subject: AGENT, audience: GRAPH, refused: true }),
      gives: [],
    },
  ],
  'orphaned-trust': [
    {
      name: 'fires when the new identity is refused by Entra, which prints it, and by AWS',
      world: (world) =>
        base(world)
          .principal('deleted', '08:00', 'Remove service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' })
          .principal('again', '08:01', 'Add service principal', NEW, { type: 'ManagedIdentity', name: 'MI-Agent' })
          .signIn('refused', '08:05', {
            kind: 'blueprint',
            oid: guid('blueprint'),
            appId: guid('blueprint-app'),
            error: '700213',
            message: `AADSTS700213: No matching federated identity record found for presented assertion subject '${NEW}'.`,
          })
          .awsExchange('denied', '08:06', { subject: NEW, refused: true })
          .fics('repointed', '09:00', [UAMI], [NEW]),
      gives: [{ oids: [UAMI, NEW], evidence: ['deleted', 'again', 'refused', 'denied'] }],
    },
    {
      name: 'fires while a federated credential still names the old identity',
      world: (world) =>
        base(world)
          .principal('deleted', '08:00', 'Remove service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' })
          .principal('again', '08:01', 'Add service principal', NEW, { type: 'ManagedIdentity', name: 'mi-agent' }),
      gives: [{ oids: [UAMI, NEW], evidence: ['deleted', 'again', 'fic'] }],
    },
    {
      name: 'stays silent once the credential is re-pointed without a refusal',
      world: (world) =>
        base(world)
          .principal('deleted', '08:00', 'Remove service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' })
          .principal('again', '08:01', 'Add service principal', NEW, { type: 'ManagedIdentity', name: 'mi-agent' })
          .fics('repointed', '08:02', [UAMI], [NEW]),
      gives: [],
    },
    {
      name: 'stays silent for an identity of another name, and for one that was restored',
      world: (world) =>
        base(world)
          .principal('deleted', '08:00', 'Remove service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' })
          .principal('other', '08:01', 'Add service principal', NEW, { type: 'ManagedIdentity', name: 'mi-other' })
          .principal('same-name', '08:02', 'Add service principal', guid('uami-3'), { type: 'ManagedIdentity', name: 'mi-agent' })
          .principal('restored', '08:03', 'Restore service principal', UAMI, { type: 'ManagedIdentity', name: 'mi-agent' }),
      gives: [],
    },
  ],
  'sami-anchor': [
    {
      name: 'fires on a system-assigned identity that a federated credential names',
      world: (world) => world.signIn('signed-in', '08:00', { kind: 'managed-identity', oid: UAMI, msiType: 'systemAssigned' }).fics('fic', '08:01', [], [UAMI]),
      gives: [{ oids: [UAMI], evidence: ['signed-in', 'fic'] }],
    },
    {
      name: 'fires on one that federates to a cloud itself',
      world: (world) =>
        world
          .signIn('signed-in', '08:00', { kind: 'managed-identity', oid: UAMI, msiType: 'systemAssigned' })
          .awsExchange('exchange', '08:05', { subject: UAMI }),
      gives: [{ oids: [UAMI], evidence: ['signed-in', 'exchange'] }],
    },
    {
      name: 'stays silent on its other sign-ins and on refused exchanges',
      world: (world) =>
        world
          .signIn('signed-in', '08:00', { kind: 'managed-identity', oid: UAMI, msiType: 'systemAssigned', resource: GRAPH })
          .awsExchange('exchange', '08:05', { subject: UAMI, refused: true }),
      gives: [],
    },
    {
      name: 'stays silent on a user-assigned identity in the same place',
      world: (world) =>
        world
          .signIn('signed-in', '08:00', { kind: 'managed-identity', oid: UAMI, msiType: 'userAssigned' })
          .fics('fic', '08:01', [], [UAMI])
          .awsExchange('exchange', '08:05', { subject: UAMI }),
      gives: [],
    },
  ],
  'tenant-wide-trust': [
    {
      name: 'fires on an AWS role without a condition on the subject, and names who used it',
      world: (world) =>
        base(world)
          .aws('role', '08:00', createRole('open', [{ StringEquals: { [`${ISSUER}:aud`]: 'api://agent-cloud-federation' } }]))
          .awsExchange('used', '09:00', { subject: AGENT, role: 'open' }),
      gives: [{ oids: [AGENT], evidence: ['role'], confidence: 'exact' }],
    },
    {
      name: 'fires when one statement of several is open, and on a bare wildcard',
      world: (world) =>
        world
          .aws('two-ways', '08:00', createRole('two-ways', [aud('x'), undefined]))
          .aws('wildcard', '08:01', createRole('wildcard', [{ StringLike: { [`${ISSUER}:sub`]: '*' } }])),
      gives: [
        { oids: [AGENT], evidence: ['two-ways'] },
        { oids: [], evidence: ['wildcard'] },
      ],
    },
    {
      name: 'fires on a Google provider without a condition, and on one that looks at the tenant only',
      world: (world) =>
        world
          .gcpProvider('none', '08:00', { name: 'none' })
          .gcpProvider('tenant', '08:01', { name: 'tenant', condition: `assertion.tid == '${TENANT}' && assertion.aud == 'api://x'` }),
      gives: [
        { oids: [], evidence: ['none'] },
        { oids: [], evidence: ['tenant'] },
      ],
    },
    {
      name: 'fires on one open alternative in a condition, and when an update empties it',
      world: (world) =>
        world
          .gcpProvider('either', '08:00', { name: 'either', condition: `assertion.sub == '${AGENT}' || assertion.tid == '${TENANT}'` })
          .gcpProvider('pinned', '08:01', { name: 'emptied', condition: `assertion.sub == '${AGENT}'` })
          .gcpProvider('emptied', '08:02', { name: 'emptied', mask: 'attributeCondition' }),
      gives: [
        { oids: [AGENT], evidence: ['either'] },
        { oids: [], evidence: ['emptied'] },
      ],
    },
    {
      name: 'fires when everybody in a pool, or of a tenant, is made a member',
      world: (world) =>
        world
          .gcpProvider('provider', '07:00', { condition: `assertion.sub == '${AGENT}'` })
          .gcpPolicy('all', '08:00', {
            bindingDeltas: [
              {
                action: 'ADD',
                role: 'roles/iam.workloadIdentityUser',
                member: `principalSet://iam.googleapis.com/projects/${PROJECT.id}/locations/global/workloadIdentityPools/${POOL}/*`,
              },
            ],
          })
          .gcpPolicy('tenant', '08:01', {
            bindingDeltas: [
              {
                action: 'ADD',
                role: 'roles/aiplatform.user',
                member: `principalSet://iam.googleapis.com/projects/${PROJECT.number}/locations/global/workloadIdentityPools/${POOL}/attribute.tid/${TENANT}`,
              },
            ],
          }),
      gives: [
        { oids: [], evidence: ['all'] },
        { oids: [], evidence: ['tenant'] },
      ],
    },
    {
      name: 'stays silent on trusts pinned to a subject, in every spelling',
      world: (world) =>
        world
          .aws('role', '08:00', createRole('pinned', [aud('api://agent-cloud-federation'), { 'ForAnyValue:StringLike': { [`${ISSUER}:sub`]: [AGENT, UAMI] } }]))
          .gcpProvider('sub', '08:01', {
            name: 'sub',
            condition: `assertion.tid == '${TENANT}' && (assertion.sub == "${AGENT}" || assertion['oid'] in ['${UAMI}'])`,
          })
          .gcpProvider('attribute', '08:02', {
            name: 'attribute',
            condition: `attribute.agent == '${AGENT}'`,
            mapping: { 'google.subject': 'assertion.sub', 'attribute.agent': 'assertion.oid' },
          })
          .gcpProvider('group', '08:03', { name: 'group', condition: `'${guid('group')}' in assertion.groups` })
          .gcpPolicy('member', '08:04', {
            bindingDeltas: [
              {
                action: 'ADD',
                role: 'roles/iam.workloadIdentityUser',
                member: `principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/${POOL}/subject/${AGENT}`,
              },
            ],
          }),
      gives: [],
    },
    {
      name: 'stays silent on other issuers, refused changes, removed members and updates that leave the condition alone',
      world: (world) =>
        world
          .aws('github', '08:00', createRole('github', [undefined], 'token.actions.githubusercontent.com'))
          .aws('refused', '08:01', { ...createRole('refused', [undefined]), error: 'AccessDenied' })
          .gcpProvider('gitlab', '08:02', { name: 'gitlab', issuer: 'https://gitlab.com' })
          .gcpProvider('pinned', '08:03', { name: 'pinned', condition: `assertion.sub == '${AGENT}'` })
          .gcpProvider('renamed', '08:04', { name: 'pinned', mask: 'displayName' })
          .gcpPolicy('removed', '08:05', {
            bindingDeltas: [
              {
                action: 'REMOVE',
                role: 'roles/aiplatform.user',
                member: `principalSet://iam.googleapis.com/projects/${PROJECT.id}/locations/global/workloadIdentityPools/${POOL}/*`,
              },
            ],
          })
          .aws(
            'sentinel',
            '08:06',
            createRole(
              'sentinel',
              [{ StringEquals: { 'sts:RoleSessionName': 'MicrosoftSentinel_x' } }],
              'sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/',
            ),
          ),
      gives: [],
    },
  ],
  'shared-uami-unattributable': [
    {
      name: 'fires on the cloud events of a managed identity that two agents could use',
      world: (world) =>
        base(world)
          .principal('second', '-2 06:03', 'Add service principal', guid('agent-2'), { agent: true })
          .awsExchange('exchange', '10:00', { subject: UAMI, key: keyOf('shared') })
          .converse('call', '10:01', { key: keyOf('shared') })
          .signIn('mi-token', '09:59', { kind: 'managed-identity', oid: UAMI }),
      gives: [{ oids: [UAMI, AGENT, guid('agent-2')], evidence: ['exchange', 'call'] }],
    },
    {
      name: 'stays silent where one agent could use it then, the other having been deleted before',
      world: (world) =>
        base(world)
          .principal('second', '-2 06:03', 'Add service principal', guid('agent-2'), { agent: true })
          .principal('gone', '-1 06:00', 'Remove service principal', guid('agent-2'), { agent: true })
          .awsExchange('exchange', '10:00', { subject: UAMI }),
      gives: [],
    },
    {
      name: 'stays silent under Option 2 and on Entra events',
      world: (world) =>
        base(world)
          .principal('second', '-2 06:03', 'Add service principal', guid('agent-2'), { agent: true })
          .signIn('mi-token', '09:59', { kind: 'managed-identity', oid: UAMI })
          .awsExchange('exchange', '10:00', { subject: AGENT, role: `agent-${ACCOUNT}` }),
      gives: [],
    },
  ],
})
