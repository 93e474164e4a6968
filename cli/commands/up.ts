import { Command } from 'commander'
import type { Agent } from '#api/contract.ts'
import { agentsPage } from '#api/read-models/agents.ts'
import { wholeStore } from '#api/read-models/store.ts'
import type { Database } from '#database/open.ts'
import { defaultDataDir } from '#database/folders.ts'
import { storeOf, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { demoDataDir, loadDemo } from '../demo.ts'
import { printable } from '../output/table.ts'
import { withReportRounds } from '../report/schedule/rounds.ts'
import { serve, withServeOptions } from '../serve.ts'
import type { ServeFlags } from '../serve.ts'
import { withServices } from '../services.ts'
import { readSourcesIfAny, sourceLogger } from '../sources.ts'
import { startConfiguredWebhooks } from '../webhook/findings.ts'

export const upCommand: CommandFactory = (cli) =>
  withServeOptions(new Command('up'), cli)
    .description('everything in one process: database, API and web page on this machine, and the collectors of the sources that the configuration names')
    .option('--demo', 'show the bundled demo records, in a store of their own')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & ServeFlags & { demo?: true }>()
      const folder = options.dataDir ?? cli.config.dataDir ?? defaultDataDir()
      const dataDir = options.demo ? demoDataDir(folder) : folder
      // Demo records belong in no real store, so the demo never goes to DATABASE_URL.
      const store = options.demo || storeOf(cli.config, options).databaseUrl === undefined ? { dataDir } : {}
      // Live records belong in no demo.
      const configured = options.demo ? null : await readSourcesIfAny(cli, options.config)
      await withStore(
        cli,
        store,
        async (database) => {
          await withServices(cli, database, { findings: true, config: options.config }, async ({ services, collectFrom }) => {
            const ready = async (): Promise<readonly string[]> => {
              if (configured !== null) return ['', await collectFrom(configured)]
              if (!options.demo) return []
              await loadDemo(cli, database, dataDir)
              return ['', ...(await demoLines(database.pool, dataDir))]
            }
            // Nobody is told of the demo's findings.
            const stopWebhooks = options.demo
              ? null
              : await startConfiguredWebhooks(cli, options.config, database.pool, sourceLogger(cli.config.logLevel, 'webhooks').logger)
            try {
              const serving = (): Promise<void> => serve(cli, database, options, { dataDir, services, ready })
              await (options.demo ? serving() : withReportRounds(cli, database.pool, options.config, serving))
            } finally {
              await stopWebhooks?.()
            }
          })
        },
        'role',
      )
    })

async function demoLines(pool: Database['pool'], dataDir: string): Promise<string[]> {
  const { items } = await agentsPage(wholeStore(pool), { limit: 20 })
  const lines = items.map((agent) => `    ${agent.oid}  ${printable(agent.name ?? '')}`)
  // The agent with the widest story: on the most sources, then with the most events that are surely its own.
  const sources = (agent: Agent): number => Object.values(agent.counts.bySource).filter((events) => events > 0).length
  const widest = items.toSorted((a, b) => sources(b) - sources(a) || b.exactEvents - a.exactEvents)[0]
  return [
    '  The demo agents:',
    ...lines,
    ...(widest ? ['', '  Try in another terminal:', `    npx trailjoin timeline ${widest.oid} --data-dir ${dataDir}`] : []),
  ]
}
