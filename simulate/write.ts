/** Writes a simulated world as the files that the clouds would leave, with its truth beside them. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { World } from './cast.ts'
import { wrap } from './containers.ts'
import { openTextFile } from './text-file.ts'
import type { TextFile } from './text-file.ts'
import type { WorldOptions } from './simulate.ts'
import { createWorld, simulateWorld } from './simulate.ts'

export interface WriteOptions extends WorldOptions {
  /** Whether to write `truth.ndjson`. Default true. */
  readonly truth?: boolean
  /** Called now and then with the number of records written. */
  readonly onProgress?: (records: number) => void
  /** Stops the writing; what is written by then stays, every file closed. */
  readonly signal?: AbortSignal
}

export interface WrittenWorld {
  /** Things that happened: one line each in `truth.ndjson`. */
  readonly events: number
  /** Records in files, duplicates included. */
  readonly records: number
  readonly duplicates: number
  /** Events of which no record was delivered. */
  readonly missing: number
  readonly files: number
}

/**
 * Writes `records/…` (container files), `truth.ndjson` (one line an event: the truth with the road and file of its first delivery) and
 * `world.json` (the cast) into the folder `directory`, in constant memory. Throws when the folder already holds a world or cannot be
 * written, and RangeError for options that make no sense.
 */
export async function writeWorld(directory: string, options: WriteOptions): Promise<WrittenWorld> {
  const world = createWorld(options)
  for (const name of ['records', 'truth.ndjson', 'world.json']) {
    if (existsSync(join(directory, name))) throw new Error(`${join(directory, name)} exists already: name a folder that holds no world yet`)
  }
  await mkdir(join(directory, 'records'), { recursive: true })
  await writeFile(join(directory, 'world.json'), `${JSON.stringify(describe(world, options), null, 1)}\n`)
  const truth = options.truth === false ? null : await openTextFile(join(directory, 'truth.ndjson'))
  const open = new Map<string, { readonly file: string; readonly text: TextFile; readonly tail: string; first: boolean }>()
  const counts = { events: 0, records: 0, duplicates: 0, missing: 0, files: 0 }

  try {
    for (const record of simulateWorld(options)) {
      options.signal?.throwIfAborted()
      if (record.copy === 0) {
        counts.events++
        await truth?.write(
          `${JSON.stringify({ ...record.truth, road: record.road, file: record.delivered ? record.file : null, delivered: record.delivered })}\n`,
        )
      } else counts.duplicates++
      if (!record.delivered) {
        counts.missing++
        continue
      }
      const container = wrap(record.road, record.file)
      let current = open.get(record.lane)
      if (current?.file !== record.file) {
        await current?.text.close(current.tail)
        const path = join(directory, 'records', record.file)
        await mkdir(dirname(path), { recursive: true })
        current = {
          file: record.file,
          text: await openTextFile(path),
          tail: container.tail,
          first: true,
        }
        open.set(record.lane, current)
        counts.files++
      }
      await current.text.write((current.first ? container.head : container.between) + container.item(record.text, record.truth))
      current.first = false
      counts.records++
      if (counts.records % 1_000 === 0) {
        options.onProgress?.(counts.records)
        // Lets signals through while nothing waits for the disk.
        await setImmediate()
      }
    }
  } finally {
    for (const { text, tail } of open.values()) await text.close(tail)
    await truth?.close('')
  }
  return counts
}

function describe(world: World, options: WriteOptions) {
  const when = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return {
    seed: options.seed,
    start: when(world.start),
    tenants: world.tenants.map((tenant) => ({
      id: tenant.id,
      domain: tenant.domain,
      accounts: tenant.accounts,
      gcpProject: tenant.gcp,
      blueprints: tenant.blueprints.map(({ name, appId, objectId, servicePrincipalOid, fics }) => ({
        name,
        appId,
        objectId,
        servicePrincipalOid,
        federatedCredentials: fics.map((fic) => ({
          id: fic.id,
          subject: fic.identity.oid,
          identity: fic.identity.name,
          kind: fic.identity.kind,
          from: when(fic.from),
          to: when(fic.to),
        })),
      })),
      agents: tenant.agents.map((agent) => ({
        oid: agent.oid,
        name: agent.name,
        blueprint: agent.blueprint.name,
        topology: agent.topology,
        hosts: agent.hosts.map((host) => host.oid),
        createdAt: when(agent.createdAt),
        deletedAt: when(agent.deletedAt),
        disabled: agent.disabled.map(([from, to]) => [when(from), when(to)]),
      })),
    })),
  }
}
