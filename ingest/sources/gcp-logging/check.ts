import { formatTime } from '#core/time.ts'
import type { SourceError } from '../../engine/source-error.ts'
import type { Finding } from '../../engine/source.ts'
import { googleError } from '../google/errors.ts'
import { listEntries } from './list.ts'
import type { ResourcePart } from './poll.ts'

const DAYS = 30
const DAY_NS = 24n * 3_600_000_000_000n
/** Logs that are off by default, and what is lost without each. */
const DATA_ACCESS = [
  { service: 'sts.googleapis.com', log: 'token exchanges', enable: 'ADMIN_READ for sts.googleapis.com, in the project of the workload identity pool' },
  { service: 'iamcredentials.googleapis.com', log: 'service-account impersonation', enable: 'ADMIN_READ and DATA_READ for iam.googleapis.com' },
  { service: 'aiplatform.googleapis.com', log: 'model calls', enable: 'ADMIN_READ, DATA_READ and DATA_WRITE for aiplatform.googleapis.com' },
] as const

/** Reachable and permitted? Which of the logs have entries? One read a log. */
export async function checkResources(part: ResourcePart, signal: AbortSignal): Promise<readonly Finding[]> {
  const { reader, resourceNames, name, context } = part
  const since = BigInt(context.now()) * 1_000_000n - BigInt(DAYS) * DAY_NS
  const latest = async (filter: string): Promise<bigint | null> =>
    (await listEntries(reader, { resourceNames, filter: `${filter}\ntimestamp>="${formatTime(since)}"`, orderBy: 'timestamp desc', pageSize: 1 }, signal))
      .latest
  try {
    const activity = await latest('log_id("cloudaudit.googleapis.com/activity")')
    const findings: Finding[] = [
      activity === null
        ? {
            check: 'reachable',
            level: 'warning',
            message: `Cloud Logging answers, but ${name} has no Admin Activity entry of the last ${DAYS} days`,
            next: 'Check that this is the resource in use. A folder or organisation lists only what is stored at its own level: read the bucket view of an aggregated sink instead.',
          }
        : { check: 'reachable', level: 'ok', message: `Cloud Logging answers for ${name}`, next: null },
    ]
    for (const { service, log, enable } of DATA_ACCESS) {
      const newest = await latest(`log_id("cloudaudit.googleapis.com/data_access") protoPayload.serviceName="${service}"`)
      findings.push(
        newest === null
          ? {
              check: log,
              level: 'warning',
              message: `${name} shows no Data Access entry of ${service} of the last ${DAYS} days`,
              next: `If there was such a call: enable Data Access audit logs (${enable}), and give this identity the role Private Logs Viewer (roles/logging.privateLogViewer); without it these entries are not shown.`,
            }
          : { check: log, level: 'ok', message: `${service} is logged, last at ${formatTime(newest)}`, next: null },
      )
    }
    return findings
  } catch (error) {
    const failure = googleError(error, `entries:list of ${name}`)
    return [{ check: 'reachable', level: 'problem', message: failure.message, next: adviceFor(failure) }]
  }
}

function adviceFor({ code }: SourceError): string {
  if (code === 'SOURCE_DENIED')
    return 'Check the credentials, and give their identity the role Private Logs Viewer (roles/logging.privateLogViewer) on the resource.'
  if (code === 'SOURCE_MISCONFIGURED') return 'Check the names of the resources and the filter in the configuration.'
  if (code === 'SOURCE_THROTTLED') return 'Somebody else uses up the 60 reads a minute: wait, or lower readsPerMinute.'
  return 'Check the network between this machine and Google Cloud, and try again.'
}
