import { Command, Option } from 'commander'
import { z } from 'zod'
import type { Explanation, OidExplanation, Statement } from '#api/explain/contract.ts'
import { guid } from '#api/query.ts'
import { explainEvent, explainOid } from '#api/read-models/explain.ts'
import { explainUnknown } from '#api/read-models/oid-info.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { CommandError, parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { paragraph } from '../output/paragraph.ts'

export const explainCommand: CommandFactory = (cli) =>
  new Command('explain')
    .description('in plain words why an event, or what an oid did, shows what it shows, and what would make it exact')
    .argument('<id>', 'id of an event, or an oid')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--tenant <guid>', 'of an oid: only in this tenant')
    .action(async (given: string, _options: unknown, command: Command) => {
      const { dataDir, format, tenant: asked } = command.optsWithGlobals<GlobalOptions & { format: 'text' | 'json'; tenant?: string }>()
      const { id } = parseUsage(z.object({ id: guid }), { id: given }, ['id'])
      const { tenant } = parseUsage(z.object({ tenant: guid.optional() }), { tenant: asked })
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const store = wholeStore(pool)
        const event = await explainEvent(store, id)
        if (event) return await cli.out.write(format === 'json' ? `${JSON.stringify(event, null, 2)}\n` : explanationText(event, cli.out.width))
        const oid = await explainOid(store, id, tenant)
        if (oid.groups.length === 0) {
          const unknown = await explainUnknown(store, id, tenant)
          if (unknown !== null) throw new CommandError(`${unknown} There is no event of this id, either.`)
        }
        await cli.out.write(format === 'json' ? `${JSON.stringify(oid, null, 2)}\n` : oidText(oid, cli.out.width))
      })
    })

/** An explanation as a page of text, at most `width` characters wide. */
export function explanationText(explanation: Explanation, width: number): string {
  const { summary, hops, hopsCut, seen, confidence, wouldBeExact, missing } = explanation
  const statements = (list: readonly Statement[]): string =>
    list.map(({ words, evidence }) => paragraph(`${words}${evidenceText(evidence)}`, width, '  - ')).join('')
  return [
    paragraph(summary, width),
    '\nHops\n',
    hopsCut ? paragraph('(there are hops before these)', width, '  ') : '',
    ...hops.map((hop, index) => paragraph(`${hop.time.slice(0, 19).replace('T', ' ')}  ${hop.words} [${hop.eventId}]`, width, `  ${index + 1}. `)),
    '\nWhat this cloud could see\n',
    paragraph(`${seen.words}${evidenceText(seen.evidence)}`, width, '  '),
    `\nWhy ${confidence.value}\n`,
    statements(confidence.because),
    wouldBeExact.length > 0 ? '\nWhat would make it exact\n' : '',
    ...wouldBeExact.map(({ change, words }) => paragraph(`${change}: ${words}`, width, '  - ')),
    missing.length > 0 ? '\nWhat is missing\n' : '',
    statements(missing),
  ].join('')
}

function evidenceText(ids: readonly string[]): string {
  if (ids.length === 0) return ''
  return ` [${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ` and ${ids.length - 3} more` : ''}]`
}

/** The explanation of an oid as a page of text. */
export function oidText(explanation: OidExplanation, width: number): string {
  const groups = explanation.groups.map(({ source, confidence, events, firstSeen, lastSeen, example }) => {
    const when = (time: string): string => time.slice(0, 16).replace('T', ' ')
    const title = `\n== ${source}, ${confidence}: ${events.toLocaleString('en')} events, ${when(firstSeen)} to ${when(lastSeen)}; the latest of them:\n`
    return `${title}${explanationText(example, width)}`
  })
  return [paragraph(explanation.summary, width), ...groups, explanation.more > 0 ? `\n${explanation.more} smaller groups left out.\n` : ''].join('')
}
