import { Command } from 'commander'
import type { Agent } from '#api/contract.ts'
import { AgentsQuery, MAX_LIMIT } from '#api/query.ts'
import { agentsPage } from '#api/read-models/agents.ts'
import { parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { wholeStore } from '#api/read-models/store.ts'

const day = (time: string | null): string => time?.slice(0, 16).replace('T', ' ') ?? ''
const short = (way: string): string => way.replace('option-', '')
const topology = ({ topology: { aws, gcp } }: Agent): string => [aws && `aws ${short(aws)}`, gcp && `gcp ${short(gcp)}`].filter(Boolean).join(', ')

const TABLE = (width: number): readonly Column<Agent>[] => {
  const name = Math.max(16, Math.floor((width - 115) / 2) + 16)
  return [
    { title: 'agent', width: name, text: (agent) => agent.name ?? '' },
    { title: 'oid', width: 36, text: (agent) => agent.oid },
    { title: 'blueprint', width: Math.max(12, name - 4), text: (agent) => agent.blueprint?.name ?? agent.blueprint?.appId ?? '' },
    { title: 'option', width: 18, text: topology },
    { title: 'events', width: 12, text: (agent) => `${total(agent)}${agent.candidateEvents > 0 ? ` (${agent.candidateEvents}?)` : ''}` },
    { title: 'last seen', width: 16, text: (agent) => day(agent.lastSeen) },
  ]
}

const total = (agent: Agent): number => Object.values(agent.counts.bySource).reduce((sum, events) => sum + events, 0)

const CSV: Readonly<Record<string, (agent: Agent) => string | number | null>> = {
  tenantId: (agent) => agent.tenantId,
  oid: (agent) => agent.oid,
  name: (agent) => agent.name,
  appId: (agent) => agent.appId,
  status: (agent) => agent.status,
  blueprintAppId: (agent) => agent.blueprint?.appId ?? null,
  blueprintName: (agent) => agent.blueprint?.name ?? null,
  uamis: (agent) => agent.uamis.map((uami) => uami.oid).join(' '),
  topologyAws: (agent) => agent.topology.aws,
  topologyGcp: (agent) => agent.topology.gcp,
  firstSeen: (agent) => agent.firstSeen,
  lastSeen: (agent) => agent.lastSeen,
  entra: (agent) => agent.counts.bySource.entra,
  aws: (agent) => agent.counts.bySource.aws,
  gcp: (agent) => agent.counts.bySource.gcp,
  app: (agent) => agent.counts.bySource.app,
  exactEvents: (agent) => agent.exactEvents,
  candidateEvents: (agent) => agent.candidateEvents,
  targetEvents: (agent) => agent.targetEvents,
}

export const agentsCommand: CommandFactory = (cli) =>
  new Command('agents')
    .description('the agents, how they federate, and how much they did')
    .addOption(formatOption())
    .option('--tenant <guid>', 'only of this tenant')
    .option('--text <part>', 'only where name, oid, appId or Blueprint contain it')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, ...filters } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      const { tenant, text } = parseUsage(AgentsQuery, filters)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) => agentsPage(wholeStore(pool), { tenant, text, limit: MAX_LIMIT, cursor }))
        const printed = await printListing(cli.out, format, { pages, table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say('No agents. Import Entra sign-in or audit logs: they say which principals are agents.')
        else if (format === 'table') cli.say('(n?): events that it is only one of several candidates for.')
      })
    })
