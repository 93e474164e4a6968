/** The live sources that the configuration names: what `ingest` and `doctor` share. */
import { pino } from 'pino'
import type { Logger } from 'pino'
import { destination } from 'pino'
import { discoverSources } from '#ingest/engine/discover.ts'
import { openSource } from '#ingest/engine/open.ts'
import type { SourceEntry } from '#ingest/engine/open.ts'
import type { RunningSource } from '#ingest/engine/run.ts'
import type { Source, SourceContext } from '#ingest/engine/source.ts'
import { readSourcesIfAny as readIfAny, readSourcesFile } from '../config/sources-file.ts'
import { DEFAULT_FILE } from '../config/yaml-file.ts'
import type { Cli } from './cli.ts'
import { LOG_HOOKS } from './log-hooks.ts'

export interface ConfiguredSources {
  readonly file: string
  readonly entries: readonly SourceEntry[]
  readonly kinds: ReadonlyMap<string, Source<unknown>>
}

/** Reads the configuration file: the option's, else TRAILJOIN_CONFIG, else `trailjoin.yaml` here. @throws ConfigError naming every fault */
export async function readSources({ config }: Pick<Cli, 'config'>, option: string | undefined): Promise<ConfiguredSources> {
  const file = option ?? config.configFile ?? DEFAULT_FILE
  const kinds = await discoverSources()
  return { file, kinds, entries: await readSourcesFile(file, kinds) }
}

/** The sources for a program that can do without: null when the file is not there or names none. @throws ConfigError naming every fault */
export async function readSourcesIfAny({ config }: Pick<Cli, 'config'>, option: string | undefined): Promise<ConfiguredSources | null> {
  const file = option ?? config.configFile ?? DEFAULT_FILE
  const kinds = await discoverSources()
  const entries = await readIfAny(file, kinds)
  return entries === null ? null : { file, kinds, entries }
}

/** Opens one source; nothing is connected yet. @throws SourceError */
export function openConfigured(cli: Cli, entry: SourceEntry, { kinds }: ConfiguredSources, log: SourceContext['log']): Promise<RunningSource> {
  return openSource(entry, { kinds, environment: cli.environment, log })
}

/** One JSON line a message, on standard error. */
export function sourceLogger(level: string, role = 'ingest'): { readonly logger: Logger; readonly log: SourceContext['log'] } {
  const logger = pino({ name: 'trailjoin', hooks: LOG_HOOKS, base: { role }, level }, destination(2))
  return { logger, log: (severity, message, fields = {}) => logger[severity](fields, message) }
}
