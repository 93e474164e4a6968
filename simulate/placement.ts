/** Which file of which container a delivered record lies in: names as the clouds give them. */
import type { Road } from './draft.ts'
import type { Random } from './random.ts'
import { HEX_DIGITS, LETTERS } from './random.ts'

export interface Place {
  /** Files of one lane are written one after the other. */
  readonly lane: string
  /** Relative path, `/` between folders. */
  readonly file: string
}

interface Lane {
  file: string
  bucket: number
  records: number
  files: number
}

export interface PlacementOptions {
  /** A lane begins a new file when this much time or this many records have gone in. */
  readonly rollMs: number
  readonly rollRecords: number
  /** Gzip every file, not only those that their cloud writes so. */
  readonly compressAll: boolean
}

/** Returns the function that places one record after the other, in order of delivery. Holds one entry a lane. */
export function createPlacement(options: PlacementOptions, random: Random): (road: Road, where: string, deliverAt: number) => Place {
  const lanes = new Map<string, Lane>()
  return (road, where, deliverAt) => {
    const key = `${road} ${where}`
    const bucket = Math.floor(deliverAt / options.rollMs)
    let lane = lanes.get(key)
    if (!lane) lanes.set(key, (lane = { file: '', bucket: -1, records: 0, files: 0 }))
    if (lane.bucket !== bucket || lane.records >= options.rollRecords) {
      lane.bucket = bucket
      lane.records = 0
      const name = fileName(road, where, bucket * options.rollMs, options.rollMs, lane.files++, random)
      lane.file = options.compressAll && !name.endsWith('.gz') ? `${name}.gz` : name
    }
    lane.records++
    return { lane: key, file: lane.file }
  }
}

/** Colons of the real Cloud Storage names are written as dots: Windows checkouts cannot hold them. */
function fileName(road: Road, where: string, from: number, length: number, number: number, random: Random): string {
  const [owner = '', part = ''] = where.split(' ')
  const stamp = new Date(from).toISOString()
  const [year, month, day] = [stamp.slice(0, 4), stamp.slice(5, 7), stamp.slice(8, 10)]
  const folder = `${year}/${month}/${day}`
  const compact = `${year}${month}${day}T${stamp.slice(11, 13)}${stamp.slice(14, 16)}`
  const clock = (at: number) => new Date(at).toISOString().slice(11, 19).replaceAll(':', '.')
  switch (road) {
    case 's3':
      return `s3/AWSLogs/${owner}/CloudTrail/${part}/${folder}/${owner}_CloudTrail_${part}_${compact}Z_${random.text(LETTERS, 16)}.json.gz`
    case 'invocation':
      return `s3/AWSLogs/${owner}/BedrockModelInvocationLogs/${part}/${folder}/${stamp.slice(11, 13)}/${compact}00Z_${random.text(HEX_DIGITS, 16)}.json.gz`
    case 'lookup':
      return `cloudtrail-lookup/${owner}/${part}/events-${number}.ndjson`
    case 'eventbridge':
      return `eventbridge/${owner}/${part}/archive-${number}.jsonl`
    case 'gcs':
      return `gcs/${owner}/cloudaudit.googleapis.com/${part}/${folder}/${clock(from)}_${clock(from + length - 1000)}_S${number}.json`
    case 'entries':
      return `gcloud/${owner}/${part}/entries-${number}.json`
    case 'pubsub':
      return `pubsub/${owner}/${part}/messages-${number}.ndjson`
    case 'eventhub':
      return `eventhub/${owner}/batch-${number}.json`
    case 'log-analytics':
      return `log-analytics/${owner}/rows-${number}.json`
    case 'graph':
      return `graph/${owner}/signIns-${number}.json`
    case 'api':
      return `weather-api/${owner}/access-${number}.log`
  }
}
