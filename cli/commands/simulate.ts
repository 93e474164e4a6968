import { Command } from 'commander'
import { z } from 'zod'
import { SOURCES } from '#core/event.ts'
import type { Source } from '#core/event.ts'
import { writeWorld } from '../../simulate/write.ts'
import { CommandError, parseUsage, UsageError } from '../cli.ts'
import type { CommandFactory } from '../cli.ts'

const whole = z
  .string()
  .regex(/^\d{1,9}$/, 'is no whole number')
  .transform(Number)
const number = z
  .string()
  .regex(/^\d{1,9}(\.\d+)?$/, 'is no number')
  .transform(Number)
const share = number.refine((value) => value <= 1, 'must lie between 0 and 1')
const ONE = `(?:${SOURCES.join('|')})=(?:0(?:\\.\\d+)?|1)`
const Options = z.object({
  seed: whole,
  agents: whole,
  days: number.optional(),
  events: whole.optional(),
  start: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'is no date like 2026-09-01')
    .transform((day) => Date.parse(`${day}T00:00:00Z`))
    .refine((at) => !Number.isNaN(at), 'is no date')
    .optional(),
  'turns-per-day': number.optional(),
  'noise-per-day': number.optional(),
  delays: z.enum(['none', 'usual', 'wild']).optional(),
  late: share.optional(),
  duplicates: share.optional(),
  missing: z
    .string()
    .regex(new RegExp(`^(${ONE})(,${ONE})*$`), `is no list of shares by source like aws=0.05,gcp=0.1; sources are ${SOURCES.join(', ')}`)
    .transform((list): Partial<Record<Source, number>> => Object.fromEntries(list.split(',').map((part) => [part.split('=')[0], Number(part.split('=')[1])])))
    .optional(),
  'roll-minutes': whole.optional(),
})

export const simulateCommand: CommandFactory = (cli) =>
  new Command('simulate')
    .description('writes a made-up world of agents on three clouds: log files as the clouds write them, and the truth about every record')
    .requiredOption('--out <folder>', 'where to write; must hold no world yet')
    .option('--seed <n>', 'the same seed and options give the same bytes', '1')
    .option('--agents <n>', 'how many agents', '8')
    .option('--days <n>', 'length of the world (default: 3, or as long as --events needs)')
    .option('--events <n>', 'stop after so many events')
    .option('--start <date>', 'first day (default: 2026-09-01)')
    .option('--turns-per-day <n>', 'turns of an agent a day (default: 24)')
    .option('--noise-per-day <n>', 'scenes of people, pipelines and services a tenant and day (default: 40)')
    .option('--delays <how>', 'how late records reach their logs: none, usual, wild (default: usual)')
    .option('--late <share>', 'share of records that come days late')
    .option('--duplicates <share>', 'share of records that come twice')
    .option('--missing <list>', 'share of records that never come, by source, e.g. aws=0.05,gcp=0.1')
    .option('--roll-minutes <n>', 'time that one file covers (default: 360)')
    .option('--gzip', 'gzip every file')
    .option('--no-truth', 'without truth.ndjson')
    .action(async (given: { out: string; gzip?: true; truth: boolean } & Record<string, unknown>) => {
      const dashed = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value]),
      )
      const { 'turns-per-day': turnsPerDay, 'noise-per-day': noisePerDay, 'roll-minutes': rollMinutes, ...rest } = parseUsage(Options, dashed)
      const named = Object.fromEntries(Object.entries({ ...rest, turnsPerDay, noisePerDay, rollMinutes }).filter(([, value]) => value !== undefined))
      try {
        const written = await writeWorld(given.out, {
          ...named,
          seed: rest.seed,
          agents: rest.agents,
          compressAll: given.gzip === true,
          truth: given.truth,
          signal: cli.signal,
          onProgress: (records) => cli.terminal?.write(`\r\u001b[2K${records.toLocaleString('en')} records written`),
        })
        cli.terminal?.write('\r\u001b[2K')
        cli.say(
          `${written.events} events in ${written.records} records (${written.duplicates} duplicates, ${written.missing} never delivered) in ${written.files} files under ${given.out}.`,
        )
      } catch (error) {
        if (cli.signal.aborted) throw error
        if (error instanceof RangeError) throw new UsageError(error.message)
        throw new CommandError(error instanceof Error ? error.message : String(error))
      }
    })
