/** One scenario on the stage: an empty store, empty topics, the clouds, the roles; faults; then everything must be there, byte for byte. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { concludeAll } from '#correlate/conclude-all.ts'
import { openPool } from '#database/open.ts'
import { createRandom } from '../../simulate/random.ts'
import type { Random } from '../../simulate/random.ts'
import { startClouds } from './clouds.ts'
import type { Clouds } from './clouds.ts'
import { createRole } from './roles.ts'
import type { Role } from './roles.ts'
import { base, query, seconds, stored } from './stage.ts'
import type { Result, Say, Stage } from './stage.ts'

export interface Scene {
  readonly stage: Stage
  readonly clouds: Clouds
  readonly collectors: readonly Role[]
  readonly correlators: readonly Role[]
  readonly random: Random
  /** A generator of its own, for what happens beside other things. */
  randomOf(label: string): Random
  readonly database: string
  /** Counts a fault and says it. */
  fault(kind: FaultKind, what: string): void
  /** Another correlator, not started. */
  addCorrelator(): Role
  /** Events in the store now. */
  events(): Promise<number>
  /** Resolves when the store holds every text of the world, and nothing is on its way. */
  complete(): Promise<void>
  /** What was rejected from files (or collectors) whose names begin so. */
  rejections(origin: string): Promise<readonly { readonly reason: string }[]>
  /** Something that must not be. */
  wrong(what: string): void
}

export type FaultKind =
  | 'collector killed'
  | 'correlator killed'
  | 'PostgreSQL killed'
  | 'broker killed'
  | 'correlator joined or left'
  | 'PostgreSQL refused'
  | 'sources throttled'
  | 'poison'
  | 'message repeated'

export interface Scenario {
  readonly name: string
  readonly promise: string
  /** Injects its faults while the world is released, and releases all of it. */
  run(scene: Scene, options: ScenarioOptions): Promise<void>
}

interface ScenarioOptions {
  /** Kills of each kind. */
  readonly kills: number
  /** How long what lasts lasts. */
  readonly lastsMs: number
}

interface PlayOptions extends ScenarioOptions {
  readonly seed: number
  /** Leaves the scenario. */
  readonly signal?: AbortSignal
}

export interface Outcome {
  readonly scenario: string
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly seconds: number
  readonly result: Result | null
  /** Empty when all is as it must be. */
  readonly problems: readonly string[]
}

const COLLECTORS = 2
const CORRELATORS = 2
/** Generous: collectors back off for minutes, and the machine may be busy. */
const COMPLETE_TIMEOUT_MS = 15 * 60_000

