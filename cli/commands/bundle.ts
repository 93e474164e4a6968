import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { z } from 'zod'
import { createBundle } from '#api/exports/bundle/bundle.ts'
import { guid, inOrder, instant } from '#api/query.ts'
import { explainUnknown } from '#api/read-models/oid-info.ts'
import { inWholeSnapshot } from '#api/read-models/store.ts'
import { CommandError, parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'

const Period = z.object({ oid: guid, from: instant.optional(), to: instant.optional() }).refine(inOrder.check, inOrder.params)

interface Options extends GlobalOptions {
  readonly from?: string
  readonly to?: string
  readonly output?: string
}

export const bundleCommand: CommandFactory = (cli) =>
  new Command('bundle')
    .description('evidence of one oid and period as a zip: timeline, raw records, attributions, findings, coverage, hashes chained')
    .argument('<oid>', 'object id of an agent, managed identity, user …')
    .option('--from <time>', 'from this time on (2026-09-01 or 2026-09-01T10:00:00Z)')
    .option('--to <time>', 'before this time')
    .option('-o, --output <file>', 'where to write it (without it evidence-OID.zip)')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { dataDir, from: start, to: end, output } = command.optsWithGlobals<Options>()
      const { oid, from, to } = parseUsage(Period, { oid: id, from: start, to: end }, ['oid'])
      const path = output ?? `evidence-${oid}.zip`
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const { events, sha256 } = await inWholeSnapshot(pool, async (store) => {
          const unknown = await explainUnknown(store, oid)
          if (unknown !== null) throw new CommandError(unknown)
          const bundle = createBundle(store, { oid, from, to, createdBy: 'command line', createdAt: new Date() })
          // Under another name until it is whole: half a bundle must not look like one.
          const part = `${path}.part`
          try {
            await pipeline(bundle.stream, createWriteStream(part, { mode: 0o600 }), { signal: cli.signal })
            await rename(part, path)
          } catch (error) {
            await rm(part, { force: true })
            throw error
          }
          return bundle
        })
        if (events() === 0) cli.say('The oid is known, but there are no events in this period: the bundle says so.')
        cli.say(`${path}: ${events()} events. Note its SHA-256: it tells this file from one that was made anew.`)
        await cli.out.write(`${sha256()}\n`)
      })
    })
