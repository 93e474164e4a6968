/**
 * The live stream across processes: two API servers on one database, importers that are killed and begun again, a server that is killed, and readers that move
 * from one to the other. What they were told must be the timeline: nothing lost, nothing told twice at one position.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TimelineItem } from '#api/contract.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { timelinePages } from '#api/read-models/timeline.ts'
import { writeWorld } from '../simulate/write.ts'
import { type TestDatabase, createTestDatabase, testDataDir } from './postgres.ts'
import { openStream, pictureOf } from './stream-client.ts'
import type { Message } from './stream-client.ts'

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')
const IMPORTER = join(import.meta.dirname, 'law', 'import-process.ts')
let database: TestDatabase
let folder: string
const children = new Set<ChildProcess>()

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await testDataDir()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> } {
  const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  child.on('exit', () => children.delete(child))
  return child
}

interface Server {
  readonly url: string
  readonly token: string
  readonly child: ChildProcess
}

async function startApi(): Promise<Server> {
  const child = start([PROGRAM, 'api', '--port', '0'], { DATABASE_URL: database.url, TRAILJOIN_DATA_DIR: folder, LOG_LEVEL: 'error' })
  let said = ''
  for await (const part of child.stdout) {
    said += String(part)
    const found = /(http:\S+?)\/v1 {3}\(Authorization: Bearer (\S+?)\)/.exec(said)
    if (found) {
      child.stdout.resume()
      return { url: found[1]!, token: found[2]!, child }
    }
  }
  throw new Error(`the API did not start: ${said}`)
}

/** Follows an oid through servers that come and go; takes up where it was left, each time at another one. */
function follow(
  oid: string,
  servers: () => readonly Server[],
  patience: number,
  startAt: string,
): { messages: Message[]; stop: () => Promise<void>; moves: () => number } {
  const messages: Message[] = []
  let stopped = false
  let moves = 0
  const run = async (): Promise<void> => {
    let last: string = startAt
    while (!stopped) {
      const choice = servers()
      const server = choice[moves++ % choice.length]!
      const client = await openStream(`${server.url}/v1/oids/${oid}/stream`, server.token, last).catch(() => null)
      if (client?.status !== 200) {
        await pause(50)
        continue
      }
      // Leaves in the middle of what is coming.
      await Promise.race([client.ended, pause(patience)])
      client.close()
      await client.ended
      messages.push(...client.messages)
      last = client.lastId() ?? last
    }
  }
  const done = run()
  return {
    messages,
    moves: () => moves,
    stop: async () => {
      stopped = true
      await done
    },
  }
}

test(
  'readers that move between servers, one of which is killed, during imports that are killed miss nothing and hear nothing twice',
  { timeout: 240_000 },
  async () => {
    const world = join(folder, 'world')
    await writeWorld(world, { seed: 5, agents: 4, days: 3, events: 1800, duplicates: 0.1, delays: 'wild', rollMinutes: 1440 })
    const records = join(world, 'records')
    const kill = async (importer: ChildProcess, after: number): Promise<void> => {
      await pause(after)
      // On a quiet machine it may have come to its end before.
      if (importer.exitCode !== null) return
      importer.kill('SIGKILL')
      await once(importer, 'exit')
    }
    // So that some agents are known: nobody may watch what no record names.
    const first = start([IMPORTER, database.url, records, '40'])
    await expect.poll(async () => (await database.pool.query('select distinct oid from timeline')).rows.length, { timeout: 60_000 }).toBeGreaterThan(5)
    await kill(first, 0)
    const { rows: busiest } = await database.pool.query<{ oid: string }>(
      `select oid from timeline where tenant_id <> '00000000-0000-0000-0000-000000000000' group by oid order by count(*) desc, oid limit 3`,
    )
    expect(busiest).toHaveLength(3)
    const [doomed, lasting] = await Promise.all([startApi(), startApi()])
    let servers: readonly Server[] = [doomed, lasting]
    // From the beginning of the store: what is there already is told first.
    const beginning = Buffer.from('["0"]').toString('base64url')
    const readers = busiest.map(({ oid }, place) => ({ oid, ...follow(oid, () => servers, 300 + 400 * place, beginning) }))

    for (const patience of [900, 1300]) await kill(start([IMPORTER, database.url, records, '40']), patience)
    doomed.child.kill('SIGKILL')
    await once(doomed.child, 'exit')
    const importer = start([IMPORTER, database.url, records, '60'])
    servers = [lasting, await startApi()]
    const [code] = (await once(importer, 'exit')) as [number]
    expect(code).toBe(0)

    for (const reader of readers) {
      const timeline = new Map<string, TimelineItem>()
      for await (const page of timelinePages(wholeStore(database.pool), { oid: reader.oid, filters: {}, order: 'asc' }))
        for (const item of page) timeline.set(item.id, item)
      expect(timeline.size).toBeGreaterThan(50)
      await expect.poll(() => [...timeline.keys()].filter((id) => !pictureOf(reader.messages).has(id)).length, { timeout: 30_000 }).toBe(0)
      await reader.stop()
      expect(reader.moves()).toBeGreaterThan(5)
      const told = pictureOf(reader.messages)
      expect([...told.keys()].toSorted()).toEqual([...timeline.keys()].toSorted())
      // A trace's id may change by events of others; it keeps resolving.
      const bare = (item: unknown) => ({ ...(item as TimelineItem), traceId: null })
      for (const [id, item] of timeline) expect(bare(told.get(id))).toEqual(bare(item))
      const positions = reader.messages.filter((message) => message.event === 'item' || message.event === 'gone').map((message) => message.id!)
      expect(new Set(positions).size).toBe(positions.length)
      const rounds = positions.map((id) => BigInt((JSON.parse(Buffer.from(id, 'base64url').toString()) as string[])[0]!))
      expect(rounds.every((round, index) => index === 0 || round >= rounds[index - 1]!)).toBe(true)
      expect(reader.messages.filter((message) => message.event === 'reset')).toEqual([])
      expect(new Set(rounds).size).toBeGreaterThan(5)
    }
  },
)
