import { once } from 'node:events'
import { join } from 'node:path'
import { Command } from 'commander'
import { destination, pino } from 'pino'
import { createApp } from '#api/app.ts'
import { bearerToken, localToken } from '#api/auth.ts'
import type { Agent } from '#api/contract.ts'
import { listen } from '#api/listen.ts'
import { agentsPage } from '#api/read-models/agents.ts'
import type { Database } from '#database/open.ts'
import { defaultDataDir } from '#database/folders.ts'
import { parsePort } from '../../config.ts'
import { storeOf, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { demoDataDir, loadDemo } from '../demo.ts'
import { printable } from '../output/table.ts'
import { VERSION } from '../version.ts'
import { wholeStore } from '#api/read-models/store.ts'

const DASHBOARD = join(import.meta.dirname, '..', '..', 'dashboards', 'dist')

export const upCommand: CommandFactory = (cli) =>
  new Command('up')
    .description('everything in one process: database, API and web page on this machine')
    .option('--port <n>', `port to listen on, 0 for any free one (default: ${cli.config.port})`)
    .option('--host <address>', 'loopback address to listen on', '127.0.0.1')
    .option('--demo', 'show the bundled demo records, in a store of their own')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { port?: string; host: string; demo?: true }>()
      const port = options.port === undefined ? cli.config.port : portOf(options.port)
      const folder = options.dataDir ?? cli.config.dataDir ?? defaultDataDir()
      const dataDir = options.demo ? demoDataDir(folder) : folder
      // Demo records belong in no real store, so the demo never goes to DATABASE_URL.
      const store = options.demo || storeOf(cli.config, options).databaseUrl === undefined ? { dataDir } : {}
      await withStore(cli, store, (database) => serve(cli, database, { port, host: options.host, dataDir, demo: options.demo === true }))
    })

/** The HTTP role by itself: what `up` serves, from the store that the correlators write to. */
export const apiCommand: CommandFactory = (cli) =>
  new Command('api')
    .description('serves API and web page from DATABASE_URL (or --data-dir), beside correlators of their own')
    .option('--port <n>', `port to listen on, 0 for any free one (default: ${cli.config.port})`)
    .option('--host <address>', 'loopback address to listen on', '127.0.0.1')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { port?: string; host: string }>()
      const port = options.port === undefined ? cli.config.port : portOf(options.port)
      const dataDir = options.dataDir ?? cli.config.dataDir ?? defaultDataDir()
      await withStore(cli, options, (database) => serve(cli, database, { port, host: options.host, dataDir, demo: false }))
    })

async function serve(
  cli: Cli,
  { pool, embedded }: Database,
  { port, host, dataDir, demo }: { port: number; host: string; dataDir: string; demo: boolean },
): Promise<void> {
  const token = await localToken(dataDir)
  const log = pino({ name: 'trailjoin', level: cli.config.logLevel }, destination(2))
  const app = createApp({ pool, auth: bearerToken(token), log, dashboardDir: DASHBOARD, version: VERSION })
  const server = await listen(app, { host, port })
  try {
    if (demo) await loadDemo(cli, pool, dataDir)
    const page = `${server.url}/#token=${token}`
    const lines = [
      `trailjoin ${VERSION}`,
      '',
      `  page    ${page}`,
      `  API     ${server.url}/v1   (Authorization: Bearer ${token})`,
      `  data    ${embedded ? dataDir : 'the database in DATABASE_URL'}`,
    ]
    if (demo) lines.push('', ...(await demoLines(pool, dataDir)))
    await cli.out.write(`${[...lines, '', 'Ctrl-C stops it.'].join('\n')}\n`)
    if (!cli.signal.aborted) await once(cli.signal, 'abort')
  } finally {
    await server.close()
  }
}

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

function portOf(text: string): number {
  try {
    return parsePort(text)
  } catch (error) {
    throw new UsageError(`--port: ${error instanceof Error ? error.message : String(error)}`)
  }
}
