import { Command, Option } from 'commander'
import { resolve } from '#api/read-models/resolve.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { oneLine } from '#api/exports/item.ts'
import type { Occurrence, Resolution } from '#api/resolve/contract.ts'
import { ResolveQuery } from '#api/resolve/query.ts'
import { parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'

export const resolveCommand: CommandFactory = (cli) =>
  new Command('resolve')
    .description('what an identifier is and where it occurs: oid, appId, resource id, ARN, access key, service account, request or record id, IP …')
    .argument('<identifier>', 'as it stands in the log or the ticket')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--all-records', 'look into every record, too, however many there are')
    .action(async (text: string, _options: unknown, command: Command) => {
      const { dataDir, format, allRecords = false } = command.optsWithGlobals<GlobalOptions & { format: 'text' | 'json'; allRecords?: true }>()
      const { q } = parseUsage(ResolveQuery, { q: text }, ['q'])
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const answer = await resolve(wholeStore(pool), q, { ...(allRecords ? { records: 'true', most: null } : {}), signal: cli.signal })
        await cli.out.write(format === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : `${told(answer).join('\n')}\n`)
      })
    })

function told({ looksLike, refused, principals, morePrincipals, others, occurrences, notSearched }: Resolution): string[] {
  if (refused !== null) return [`Cannot be looked up. ${refused}`]
  const known = [
    ...principals.map(
      ({ as, tenantId, oid, kind, name }) =>
        `${as === 'oid' ? 'oid' : `${as} of oid`} ${oid}: ${kind}${name === null ? '' : ` "${oneLine(name)}"`} of tenant ${tenantId ?? 'unknown'}`,
    ),
    ...(morePrincipals > 0 ? [`and ${morePrincipals} more`] : []),
    ...others.map(({ as, id }) => `${as} ${id}`),
    ...occurrences.flatMap(occurrenceLines),
  ]
  const nothing = notSearched.length === 0 ? 'No record in the store bears it.' : 'Not found in what was searched.'
  return [`Looks like: ${looksLike.join(', ')}`, ...(known.length > 0 ? known : [nothing]), ...notSearched.map((what) => `Not searched: ${what}`)]
}

const WORDS: Readonly<Record<Occurrence['field'], string>> = {
  id: 'trailjoin event id',
  nativeId: "the cloud's own record id",
  requestId: 'request id',
  tokenId: 'token id (uti)',
  credential: 'credential used or issued',
  principal: 'principal',
  resource: 'resource',
  sourceIp: 'source address',
  record: 'a part of the record',
}

function occurrenceLines({ field, match, events, atLeast, firstSeen, lastSeen, principals, morePrincipals, sample }: Occurrence): string[] {
  return [
    `As ${WORDS[field]}${match === 'prefix' ? ' (any session of the role)' : ''} of ${atLeast ? 'at least ' : ''}${events} event${events === 1 ? '' : 's'}, ${firstSeen ?? '…'} to ${lastSeen}`,
    ...principals.map(
      ({ tenantId, subjectOid, agentOid, confidence, events: count }) =>
        `  ${count} × ${agentOid === null ? (subjectOid === null ? 'nobody proven' : `subject ${subjectOid}`) : `agent ${agentOid}`} (${confidence})${tenantId === null ? '' : `, tenant ${tenantId}`}`,
    ),
    ...(morePrincipals > 0 ? [`  and ${morePrincipals} others`] : []),
    ...sample.map(({ id, time, source, action, outcome }) => `  ${time} ${source} ${oneLine(action)} ${outcome} ${id}`),
  ]
}
