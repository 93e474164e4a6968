import { Command, InvalidArgumentError, Option } from 'commander'
import { isGuid } from '#core/keys.ts'
import { ACCESS_ROLES } from '#api/access/caller.ts'
import type { AccessRole, Scope } from '#api/access/caller.ts'
import type { ApiToken } from '#api/access/tokens.ts'
import { createToken, listTokens, revokeToken } from '#api/access/tokens.ts'
import { CommandError, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import { printable } from '../output/table.ts'
import type { Column } from '../output/table.ts'

const DAY_MS = 86_400_000
/** A token that outlives who made it and what it was for is the one that leaks. */
const LONGEST_DAYS = 366

export const tokensCommand: CommandFactory = (cli) =>
  new Command('tokens').description('API tokens for machines: make, list and revoke them').addCommand(create(cli)).addCommand(list(cli)).addCommand(revoke(cli))

const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), ...value.split(',').map((part) => part.trim())]

function create(cli: Cli): Command {
  return new Command('create')
    .description('makes a token and prints it, this once')
    .requiredOption('--name <name>', 'what it is for')
    .addOption(new Option('--role <roles>', `${ACCESS_ROLES.join(', ')}; several with commas`).argParser(collect).makeOptionMandatory())
    .addOption(new Option('--tenant <guids>', 'tenants whose records it may see; several with commas').argParser(collect))
    .option('--all-tenants', 'every tenant, and what belongs to none')
    .addOption(new Option('--expires <when>', `days (90d) or a date, ${LONGEST_DAYS} days from now at most`).default('90d').argParser(parseExpiry))
    .option('--json', 'print one JSON object')
    .exitOverride()
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<
        GlobalOptions & { name: string; role: readonly string[]; tenant?: readonly string[]; allTenants?: true; expires: string | Date; json?: true }
      >()
      const wanted = {
        name: nameOf(options.name),
        roles: rolesOf(options.role),
        scope: scopeOf(options.tenant, options.allTenants === true),
        expiresAt: options.expires instanceof Date ? options.expires : parseExpiry(options.expires),
      }
      await withStore(
        cli,
        options.dataDir === undefined ? {} : { dataDir: options.dataDir },
        async ({ pool }) => {
          const { token, entry } = await createToken(pool, wanted)
          if (options.json) return await cli.out.write(`${JSON.stringify({ token, ...shown(entry) })}\n`)
          cli.say(
            `Token ${entry.prefix}… (${entry.roles.join(', ')}; ${scopeText(entry.scope)}) is good until ${entry.expiresAt.toISOString()}. It is shown this once:`,
          )
          await cli.out.write(`${token}\n`)
        },
        'store',
      )
    })
}

function list(cli: Cli): Command {
  return new Command('list')
    .description('all tokens there ever were, the latest first; never the tokens themselves')
    .addOption(formatOption())
    .exitOverride()
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const tokens = (await listTokens(pool)).map(shown)
        const printed = await printListing(cli.out, format, { pages: pagesOf(tokens), table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say('There are no tokens.')
      })
    })
}

function revoke(cli: Cli): Command {
  return new Command('revoke')
    .description('ends a token, from its next request on')
    .argument('<token>', 'its id, its prefix as the list shows it, or its name')
    .exitOverride()
    .action(async (name: string, _options: unknown, command: Command) => {
      const { dataDir } = command.optsWithGlobals<GlobalOptions>()
      // Whoever pastes the token itself means its prefix; the rest of it must not stand in a message.
      const meant = /^tj_[\w-]{43}$/.test(name) ? name.slice(0, 11) : name
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const named = await revokeToken(pool, meant)
        const [only] = named
        if (!only) throw new CommandError(`No token that is not revoked yet has the id, prefix or name ${printable(meant)}.`)
        if (named.length > 1)
          throw new CommandError(`${named.length} tokens have that name; revoke by id:\n${named.map(({ id, prefix }) => `  ${id}  ${prefix}…`).join('\n')}`)
        cli.say(`Token ${only.prefix}… (${printable(only.name)}) is revoked.`)
      })
    })
}

