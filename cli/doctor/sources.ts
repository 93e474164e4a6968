/** Each live source: may it be read, which logs are there, how far behind is it? */
import { SourceError } from '#ingest/engine/source-error.ts'
import type { Finding } from '#ingest/engine/source.ts'
import type { PartStatus } from '#ingest/engine/store.ts'
import type { Cli } from '../cli.ts'
import { openConfigured } from '../sources.ts'
import type { ConfiguredSources } from '../sources.ts'
import { problem, wordsOf } from './report.ts'
import type { Report } from './report.ts'

/** A check that takes longer is a finding of its own. */
const CHECK_MS = 60_000
/** Behind by more than this is worth a look: the slowest clouds deliver within an hour. */
const LAG_WARNING_SECONDS = 2 * 3600

/**
 * Asks each part of a source.
 * @param statuses what the collectors have written about themselves so far; null when the store does not answer
 */
export async function checkSource(
  cli: Cli,
  entry: ConfiguredSources['entries'][number],
  configured: ConfiguredSources,
  statuses: readonly PartStatus[] | null,
): Promise<readonly Report[]> {
  try {
    const source = await openConfigured(cli, entry, configured, () => undefined)
    return await Promise.all(
      source.collectors.map(async (collector) => {
        const status = statuses?.find((one) => one.source === entry.name && one.part === collector.part) ?? null
        const signal = AbortSignal.any([cli.signal, AbortSignal.timeout(CHECK_MS)])
        const findings = await Promise.race([collector.check(signal), aborted(signal)]).catch((error: unknown): readonly Finding[] => [
          problem(
            'reachable',
            signal.aborted ? `no answer within ${CHECK_MS / 1000} seconds` : wordsOf(error),
            'Check the network between this machine and the cloud.',
          ),
        ])
        cli.signal.throwIfAborted()
        await collector.close?.()
        return { subject: entry.name, part: collector.part, findings: [...findings, ...(statuses === null ? [] : progressOf(status))] }
      }),
    )
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    return [{ subject: entry.name, part: '', findings: [problem('settings', error.message, `Correct the source in ${configured.file}.`)] }]
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped')), { once: true })
  })
}

/** What the collector's own status says: lag, last error, gaps. */
function progressOf(status: PartStatus | null): readonly Finding[] {
  if (status === null) return [{ check: 'progress', level: 'warning', message: 'never collected', next: 'Start `trailjoin ingest`.' }]
  const findings: Finding[] = []
  if (status.watermark === null)
    findings.push({ check: 'lag', level: 'warning', message: `no time is known up to which it is complete (${status.records} records so far)`, next: null })
  else {
    const seconds = Math.max(0, Math.round((Date.now() - Number(status.watermark / 1_000_000n)) / 1000))
    const late = seconds > LAG_WARNING_SECONDS
    findings.push({
      check: 'lag',
      level: late ? 'warning' : 'ok',
      message: `complete up to ${durationOf(seconds)} ago (${status.records} records so far)`,
      next: late ? 'Is `trailjoin ingest` running? A first collection takes a while; a source that went silent stays behind.' : null,
    })
  }
  if (status.failures > 0) {
    const since = status.lastSuccessAt === null ? 'it never succeeded' : `it last succeeded at ${status.lastSuccessAt.toISOString()}`
    findings.push({
      check: 'collector',
      level: 'problem',
      message: `${status.failures} polls failed in a row, ${since}: ${status.lastError ?? ''}`,
      next: 'The findings above say whether it would succeed now.',
    })
  }
  const gap = status.gaps.at(-1)
  if (gap)
    findings.push({
      check: 'gaps',
      level: 'warning',
      message: `${status.gaps.length} stretches of time are missing, the latest: ${gap.reason}`,
      next: 'Import what you have of that time: `trailjoin import`.',
    })
  return findings
}

function durationOf(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`
}
