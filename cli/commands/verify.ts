import { Command } from 'commander'
import { z } from 'zod'
import { verifyBundle } from '../bundle/verify.ts'
import { CommandError, parseUsage } from '../cli.ts'
import type { CommandFactory } from '../cli.ts'
import { oneLine } from '#api/exports/item.ts'

const Expected = z.object({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'is no SHA-256 in 64 hexadecimal digits')
    .optional(),
})

export const verifyCommand: CommandFactory = (cli) =>
  new Command('verify')
    .description('checks an evidence bundle: every byte, every hash, every record; needs no database')
    .argument('<bundle>', 'the zip')
    .option('--sha256 <hex>', 'the SHA-256 noted when it was made: without it a bundle that was made anew cannot be told from the first')
    .action(async (path: string, options: { readonly sha256?: string }) => {
      const { sha256: expected } = parseUsage(Expected, options)
      const { faults, more, sha256, manifest } = await verifyBundle(path, expected)
      for (const fault of faults) cli.say(oneLine(fault))
      if (more > 0) cli.say(`… and ${more} faults more.`)
      if (faults.length > 0 || manifest === null) throw new CommandError(`${path} is not a whole, unchanged evidence bundle.`)
      const { timeline, supporting, records, findings } = manifest.counts
      const period = manifest.from === null && manifest.to === null ? 'all times' : `${manifest.from ?? 'the beginning'} to ${manifest.to ?? 'the end'}`
      await cli.out.write(
        [
          `${path}: whole and unchanged${expected === undefined ? '' : ', and the file that was noted'}.`,
          `oid ${manifest.oid}, ${period}, made ${manifest.createdAt} by ${oneLine(manifest.createdBy)}`,
          `${timeline} events and ${supporting} that they rest on, ${records} raw records, ${findings} findings; ${manifest.leftOut.references} references lead out of the bundle`,
          `seal ${manifest.seal}`,
          `SHA-256 ${sha256}`,
          '',
        ].join('\n'),
      )
    })