export async function playScenario(stage: Stage, scenario: Scenario, options: PlayOptions, say: Say): Promise<Outcome> {
  const began = performance.now()
  const faults = new Map<FaultKind, number>()
  const problems: string[] = []
  const database = `scene_${scenario.name.replaceAll('-', '_')}_${Math.round(began)}`
  const logs = join(stage.folder, 'logs', database)
  await mkdir(logs, { recursive: true })
  const wrong = (what: string): void => {
    problems.push(what)
    say(`  WRONG: ${what}`)
  }
  await Promise.all([stage.database(database), stage.log.reset()])
  const clouds = await startClouds(stage.world, stage.cluster.brokers)
  const configuration = join(logs, 'trailjoin.yaml')
  await writeFile(configuration, clouds.configuration)
  const environment = { ...base(), ...clouds.secrets, DATABASE_URL: stage.postgres.url(database), KAFKA_BROKERS: stage.cluster.brokers.join(',') }
  const role = (kind: 'ingest' | 'correlate', number: number): Role =>
    createRole({
      role: kind,
      name: `${kind}-${number}`,
      args: kind === 'ingest' ? ['--config', configuration] : [],
      // The proxy has one address, whichever port PostgreSQL has after a restart.
      environment,
      logs,
      surprised: wrong,
    })
  const collectors = Array.from({ length: COLLECTORS }, (_, number) => role('ingest', number + 1))
  const correlators = Array.from({ length: CORRELATORS }, (_, number) => role('correlate', number + 1))
  const scene: Scene = {
    stage,
    clouds,
    collectors,
    correlators,
    random: createRandom(options.seed, scenario.name),
    randomOf: (label) => createRandom(options.seed, `${scenario.name} ${label}`),
    database,
    fault(kind, what) {
      const number = (faults.get(kind) ?? 0) + 1
      faults.set(kind, number)
      if (kind !== 'message repeated') say(`  ${String(seconds(began)).padStart(4)} s  ${kind} ${number}: ${what}`)
    },
    addCorrelator() {
      const added = role('correlate', correlators.length + 1)
      correlators.push(added)
      return added
    },
    events: async () => (await stored(stage.postgres, database)).events,
    complete: () => complete(stage, clouds, database),
    rejections: (origin) =>
      query<{ reason: string }>(stage.postgres, database, `select reason from rejected join files on files.id = file_id where name like '${origin}%'`),
    wrong,
  }
  let result: Result | null = null
  try {
    const left = Promise.withResolvers<never>()
    options.signal?.addEventListener('abort', () => left.reject(options.signal?.reason), { once: true })
    const played = async (): Promise<void> => {
      await Promise.all([...collectors, ...correlators].map((each) => each.start()))
      await scenario.run(scene, options)
      await clouds.release(1)
      await scene.complete()
    }
    await Promise.race([played(), left.promise])
    const codes = await Promise.all([...collectors, ...correlators].map(async (each) => [each.name, await each.stop()] as const))
    for (const [name, code] of codes) if (code !== 0) wrong(`${name} ended with ${code} after SIGTERM`)
    // What a correlator does once a minute: findings are a matter of the whole store.
    const pool = await openPool(stage.postgres.directUrl(database))
    try {
      await concludeAll(pool)
    } finally {
      await pool.end()
    }
    result = await stage.result(database)
    const differs = await stage.compare(result)
    if (differs !== null) wrong(`the export differs from that of the direct import: ${differs}`)
    const { texts } = stage.expected
    // Poison is rejected on top; that it is all there the scenario looks for itself.
    if (scenario.name !== 'poison' && result.rejected !== stage.expected.rejected)
      wrong(`the store rejected ${result.rejected} records in the place of ${stage.expected.rejected}`)
    if (result.texts !== texts) wrong(`the store keeps ${result.texts} texts in the place of ${texts}`)
  } catch (error) {
    wrong(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await Promise.all([...collectors, ...correlators].map((each) => each.close()))
    await clouds.close()
  }
  return { scenario: scenario.name, faults, seconds: seconds(began), result, problems }
}

/** @throws with what is missing when it takes too long */
async function complete(stage: Stage, clouds: Clouds, database: string): Promise<void> {
  const until = performance.now() + COMPLETE_TIMEOUT_MS
  const { texts } = stage.expected
  let state = ''
  // Every part is polled to its end once more: after failures, too, it must come back.
  let since: Date | null = null
  for (; performance.now() < until; await sleep(500)) {
    const now = await stored(stage.postgres, database).catch(() => null)
    const lag = now === null || now.texts < texts ? null : await stage.log.lag()
    const pushes = clouds.pubsub.waiting()
    state = `${now?.texts ?? '?'} of ${texts} texts, lag ${lag ?? '?'}, ${pushes} pushes not acknowledged`
    if (now === null || now.texts < texts || lag !== 0 || pushes > 0) continue
    since ??= new Date()
    const pending = await pendingParts(stage, database, since)
    if (pending.length === 0) return
    state += `, not polled to their end since: ${pending.join(', ')}`
  }
  throw new Error(`not complete after ${COMPLETE_TIMEOUT_MS / 1000} s: ${state}`)
}

async function pendingParts(stage: Stage, database: string, since: Date): Promise<string[]> {
  const rows = await query<{ name: string }>(
    stage.postgres,
    database,
    `select source || ' ' || part as name from source_status where last_success_at is null or last_success_at < '${since.toISOString()}'`,
  )
  return rows.map(({ name }) => name)
}
