/** Reports about reading: one bad place costs that place, and records are found in whatever is around them. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { RecordSink } from '#core/sink.ts'
import { accept, knows } from '#correlate/accept.ts'
import { importPaths } from '#ingest/import.ts'
import { reportPath } from './study.ts'

interface Read {
  /** Records that gave an event, and the events' own ids without repetition. */
  readonly events: number
  readonly distinct: number
  readonly rejected: readonly { readonly reason: string; readonly text: string; readonly line: number | null }[]
  readonly errors: readonly string[]
}

async function read(report: string, file: string): Promise<Read> {
  const ids: string[] = []
  const rejected: { reason: string; text: string; line: number | null }[] = []
  const sink: RecordSink = {
    knows,
    drain: () => Promise.resolve(),
    deliver: (records, rejections) => {
      const outcomes = records.map(accept)
      const refused = outcomes.flatMap((one) => ('reason' in one ? [one] : []))
      for (const one of outcomes) if (!('reason' in one)) ids.push(one.event.nativeId)
      rejected.push(...[...rejections, ...refused].map(({ reason, text, origin }) => ({ reason, text, line: origin.line })))
      return Promise.resolve({ stored: records.length - refused.length, duplicates: 0, variants: 0, rejected: refused, byFormat: {} })
    },
  }
  const { errors } = await importPaths([reportPath(report, file)], { sink })
  return { events: ids.length, distinct: new Set(ids).size, rejected, errors: errors.map(({ reason }) => reason) }
}

/** Report → file → events, rejections, and what the error says where the file ends with one. */
const RIGHT: Readonly<Record<string, Readonly<Record<string, readonly [events: number, rejected: number, error?: RegExp]>>>> = {
  '05-adfs-and-string-lines': { 'quoted.ndjson': [2, 0], 'own-mixed.ndjson': [3, 1], 'own-array-in-string.json': [2, 0] },
  '21-bom-middle': { 'cat.ndjson': [4, 0], 'catarr.json': [2, 0], 'own-records-files.json': [3, 0], 'own-in-array.json': [2, 0] },
  '21b-bom-pretty': { 'cat.json': [6, 0], 'own-cut-first.json': [3, 1], 'own-records.json': [2, 0] },
  '22-utf16-variants': {
    'be.json': [1, 0],
    'catbom.json': [2, 0],
    'nobom.json': [1, 0],
    'own-mixed-order.ndjson': [2, 0],
    'own-nobom-be-array.json': [2, 0],
    'own-nobom-blank-first.json.gz': [1, 0],
  },
  '23-lookup-query': { 'nested.json': [1, 0], 'strings.json': [2, 0], 'text.txt': [2, 0], 'own-cells.json': [3, 2], 'own-object.json': [2, 0] },
  '27-forwarders': {
    'es-hit.json': [1, 0],
    'filebeat.json': [1, 0],
    'fluentbit.ndjson': [1, 0],
    'kinesis-firehose-nl.txt': [2, 0],
    'sns.json': [1, 0],
    'splunk.ndjson': [1, 0],
    'sqs.json': [1, 0],
    'vector.ndjson': [1, 0],
    'wazuh.ndjson': [1, 0],
    'own-sqs-sns-eventbridge.json': [1, 0],
    'own-lambda-kinesis.json': [1, 0],
    'own-firehose-gzip.json': [2, 0],
    'own-otlp.json': [1, 0],
    // The same text under `message` and `event.original` counts once.
    'own-twice.ndjson': [3, 0],
  },
  '27b-filebeat-kept': {
    'filebeat.json': [1, 0],
    'own-request-body.ndjson': [0, 1, /its only record was rejected/],
    'own-unknown-inside.ndjson': [0, 2, /all 2 records were rejected/],
  },
  '34-unknown-wrappers': {
    'adx.json': [1, 0],
    'data.json': [2, 0],
    'events-meta.json': [1, 0],
    'hunting.json': [2, 0],
    'records-extra.json': [2, 0],
    'results.json': [2, 0],
    // One row with two of CloudTrail's members, and no time among them.
    'tailpipe.json': [0, 1, /its only record was rejected/],
    'own-meta-after.json': [3, 0],
    'own-deep.json': [2, 0],
    'own-mixed-known.json': [2, 2],
    'own-hits.json': [2, 0],
  },
  '35-targz': {
    'logs.tar': [1, 0],
    'logs.tar.gz': [1, 0],
    'own-mixed.tgz': [3, 1],
    'own-gnu.tar': [1, 0],
    'own-cut.tar': [1, 1, /the tar archive is cut off/],
  },
  '52-first-line-cut': {
    'brace.ndjson': [2, 1],
    'tailc.ndjson': [2, 1],
    'own-array-middle.json': [2, 1],
    'own-pretty-array-middle.json': [2, 1],
    'own-last-cut.ndjson': [1, 1],
  },
  '60-first-item-unreadable': {
    'arr-of-null-first.json': [10, 1],
    'first-line-text.ndjson': [10, 1],
    'nulbyte-first.ndjson': [10, 1],
    'own-nan-array.json': [2, 4],
    'own-shell-noise.ndjson': [2, 4],
    'own-broken-in-array.json': [2, 1],
  },
  '78-containers': {
    'cloudtrail-lake.json': [1, 0],
    'cribl-capture.json': [1, 0],
    'elastic-hit.ndjson': [1, 0],
    'filter-log-events.json': [1, 0],
    'logs-insights-console-export.json': [1, 0],
    'logs-insights-console-export-text.json': [1, 0],
    'splunk-export.json': [1, 0],
    'own-splunk-fields.ndjson': [3, 0],
    'own-lake-columns.json': [2, 0],
    'own-opensearch-cloudtrail.json': [1, 0],
    'own-event-hub-body.json': [1, 0],
  },
}
/** Files whose right answer is a matter of their format, tested with it. */
const ELSEWHERE = ['05-adfs-and-string-lines/plain.ndjson', '05-adfs-and-string-lines/own-adfs-row.ndjson', '78-containers/sentinel-awscloudtrail-row.ndjson']

