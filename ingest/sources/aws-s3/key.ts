/**
 * Object keys as CloudTrail and Bedrock write them below the bucket's own prefix:
 * `AWSLogs/[o-org/]<account>/CloudTrail/<region>/YYYY/MM/DD/<account>_CloudTrail_<region>_YYYYMMDDTHHmmZ_<16 characters>.json.gz`
 * `AWSLogs/<account>/BedrockModelInvocationLogs/<region>/YYYY/MM/DD/HH/YYYYMMDDTHHmmssmmmZ_<16 characters>.json.gz`
 * The time is that of the delivery. Not read: CloudTrail-Digest, CloudTrail-Insight, CloudTrail-NetworkActivity (their own folders), Bedrock's `data/` (bodies too
 * large for the record: prompts and completions) and its `amazon-bedrock-logs-permission-check`.
 */
export const SERVICES = ['CloudTrail', 'BedrockModelInvocationLogs'] as const
type Service = (typeof SERVICES)[number]

export interface LogKey {
  /** Everything up to the region: the keys below it sort by time. */
  readonly stream: string
  readonly account: string
  readonly service: Service
  readonly region: string
  /** Delivery, milliseconds since 1970. */
  readonly deliveredMs: number
}

const STREAM =
  /^(?<stream>(?:.*\/)?AWSLogs\/(?:o-[a-z0-9]+\/)?(?<account>\d{12})\/(?<service>CloudTrail|BedrockModelInvocationLogs)\/(?<region>[a-z0-9-]+)\/)(?<rest>.*)$/
const TRAIL_FILE = /^\d{4}\/\d{2}\/\d{2}\/\d{12}_CloudTrail_[a-z0-9-]+_(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})Z_[^/]+\.json(?:\.gz)?$/
const INVOCATION_FILE = /^\d{4}\/\d{2}\/\d{2}\/\d{2}\/(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})\d*Z_[^/]+\.json(?:\.gz)?$/

/** What a key says, or null when it names no log file that is read. */
export function parseKey(key: string): LogKey | null {
  const groups = STREAM.exec(key)?.groups as (Readonly<Record<'stream' | 'account' | 'region' | 'rest', string>> & { readonly service: Service }) | undefined
  if (!groups) return null
  const { stream, account, service, region, rest } = groups
  const time = (service === 'CloudTrail' ? TRAIL_FILE : INVOCATION_FILE).exec(rest)
  if (!time) return null
  const [year, month, day, hour, minute] = time.slice(1).map(Number)
  return { stream, account, service, region, deliveredMs: Date.UTC(year!, month! - 1, day, hour, minute) }
}

/**
 * A text that sorts before the key of every file of the stream delivered at or after the instant, and after those of the minute before: where a listing begins.
 */
export function startOf(stream: string, deliveredMs: number): string {
  const found = STREAM.exec(stream)?.groups
  const iso = new Date(deliveredMs).toISOString()
  const day = `${stream}${iso.slice(0, 4)}/${iso.slice(5, 7)}/${iso.slice(8, 10)}/`
  const minute = `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}T${iso.slice(11, 13)}${iso.slice(14, 16)}`
  if (found?.['service'] === 'BedrockModelInvocationLogs') return `${day}${iso.slice(11, 13)}/${minute}`
  return `${day}${found?.['account']}_CloudTrail_${found?.['region']}_${minute}`
}
