/** The life of one agent: turns as in the seed author's Weather Agent, model call → tool call → model call, on whatever is still cached. */
import type { Agent, World } from '../cast.ts'
import { offBeat } from '../cast.ts'
import type { Draft } from '../draft.ts'
import { apiDraft } from '../draft.ts'
import { createRandom } from '../random.ts'
import { tokenIdOf } from '../records/entra-signin.ts'
import { isAlive } from '../truth.ts'
import type { AwsSession } from './agent-aws.ts'
import { ensureAwsSession, invokeModel } from './agent-aws.ts'
import type { GcpSession } from './agent-gcp.ts'
import { ensureGcpSession, generateContent } from './agent-gcp.ts'
import type { Process } from './agent-tokens.ts'
import { apiResource, ensureAgentToken, onBehalfToken, pass, refusedSignIn, restart } from './agent-tokens.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Longer than any turn: a turn that a change of the directory would fall into does not begin. */
const TURN = 4 * MINUTE
const PATHS = ['/forecast?city=Oslo', '/forecast?city=Quito', '/weather?city=London', '/weather?city=Busan'] as const

interface Sessions {
  aws: AwsSession | null
  gcp: GcpSession | null
}

/** Everything the agent does, in time order, without end unless the agent is deleted. */
export function* liveAgent(seed: number, world: World, agent: Agent, turnsPerDay: number, index: number): Generator<Draft, void> {
  const random = createRandom(seed, `agent ${agent.oid}`)
  const begin = Math.max(agent.createdAt, world.start + 15 * MINUTE) + random.int(1, 30) * MINUTE + index
  const process: Process = {
    agent,
    random,
    now: offBeat(begin),
    identity: null,
    blueprint: null,
    bridge: null,
    tokens: new Map(),
  }
  const sessions: Sessions = { aws: null, gcp: null }
  const changes = changesOf(agent)

  for (;;) {
    const hour = Math.floor((process.now % DAY) / HOUR)
    const rhythm = hour >= 6 && hour < 20 ? 0.75 : 2.2
    process.now = offBeat(process.now + 30_000 + random.exponential((DAY / turnsPerDay) * rhythm))
    for (const change of changes) {
      if (change > process.now - TURN && change < process.now + TURN) process.now = offBeat(change + TURN + random.int(1_000, 60_000))
    }
    if (agent.deletedAt !== null && process.now >= agent.deletedAt) {
      yield* afterDeletion(process, sessions, agent.deletedAt)
      return
    }
    if (!isAlive(agent, process.now)) {
      yield refusedSignIn(process, {
        code: 7000112,
        message: `AADSTS7000112: Application '${agent.oid}'(${agent.name}) is disabled.`,
      })
      continue
    }
    if (process.identity?.identity.deletedAt && process.identity.identity.deletedAt <= process.now) {
      // The host was re-created: a new deployment starts with nothing cached.
      restart(process)
      sessions.aws = null
      sessions.gcp = null
    }
    yield* takeTurn(process, sessions)
  }
}

/** Moments at which what the agent may do changes, ms: its own and those of its host and trusts, and of the agents beside it, as they change who else could have done it. */
function changesOf(agent: Agent): number[] {
  const of = (each: Agent) => [each.createdAt, each.deletedAt, ...each.disabled.flat(), ...(each.staleTrust ?? [])]
  return [...new Set(agent.blueprint.agents.flatMap(of))].filter((change) => change !== null).sort((a, b) => a - b)
}

function* takeTurn(process: Process, sessions: Sessions): Generator<Draft, void> {
  const { agent, random } = process
  const onGcp = agent.gcp !== null && (agent.aws === null || random.chance(0.5))
  for (let call = 0; call < 2; call++) {
    if (onGcp) {
      sessions.gcp = yield* ensureGcpSession(process, sessions.gcp)
      if (sessions.gcp) yield* generateContent(process, sessions.gcp)
    } else {
      sessions.aws = yield* ensureAwsSession(process, sessions.aws)
      if (sessions.aws) yield* invokeModel(process, sessions.aws)
    }
    if (call === 0) yield* callApi(process)
    // The program waits between model turns so that turns do not interleave.
    pass(process, 15_000, 25_000)
  }
}

function* callApi(process: Process): Generator<Draft, void> {
  const { agent, random } = process
  const people = agent.tenant.people
  const person = agent.onBehalfOf && random.chance(0.2) ? random.pick(people) : null
  const token = person ? yield* onBehalfToken(process, person) : yield* ensureAgentToken(process, apiResource(agent))
  if (!token) return
  const terse = !person && random.chance(0.08)
  const call = {
    requestId: random.guid(),
    path: random.pick(PATHS),
    status: random.chance(0.02) ? 503 : 200,
    token: {
      oid: person?.oid ?? agent.oid,
      appId: agent.oid,
      kind: person ? ('user' as const) : ('app' as const),
      uti: tokenIdOf(token.signInId),
    },
    ip: agent.ip,
    terse,
  }
  yield apiDraft(pass(process, 300, 900), call, {
    tenant: agent.tenant,
    claim: { by: 'agent', agent },
    kinds: ['api.called'],
    actor: agent,
    onBehalfOf: person?.oid ?? null,
    exactParent: terse ? null : token.signInId,
    skip: ['session', ...(terse ? (['tenant', 'parent'] as const) : []), ...(person ? (['subject'] as const) : [])],
  })
}

/** Issued credentials outlive the agent: a tail of calls until they run out, then refusals. */
function* afterDeletion(process: Process, sessions: Sessions, deletedAt: number): Generator<Draft, void> {
  const ends = Math.max(sessions.aws?.until ?? 0, sessions.gcp?.until ?? 0)
  process.now = offBeat(deletedAt + TURN)
  while (process.now < ends - MINUTE) {
    if (sessions.gcp && sessions.gcp.until > process.now + MINUTE) yield* generateContent(process, sessions.gcp)
    else if (sessions.aws && sessions.aws.until > process.now + MINUTE) yield* invokeModel(process, sessions.aws)
    pass(process, 2 * MINUTE, 6 * MINUTE)
  }
  for (let attempt = 0; attempt < 3; attempt++) {
    pass(process, 5 * MINUTE, 20 * MINUTE)
    yield refusedSignIn(process, {
      code: 700016,
      message: `AADSTS700016: Application with identifier '${process.agent.oid}' was not found in the directory.`,
    })
  }
}