for (const [report, files] of Object.entries(RIGHT)) {
  describe(report, () => {
    test.each(Object.entries(files))('%s', async (file, [events, rejected, error]) => {
      const found = await read(report, file)
      expect([found.events, found.rejected.length], JSON.stringify(found.rejected)).toEqual([events, rejected])
      expect(found.distinct).toBe(events)
      if (error) expect(found.errors).toContainEqual(expect.stringMatching(error))
      else expect(found.errors).toEqual([])
      for (const { reason } of found.rejected) expect(reason).not.toBe('')
    })
    test('every file of it has its answer', () => {
      const names = readdirSync(reportPath(report)).filter((name) => !ELSEWHERE.includes(`${report}/${name}`))
      expect(Object.keys(files).toSorted()).toEqual(names.toSorted())
    })
  })
}

describe('what is rejected', () => {
  test('keeps its outer text where nothing known is inside', async () => {
    const [first, second] = (await read('27b-filebeat-kept', 'own-unknown-inside.ndjson')).rejected
    expect([first?.text, second?.text]).toEqual([expect.stringContaining('GuardDuty Finding'), expect.stringContaining('"host":{"name":"h1"}')])
  })

  test('is no record because somebody has sent one to an API', async () => {
    const { rejected } = await read('27b-filebeat-kept', 'own-request-body.ndjson')
    expect(rejected[0]?.text).toContain('"path":"/x"')
  })

  test('says its line, and the remains of a cut record are whole', async () => {
    expect((await read('60-first-item-unreadable', 'own-shell-noise.ndjson')).rejected.map(({ line, text }) => [line, text])).toEqual([
      [1, '$ aws cloudtrail lookup-events'],
      [2, '[INFO] started'],
      [4, '-- MARK --'],
      [6, 'bye'],
    ])
    expect((await read('52-first-line-cut', 'own-pretty-array-middle.json')).rejected[0]?.text).toMatch(/^allerIdentity",[^]*"eventCategory": "Management"/)
  })
})
