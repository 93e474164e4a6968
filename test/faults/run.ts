/**
 * `npm run test:faults -- [--seed N] [--events N] [--kills N] [--seconds N] [--only NAME,…] [--start DATE] [--keep]`
 *
 * Breaks everything that can break while the three clouds are collected through Kafka, and looks whether the store ends the same as after a direct import.
 * The seed decides the world and the moments; what the machine does in between it does not decide.
 */
import { parseArgs } from 'node:util'
import { KILL_KINDS, SCENARIOS } from './scenarios.ts'
import { playScenario } from './scene.ts'
import type { Outcome } from './scene.ts'
import { openStage, seconds } from './stage.ts'
import { DAY_MS, WORLD_DAYS } from './world.ts'

/** Kills of each kind in a full run: more than fifty together. */
const KILLS = 13

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      events: { type: 'string', default: '20000' },
      kills: { type: 'string', default: String(KILLS) },
      seconds: { type: 'string', default: '60' },
      only: { type: 'string' },
      start: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9))
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS
  const start = values.start === undefined ? today - WORLD_DAYS * DAY_MS : Date.parse(`${values.start}T00:00:00Z`)
  const names = values.only?.split(',') ?? SCENARIOS.map(({ name }) => name)
  const chosen = SCENARIOS.filter(({ name }) => names.includes(name))
  const [events, kills, lastsMs] = [Number(values.events), Number(values.kills), Number(values.seconds) * 1000]
  if ([seed, start, events, kills, lastsMs].some((value) => !Number.isFinite(value)) || chosen.length !== names.length) {
    process.stderr.write(`Numbers, a date like 2026-09-01, and names of: ${SCENARIOS.map(({ name }) => name).join(', ')}\n`)
    return 2
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const began = performance.now()
  say(
    `seed ${seed}; again with: npm run test:faults -- --seed ${seed} --start ${new Date(start).toISOString().slice(0, 10)} --events ${events} --kills ${kills}`,
  )
  const stop = new AbortController()
  // Processes must not stay behind: the scenario under way is left, and the stage is closed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  const stage = await openStage({ seed, events, start }, say)
  const outcomes: Outcome[] = []
  try {
    for (const scenario of chosen) {
      if (stop.signal.aborted) break
      say(`${scenario.name}: ${scenario.promise}`)
      const outcome = await playScenario(stage, scenario, { seed, kills, lastsMs, signal: stop.signal }, say)
      outcomes.push(outcome)
      say(`  ${outcome.problems.length === 0 ? 'same export' : 'FAILED'} after ${outcome.seconds} s`)
    }
  } finally {
    await stage.close(values.keep || outcomes.some(({ problems }) => problems.length > 0))
  }
  say('')
  say('| scenario | faults injected | seconds | export |')
  say('| --- | --- | ---: | --- |')
  for (const { scenario, faults, seconds: took, problems } of outcomes)
    say(
      `| ${scenario} | ${[...faults].map(([kind, count]) => `${count} × ${kind}`).join(', ') || 'none'} | ${took} | ${problems.length === 0 ? 'the same' : 'FAILED'} |`,
    )
  const killed = outcomes.reduce((sum, { faults }) => sum + KILL_KINDS.reduce((each, kind) => each + (faults.get(kind) ?? 0), 0), 0)
  const failed = outcomes.filter(({ problems }) => problems.length > 0)
  say('')
  say(`${killed} kills, ${outcomes.length - failed.length} of ${outcomes.length} scenarios with the same export, ${seconds(began)} s, seed ${seed}`)
  if (failed.length > 0) say(`Logs and exports are kept in ${stage.folder}`)
  return failed.length === 0 ? 0 : 1
}

// A scenario that was left may still wait for something.
process.exit(await main())
