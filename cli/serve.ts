/** The HTTP role: who may call, the page, the server. What `up` and `api` share. */
import { once } from 'node:events'
import { join } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { destination, pino } from 'pino'
import type { Logger } from 'pino'
import { authenticateBy } from '#api/access/check.ts'
import type { TokenCheck } from '#api/access/check.ts'
import { localToken, oneToken } from '#api/access/local-token.ts'
import { oidcTokens } from '#api/access/oidc.ts'
import { accessRecorder } from '#api/access/record.ts'
import type { AccessSettings } from '#api/access/settings.ts'
import { apiTokens, countUsableTokens } from '#api/access/tokens.ts'
import { createApp } from '#api/app.ts'
import { isLoopback, listen } from '#api/listen.ts'
import type { Services } from '#api/services.ts'
import type { Database } from '#database/open.ts'
import { readAccess } from '../config/api-section.ts'
import { parsePort } from '../config.ts'
import { UsageError } from './cli.ts'
import type { Cli } from './cli.ts'
import { VERSION } from './version.ts'
import { LOG_HOOKS } from './log-hooks.ts'

const DASHBOARD = join(import.meta.dirname, '..', 'dashboards', 'dist')

/** Options of the commands that serve. */
export interface ServeFlags {
  readonly port?: string
  readonly host: string
  readonly config?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** Adds them to a command. */
export function withServeOptions(command: Command, cli: Cli): Command {
  return command
    .option('--port <n>', `port to listen on, 0 for any free one (default: ${cli.config.port})`)
    .option('--host <address>', 'address to listen on; another than loopback needs OIDC or API tokens', '127.0.0.1')
    .option('--config <file>', 'file with the sections api: and, for `up`, sources: (default: TRAILJOIN_CONFIG, else trailjoin.yaml)')
    .addOption(new Option('--tls-cert <file>', 'PEM certificate: serve https'))
    .addOption(new Option('--tls-key <file>', 'its PEM key'))
}

export interface Serving {
  /** Folder of the local token. */
  readonly dataDir: string
  readonly services?: Services
  /** Runs when the server answers; the lines it gives are printed with the address. */
  readonly ready?: () => Promise<readonly string[]>
}

/**
 * Serves API and page until the program is stopped.
 * @throws ConfigError, UsageError; Error where it cannot listen
 */
export async function serve(cli: Cli, database: Database, flags: ServeFlags, { dataDir, services = {}, ready = async () => [] }: Serving): Promise<void> {
  const { pool, embedded } = database
  const port = flags.port === undefined ? cli.config.port : portOf(flags.port)
  const settings = await accessOf(cli, flags)
  const log = pino({ name: 'trailjoin', hooks: LOG_HOOKS, level: cli.config.logLevel }, destination(2))
  const { checks, token, identities } = await checksFor(settings, { dataDir, host: flags.host, pool, log })
  if (token === null && !identities && isLoopback(flags.host))
    throw new UsageError('Nobody could call: localToken is false, no OIDC issuer is configured, and there is no good API token (`trailjoin tokens create`).')
  if (identities && !isLoopback(flags.host)) mustHaveNames(flags.host, settings)
  const recorder = accessRecorder(pool, log)
  const hosts = [...settings.hosts, ...ownName(flags.host)]
  // Behind a proxy, too, browsers come by https: nobody sends tokens over a network in the clear.
  const tls = settings.tls !== undefined || settings.trustProxy !== undefined
  const auth = authenticateBy(checks)
  const app = createApp({ pool, auth, log, dashboardDir: DASHBOARD, version: VERSION, access: { ...settings, hosts }, tls, services, recorder })
  const server = await listen(app, { host: flags.host, port, identities, tls: settings.tls, log })
  try {
    const more = await ready()
    const lines = [
      `trailjoin ${VERSION}`,
      '',
      `  page    ${server.url}/${token === null ? '' : `#token=${token}`}`,
      `  API     ${server.url}/v1   (Authorization: Bearer ${token ?? '<token>'})`,
      `  data    ${embedded ? dataDir : 'the database in DATABASE_URL'}`,
      ...settings.oidc.map(({ issuer }) => `  OIDC    ${issuer}`),
      ...more,
    ]
    if (!isLoopback(flags.host) && !settings.tls)
      cli.say(
        'This address takes plain http: put a proxy with TLS before it, or give --tls-cert and --tls-key. Tokens that cross a network in the clear are anybody’s.',
      )
    await cli.out.write(`${[...lines, '', 'Ctrl-C stops it.'].join('\n')}\n`)
    if (!cli.signal.aborted) await once(cli.signal, 'abort')
  } finally {
    await server.close()
    await recorder.settled()
  }
}

async function accessOf(cli: Cli, { config, tlsCert, tlsKey }: ServeFlags): Promise<AccessSettings> {
  const settings = await readAccess(config ?? cli.config.configFile, cli.environment)
  if (tlsCert === undefined && tlsKey === undefined) return settings
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key go together.')
  return { ...settings, tls: { cert: tlsCert, key: tlsKey } }
}

/** Whose tokens count. The local one does on loopback only: on a network it would be one secret for everybody, without a name or an end. */
async function checksFor(
  settings: AccessSettings,
  { dataDir, host, pool, log }: { dataDir: string; host: string; pool: Database['pool']; log: Logger },
): Promise<{ readonly checks: readonly TokenCheck[]; readonly token: string | null; readonly identities: boolean }> {
  const token = settings.localToken && isLoopback(host) ? await localToken(dataDir) : null
  const checks = [...(token === null ? [] : [oneToken(token)]), apiTokens(pool), ...(settings.oidc.length > 0 ? [oidcTokens(settings.oidc, { log })] : [])]
  return { checks, token, identities: settings.oidc.length > 0 || (await countUsableTokens(pool)) > 0 }
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** The address that is listened on is one that it answers to, unless it stands for all of them. */
const ownName = (host: string): string[] => (isWildcard(host) ? [] : [host.includes(':') ? `[${host}]` : host.toLowerCase()])

function mustHaveNames(host: string, { hosts }: AccessSettings): void {
  if (isWildcard(host) && hosts.length === 0)
    throw new UsageError(
      `--host ${host} stands for every address: name those that clients use, with hosts: in the section api: of the configuration file or TRAILJOIN_HOSTS.`,
    )
}

function portOf(text: string): number {
  try {
    return parsePort(text)
  } catch (error) {
    throw new UsageError(`--port: ${error instanceof Error ? error.message : String(error)}`)
  }
}
