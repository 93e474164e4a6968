/** What goes wrong, one scenario each. Every one ends with the same export as a direct import of its world (`scene.ts` looks). */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultKind, Scenario, Scene } from './scene.ts'
import { POISON } from './poison.ts'

/** Releases the world in as many steps, and does something after each. */
async function whileReleased(scene: Scene, steps: number, work: (step: number) => Promise<void>): Promise<void> {
  for (let step = 1; step <= steps; step++) {
    await scene.clouds.release(step / (steps + 1))
    await work(step)
  }
}

/** Until something new was stored, or for so long. PostgreSQL may be away. */
async function progress(scene: Scene, longestMs: number): Promise<void> {
  const count = (): Promise<number> => scene.events().catch(() => 0)
  const before = await count()
  for (const until = performance.now() + longestMs; performance.now() < until; await sleep(200)) if ((await count()) > before) return
}

async function killCollector(scene: Scene): Promise<void> {
  const victim = scene.random.pick(scene.collectors)
  await sleep(scene.random.int(200, 3000))
  scene.fault('collector killed', `kill -9 of ${victim.name}`)
  await victim.kill()
  await sleep(scene.random.int(0, 1000))
  await victim.start()
}

async function killCorrelator(scene: Scene): Promise<void> {
  // A group waits up to 30 s for a member that died; a kill in the middle of work needs work.
  await progress(scene, 40_000)
  const victim = scene.random.pick(scene.correlators)
  await sleep(scene.random.int(0, 1500))
  scene.fault('correlator killed', `kill -9 of ${victim.name}`)
  await victim.kill()
  await sleep(scene.random.int(0, 1000))
  await victim.start()
}

async function killPostgres(scene: Scene): Promise<void> {
  await progress(scene, 20_000)
  await sleep(scene.random.int(0, 2000))
  const { postgres } = scene.stage
  scene.fault('PostgreSQL killed', `kill -9 of the postmaster`)
  await postgres.kill()
  await sleep(scene.random.int(0, 2000))
  await postgres.restart()
}

async function killBroker(scene: Scene): Promise<void> {
  const { cluster, log } = scene.stage
  const victim = scene.random.int(0, 2)
  await sleep(scene.random.int(200, 3000))
  scene.fault('broker killed', `kill -9 of broker ${victim + 1} of 3`)
  await cluster.kill(victim)
  await sleep(scene.random.int(1000, 6000))
  await cluster.restart(victim)
  // One at a time: of two that are gone at once nobody promises anything but waiting.
  await log.whole()
}

const killing = (name: string, promise: string, kill: (scene: Scene) => Promise<void>): Scenario => ({
  name,
  promise,
  run: (scene, { kills }) => whileReleased(scene, kills, () => kill(scene)),
})

const straight: Scenario = {
  name: 'pipeline',
  promise: 'without any fault the whole road gives what a direct import gives',
  run: (scene) => scene.clouds.release(1),
}

const mixed: Scenario = {
  name: 'mixed-kills',
  promise: 'kills of everything in turn',
  async run(scene, { kills }) {
    const kinds = [killCollector, killCorrelator, killPostgres, killBroker]
    await whileReleased(scene, kills, (step) => kinds[step % kinds.length]!(scene))
  },
}

const storm: Scenario = {
  name: 'storm',
  promise: 'kills of everything at once, each kind at its own random moments',
  async run(scene, { kills }) {
    const kinds = { killCollector, killCorrelator, killPostgres, killBroker }
    let done = 0
    await Promise.all(
      Object.entries(kinds).map(async ([name, kill]) => {
        const own: Scene = { ...scene, random: scene.randomOf(name) }
        for (let count = 0; count < kills; count++) {
          await scene.clouds.release(++done / (4 * kills + 1))
          await kill(own)
        }
      }),
    )
  },
}

const rebalances: Scenario = {
  name: 'rebalances',
  promise: 'correlators that join and leave under load share the work and lose nothing',
  async run(scene, { kills }) {
    await whileReleased(scene, kills, async (step) => {
      await progress(scene, 40_000)
      await sleep(scene.random.int(0, 2000))
      if (step % 2 === 1) {
        const joining = scene.addCorrelator()
        scene.fault('correlator joined or left', `${joining.name} joins`)
        await joining.start()
        return
      }
      const leaving = scene.correlators[step / 2 - 1]!
      scene.fault('correlator joined or left', `${leaving.name} leaves`)
      const code = await leaving.stop()
      if (code !== 0) scene.wrong(`${leaving.name} left with ${code}`)
    })
  },
}

const refused: Scenario = {
  name: 'postgres-refuses',
  promise: 'PostgreSQL that refuses connections for a while is waited for',
  async run(scene, { lastsMs }) {
    await scene.clouds.release(0.4)
    await progress(scene, 40_000)
    scene.fault('PostgreSQL refused', `every connection ended, new ones refused for ${lastsMs / 1000} s`)
    await scene.stage.postgres.refuse()
    await scene.clouds.release(0.8)
    await sleep(lastsMs)
    await scene.stage.postgres.accept()
  },
}

const throttled: Scenario = {
  name: 'throttled',
  promise: 'sources that throttle everything for a while are read when they stop',
  async run(scene, { lastsMs }) {
    await scene.clouds.release(0.2)
    await progress(scene, 40_000)
    scene.fault('sources throttled', `CloudTrail, S3, SQS, Log Analytics and Cloud Logging throttle, Pub/Sub holds, for ${lastsMs / 1000} s`)
    scene.clouds.throttle(true)
    await scene.clouds.release(0.6)
    await sleep(lastsMs)
    scene.clouds.throttle(false)
  },
}

const poisoned: Scenario = {
  name: 'poison',
  promise: 'a record that cannot be read is kept with a reason, and its neighbours are stored',
  async run(scene) {
    await scene.clouds.release(0.5)
    await progress(scene, 40_000)
    for (const poison of POISON) {
      scene.fault('poison', poison.where)
      await poison.put(scene)
    }
    await scene.clouds.release(1)
    await scene.complete()
    for (const { where, origin, count = 1 } of POISON) {
      let found = await scene.rejections(origin)
      for (let tries = 0; found.length < count && tries < 120; tries++) {
        await sleep(500)
        found = await scene.rejections(origin)
      }
      if (found.length < count) scene.wrong(`${where}: ${found.length} of ${count} among the rejected`)
      for (const { reason } of found) if (reason.length < 10) scene.wrong(`${where}: rejected without a reason`)
    }
  },
}

const repeated: Scenario = {
  name: 'duplicates',
  promise: 'the whole topic once more changes nothing',
  async run(scene) {
    await scene.clouds.release(1)
    await scene.complete()
    const before = await scene.stage.log.size()
    const sent = await scene.stage.log.repeatAll()
    for (let index = 0; index < sent; index++) scene.fault('message repeated', '')
    if (sent < before) scene.wrong(`only ${sent} of ${before} messages were repeated`)
    await scene.complete()
  },
}

export const KILL_KINDS: readonly FaultKind[] = ['collector killed', 'correlator killed', 'PostgreSQL killed', 'broker killed']

/** In the order of the run. */
export const SCENARIOS: readonly Scenario[] = [
  straight,
  repeated,
  poisoned,
  throttled,
  refused,
  killing('kill-collector', 'a collector that is killed at any moment', killCollector),
  killing('kill-postgres', 'PostgreSQL that is killed at any moment and started again', killPostgres),
  killing('kill-broker', 'one broker of three that is killed at any moment and started again', killBroker),
  killing('kill-correlator', 'a correlator that is killed at any moment', killCorrelator),
  rebalances,
  mixed,
  storm,
]
