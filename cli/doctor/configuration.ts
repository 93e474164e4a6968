/** The configuration file, section by section: what is wrong in one is told, and the others are looked at all the same. */
import type { AccessSettings } from '#api/access/settings.ts'
import { readAccess } from '../../config/api-section.ts'
import { readApiLogs } from '../../config/api-logs-section.ts'
import { readReports } from '../../config/reports-section.ts'
import type { ScheduledReport } from '../../config/reports-section.ts'
import { readWebhooks } from '../../config/webhooks-section.ts'
import type { FindingWebhook } from '../../config/webhooks-section.ts'
import { DEFAULT_FILE, readNamed, sectionOf } from '../../config/yaml-file.ts'
import { ConfigError } from '../../config.ts'
import type { Cli } from '../cli.ts'
import { readSourcesIfAny } from '../sources.ts'
import type { ConfiguredSources } from '../sources.ts'
import { ok, problem, warning } from './report.ts'
import type { Report } from './report.ts'

/** What the sections say; null where one is not there or cannot be used. */
export interface Configuration {
  readonly report: Report
  readonly sources: ConfiguredSources | null
  /** Null also where nothing says who may call: then it is the local token. */
  readonly access: AccessSettings | null
  readonly webhooks: readonly FindingWebhook[]
  readonly reports: readonly ScheduledReport[]
}

/**
 * Reads the file that the option, else TRAILJOIN_CONFIG, names, else `trailjoin.yaml` here, and what the environment says of its section `api`.
 * @returns with every fault as a finding
 */
export async function readConfiguration(cli: Cli, option: string | undefined): Promise<Configuration> {
  const named = option ?? cli.config.configFile
  const file = named ?? DEFAULT_FILE
  const faults = new Set<string>()
  const attempt = async <Value>(read: () => Promise<Value>): Promise<Value | null> => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      // What is wrong with the file as a whole is told by every section.
      for (const line of error.message.split('\n')) faults.add(line)
      return null
    }
  }
  const there = await attempt(() => readNamed(named))
  const whole = there !== null || faults.size === 0
  const sources = whole ? await attempt(() => readSourcesIfAny(cli, option)) : null
  const access = whole ? await attempt(() => readAccess(named, cli.environment)) : null
  const webhooks = whole ? ((await attempt(() => readWebhooks(named))) ?? []) : []
  const reports = whole ? ((await attempt(() => readReports(named))) ?? []) : []
  const logs = whole ? ((await attempt(() => readApiLogs(named))) ?? []) : []
  const section = there === null ? undefined : ((await attempt(async () => sectionOf(there.text, there.file, 'api').value)) ?? undefined)
  const inEnvironment = Object.entries(cli.environment).some(([name, value]) => ACCESS_VARIABLE.test(name) && value !== '')
  const saysWho = section !== undefined || inEnvironment
  const says = [
    ...(sources === null ? [] : [counted(sources.entries.length, 'source')]),
    ...(saysWho ? ['who may call'] : []),
    ...(webhooks.length === 0 ? [] : [counted(webhooks.length, 'webhook')]),
    ...(reports.length === 0 ? [] : [counted(reports.length, 'report')]),
    ...(logs.length === 0 ? [] : [counted(logs.length, 'log of your own API', 'logs of your own APIs')]),
  ]
  const findings =
    faults.size > 0 ? [...faults].map((fault) => problem('configuration', fault, null)) : summary(there === null ? null : file, file, says, sources !== null)
  return { report: { subject: 'configuration', part: '', findings }, sources, access: saysWho ? access : null, webhooks, reports }
}

/** What a configuration without faults amounts to. */
function summary(there: string | null, file: string, says: readonly string[], collects: boolean): Report['findings'] {
  if (says.length === 0) {
    const message = there === null ? `${file} does not exist` : `${file} says nothing`
    return [
      problem(
        'configuration',
        message,
        'docs/configuration.md has examples; --config or TRAILJOIN_CONFIG name another file. Without live sources, `trailjoin import` reads log files.',
      ),
    ]
  }
  const first = ok('configuration', `${there ?? 'the environment'} says: ${says.join(', ')}`)
  if (collects) return [first]
  const next = 'That is as it should be where records come by `trailjoin import`, are pushed, or are collected by another machine.'
  return [first, warning('sources', 'no live source is named: nothing is collected from here', next)]
}

const ACCESS_VARIABLE = /^TRAILJOIN_(?:OIDC_|HOSTS$|CORS_|TRUST_|TLS_)/

const counted = (number: number, one: string, more = `${one}s`): string => `${number} ${number === 1 ? one : more}`