function nameOf(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 100 || printable(name) !== name) throw new UsageError('--name: write 1 to 100 printable characters')
  return name
}

function rolesOf(words: readonly string[]): readonly AccessRole[] {
  const wrong = words.filter((word) => !(ACCESS_ROLES as readonly string[]).includes(word))
  if (wrong.length > 0) throw new UsageError(`--role: "${wrong.join(',')}" is not one of ${ACCESS_ROLES.join(', ')}`)
  return ACCESS_ROLES.filter((role) => words.includes(role))
}

function scopeOf(tenants: readonly string[] | undefined, all: boolean): Scope {
  if (all === (tenants !== undefined)) throw new UsageError('Say whose records it may see: either --tenant or --all-tenants.')
  const wrong = (tenants ?? []).filter((tenant) => !isGuid(tenant))
  if (wrong.length > 0) throw new UsageError(`--tenant: "${wrong.join(',')}" is no tenant id: write it as 8-4-4-4-12 hexadecimal digits`)
  return all ? 'everything' : [...new Set((tenants ?? []).map((tenant) => tenant.toLowerCase()))].toSorted()
}

function parseExpiry(text: string): Date {
  const days = /^(\d{1,3})d$/.exec(text)?.[1]
  const date =
    days === undefined ? (/^\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z)?$/.test(text) ? new Date(text) : new Date(Number.NaN)) : new Date(Date.now() + Number(days) * DAY_MS)
  const left = date.getTime() - Date.now()
  if (!(left > 0)) throw new InvalidArgumentError('write days (90d) or a date to come (2027-01-31).')
  // A minute for the clock that ticked meanwhile.
  if (left > LONGEST_DAYS * DAY_MS + 60_000) throw new InvalidArgumentError(`no token is good for longer than ${LONGEST_DAYS} days.`)
  return date
}

interface ShownToken {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly roles: readonly AccessRole[]
  readonly scope: Scope
  readonly state: 'good' | 'expired' | 'revoked'
  readonly createdAt: string
  readonly expiresAt: string
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
}

function shown({ createdAt, expiresAt, revokedAt, lastUsedAt, id, name, prefix, roles, scope }: ApiToken): ShownToken {
  const state = revokedAt !== null ? 'revoked' : expiresAt.getTime() <= Date.now() ? 'expired' : 'good'
  const times = { createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }
  return { id, name, prefix, roles, scope, state, ...times, revokedAt: revokedAt?.toISOString() ?? null, lastUsedAt: lastUsedAt?.toISOString() ?? null }
}

const scopeText = (scope: Scope): string => (scope === 'everything' ? 'all tenants' : scope.join(' '))

// oxlint-disable-next-line require-await
async function* pagesOf(tokens: readonly ShownToken[]): AsyncGenerator<readonly ShownToken[]> {
  if (tokens.length > 0) yield tokens
}

const moment = (time: string | null): string => time?.slice(0, 16).replace('T', ' ') ?? ''

const TABLE = (width: number): readonly Column<ShownToken>[] => [
  { title: 'token', width: 12, text: (token) => `${token.prefix}…` },
  { title: 'state', width: 8, text: (token) => token.state, style: (token) => (token.state === 'good' ? 'green' : 'dim') },
  { title: 'name', width: Math.max(12, width - 118), text: (token) => token.name },
  { title: 'roles', width: 20, text: (token) => token.roles.join(' ') },
  { title: 'tenants', width: 36, text: (token) => scopeText(token.scope) },
  { title: 'good until', width: 16, text: (token) => moment(token.expiresAt) },
  { title: 'last used', width: 16, text: (token) => moment(token.lastUsedAt) },
]

const CSV: Readonly<Record<string, (token: ShownToken) => string | null>> = {
  id: (token) => token.id,
  prefix: (token) => token.prefix,
  name: (token) => token.name,
  state: (token) => token.state,
  roles: (token) => token.roles.join(' '),
  tenants: (token) => scopeText(token.scope),
  createdAt: (token) => token.createdAt,
  expiresAt: (token) => token.expiresAt,
  revokedAt: (token) => token.revokedAt,
  lastUsedAt: (token) => token.lastUsedAt,
}
