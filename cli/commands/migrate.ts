import { Command } from 'commander'
import { withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'

export const migrateCommand: CommandFactory = (cli) =>
  new Command('migrate').description('brings the database schema up to date').action(async (_options: unknown, command: Command) => {
    // An embedded store is brought up to date by whoever opens it; the schema of a server behind DATABASE_URL only by this.
    await withStore(cli, command.optsWithGlobals<GlobalOptions>(), async () => cli.say('The database schema is up to date.'), 'migrate')
  })
