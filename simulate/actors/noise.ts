/** What else happens in a tenant: people, pipelines of another federation, services, unrelated applications. None of it is an agent's. */
import type { Tenant, World } from '../cast.ts'
import { offBeat } from '../cast.ts'
import type { Draft } from '../draft.ts'
import { signInDraft } from '../draft.ts'
import { entraTime, seconds } from '../moments.ts'
import { BASE32, createRandom } from '../random.ts'
import type { SignIn } from '../records/entra-signin.ts'
import { personOnAws, personOnGcp, pipelineOnAws, pipelineOnGcp, serviceOnAws } from './noise-clouds.ts'
import type { Scene } from './scene.ts'
import { nobody } from './scene.ts'

const DAY = 86_400_000
const ARM = {
  id: '797f4846-ba00-4fd7-ba43-dac1f8f63013',
  name: 'Azure Resource Manager',
  servicePrincipalId: '',
}

/** Without end, in time order; `perDay` scenes a day. */
export function* makeNoise(seed: number, world: World, tenant: Tenant, perDay: number): Generator<Draft, void> {
  const random = createRandom(seed, `noise ${tenant.id}`)
  const scene: Scene = {
    tenant,
    random,
    now: offBeat(world.start + random.int(60_000, 600_000)),
    machine: { oid: random.guid(), clientId: random.guid() },
    application: { oid: random.guid(), appId: random.guid() },
    pipelineRoleId: `AROA${random.text(BASE32, 17)}`,
  }
  const scenes = [personOnAws, personOnAws, pipelineOnAws, serviceOnAws, personOnGcp, personOnGcp, pipelineOnGcp, machineSignIn, applicationSignIn]
  for (;;) {
    scene.now = offBeat(scene.now + 1_000 + random.exponential(DAY / perDay))
    yield* random.pick(scenes)(scene)
  }
}

function signIn(scene: Scene, given: Partial<SignIn> & Pick<SignIn, 'appId' | 'appName' | 'servicePrincipalId'>): SignIn {
  const { random, tenant } = scene
  return {
    id: `${random.guid().slice(0, 34)}00`,
    time: entraTime(scene.now, random),
    stamped: `${seconds(scene.now + random.int(48, 110) * 1000).slice(0, -1)}.${random.int(1_000_000, 9_999_999)}Z`,
    category: 'ServicePrincipalSignInLogs',
    tenantId: tenant.id,
    workspaceId: tenant.workspaceId,
    correlationId: random.guid(),
    user: null,
    resource: ARM,
    error: null,
    ip: '203.0.113.203',
    credential: 'clientSecret',
    ficId: null,
    identity: null,
    agent: null,
    sessionId: null,
    ...given,
  }
}

/** A virtual machine's own identity, which hosts no agent. The subject is proven all the same. */
function* machineSignIn(scene: Scene): Generator<Draft, void> {
  const { tenant, machine } = scene
  const record = signIn(scene, {
    category: 'ManagedIdentitySignInLogs',
    appId: machine.clientId,
    appName: 'vm-batch',
    servicePrincipalId: machine.oid,
    credential: 'managedIdentity',
    ip: '',
    identity: {
      msiType: 'systemAssigned',
      armId: `/subscriptions/${tenant.subscription}/resourcegroups/rg-batch/providers/Microsoft.Compute/virtualMachines/vm-batch`,
    },
  })
  yield signInDraft(scene.now, record, nobody(tenant, ['token.issued'], null, ['subject']))
}

function* applicationSignIn(scene: Scene): Generator<Draft, void> {
  const { random, tenant, application } = scene
  const error = random.chance(0.25)
    ? {
        code: 7000215,
        message: `AADSTS7000215: Invalid client secret provided for app '${application.appId}'.`,
      }
    : null
  yield signInDraft(
    scene.now,
    signIn(scene, {
      appId: application.appId,
      appName: 'Reporting Export',
      servicePrincipalId: application.oid,
      error,
    }),
    nobody(tenant, ['token.issued'], null, ['subject']),
  )
}
