import { Command } from 'commander'
import { withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'

export const migrateCommand: CommandFactory = (cli) =>
  new Command('migrate').description('brings the database schema up to date').action(async (_options: unknown, command: Command) => {
    // Opening migrates, under a lock; this command exists for those who run it apart from the rest, before a roll-out.
    await withStore(cli, command.optsWithGlobals<GlobalOptions>(), async () => cli.say('The database schema is up to date.'))
  })
