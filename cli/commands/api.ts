import { Command } from 'commander'
import { defaultDataDir } from '#database/folders.ts'
import { withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { withReportRounds } from '../report/schedule/rounds.ts'
import { serve, withServeOptions } from '../serve.ts'
import type { ServeFlags } from '../serve.ts'
import { withServices } from '../services.ts'

/** The HTTP role by itself: what `up` serves, from the store that the correlators write to. */
export const apiCommand: CommandFactory = (cli) =>
  withServeOptions(new Command('api'), cli)
    .description('serves API and web page from DATABASE_URL (or --data-dir), beside correlators of their own')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & ServeFlags>()
      const dataDir = options.dataDir ?? cli.config.dataDir ?? defaultDataDir()
      await withStore(
        cli,
        options,
        (database) =>
          withServices(cli, database, { findings: false, config: options.config }, ({ services }) =>
            withReportRounds(cli, database.pool, options.config, () => serve(cli, database, options, { dataDir, services })),
          ),
        'role',
      )
    })
