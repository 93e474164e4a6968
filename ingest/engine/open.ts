import type { RecordContext } from '#core/record.ts'
import { readSecret } from './secret.ts'
import { SourceError } from './source-error.ts'
import type { Source, SourceContext } from './source.ts'
import type { RunningSource } from './run.ts'

/** A source as the configuration names it; `settings` have passed the source's own schema. */
export interface SourceEntry {
  readonly kind: string
  readonly name: string
  readonly everySeconds: number
  readonly context: RecordContext
  readonly settings: unknown
}

export interface OpenOptions {
  readonly kinds: ReadonlyMap<string, Source<unknown>>
  /** Where `{env: NAME}` is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: SourceContext['log']
  readonly now?: () => number
}

/** Opens one source; nothing is connected yet. @throws SourceError naming the source */
export async function openSource({ kind, name, everySeconds, context, settings }: SourceEntry, options: OpenOptions): Promise<RunningSource> {
  const source = options.kinds.get(kind)
  if (!source) throw new SourceError('SOURCE_MISCONFIGURED', `${name}: there is no source of the kind "${kind}"`)
  const collectors = await source.open(settings, {
    name,
    secret: (reference) => readSecret(reference, options.environment),
    log: (level, message, fields) => options.log(level, message, { source: name, ...fields }),
    now: options.now ?? Date.now,
  })
  return { name, kind, everyMs: everySeconds * 1000, context, collectors }
}
