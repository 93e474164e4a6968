import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collectingSink } from './collecting-sink.ts'
import { importPaths } from './import.ts'

const FIXTURES = join(import.meta.dirname, '../test/fixtures')
const CONTAINERS = join(FIXTURES, 'samples/containers')
const lines = (count: number, from = 0): string => Array.from({ length: count }, (_, at) => `{"id":${from + at}}\n`).join('')

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trailjoin-import-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

/** A zip archive by hand: the machine may have no tool for it. PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16. */
function zip(entries: readonly { name: string; data: string | Buffer; flags?: number }[]): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, data, flags = 0 } of entries) {
    const packed = deflateRawSync(data)
    const header = Buffer.alloc(26)
    header.writeUInt16LE(20, 0)
    header.writeUInt16LE(flags, 2)
    header.writeUInt16LE(8, 4)
    header.writeUInt32LE(crc32(data), 10)
    header.writeUInt32LE(packed.length, 14)
    header.writeUInt32LE(Buffer.byteLength(data), 18)
    header.writeUInt16LE(name.length, 22)
    local.push(Buffer.from('504b0304', 'hex'), header, Buffer.from(name), packed)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    central.push(Buffer.from('504b01021400', 'hex'), header, place, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('504b0506', 'hex')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, directory, end])
}

async function run(paths: string | readonly string[], options: Partial<Parameters<typeof importPaths>[1]> = {}) {
  const sink = collectingSink()
  const summary = await importPaths(typeof paths === 'string' ? [paths] : paths, {
    sink,
    ...options,
  })
  expect(summary.read).toBe(summary.stored + summary.duplicates + summary.rejected)
  expect(summary.read).toBe(summary.files.reduce((sum, file) => sum + file.read, 0))
  return { summary, sink, ids: sink.records.map((record) => record.value.id) }
}

describe('the worked cases', () => {
  for (const name of readdirSync(join(FIXTURES, 'scenarios'), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))) {
    test(`${name}: every record is read, and no secret, prompt or completion leaves ingest`, async () => {
      const expected = JSON.parse(readFileSync(join(FIXTURES, 'scenarios', name, 'expected.json'), 'utf8')) as {
        counts: { read: [number, number] }
        mustNotAppear: string[]
      }
      const { summary, sink } = await run(join(FIXTURES, 'scenarios', name, 'records'))
      expect([summary.read, summary.rejected, summary.errors]).toEqual([expected.counts.read[0], 0, []])
      const out = JSON.stringify([sink.records, sink.rejections])
      expect(expected.mustNotAppear.length).toBeGreaterThan(10)
      for (const secret of expected.mustNotAppear) expect(out).not.toContain(secret)
      for (const record of sink.records) expect(record.value).toEqual(JSON.parse(record.text))
    })
  }
})

describe('the containers of the samples', () => {
  const cases: Record<string, { read: number; rejected?: number; error?: RegExp; first?: object }> = {
    '218007301253_CloudTrail_us-east-1_20230710T1145Z_7xgocspSowgK0Gto.json.gz': {
      read: 29,
      first: { eventSource: 's3.amazonaws.com', eventVersion: '1.08' },
    },
    'AADAuditEvents.Zip': { read: 4, first: { SourceSystem: 'Azure AD' } },
    'lookup-events.plaso.jsonl': {
      read: 6,
      first: { eventTime: '2022-02-07T22:23:37Z', eventName: 'DescribeInstances' },
    },
    'eventbridge-envelope.c7n.json': {
      read: 1,
      first: { eventID: 'c4fa3db1-2303-40e4-bde0-3b7246bdbf0b', eventName: 'CreateBucket' },
    },
    'cloudevents-structured.gcp-audit.json': { read: 1, first: { insertId: '1234567' } },
    // A brace too many behind the second record, and a last one that is cut.
    'broken-array.opensearch.json': {
      read: 12,
      rejected: 2,
      error: /line 435, byte 17418: the text ends inside the array/,
      first: { eventName: 'GetBucketAcl' },
    },
    'panther-rule-tests.yml': { read: 1, rejected: 1, error: /nothing in it could be read/ },
  }
  test('every one of them has a case', () => expect(Object.keys(cases).toSorted()).toEqual(readdirSync(CONTAINERS).toSorted()))
  for (const [name, { read, rejected = 0, error, first }] of Object.entries(cases)) {
    test(name, async () => {
      const { summary, sink } = await run(join(CONTAINERS, name))
      expect([summary.read, summary.rejected]).toEqual([read, rejected])
      expect(summary.errors.map(({ reason }) => reason)).toEqual(error ? [expect.stringMatching(error)] : [])
      if (first) expect(sink.records[0]?.value).toMatchObject(first)
    })
  }
  test('the record in an envelope is the exact text that stands there', async () => {
    const { sink } = await run(join(CONTAINERS, 'eventbridge-envelope.c7n.json'))
    expect(readFileSync(join(CONTAINERS, 'eventbridge-envelope.c7n.json'), 'utf8')).toContain(sink.records[0]!.text)
  })
  test('enveloped and bare records stand side by side', async () => {
    const { summary, sink } = await run(join(FIXTURES, 'samples/aws/c7n-eventbridge.ndjson'))
    expect([summary.read, summary.rejected]).toEqual([24, 0])
    expect(sink.records.filter((record) => 'detail' in record.value)).toEqual([])
    expect(sink.records.map((record) => record.origin.line)).toEqual(Array.from({ length: 24 }, (_, at) => at + 1))
  })
})

test('all samples are read in one go, and their totals are these', async () => {
  const { summary } = await run(join(FIXTURES, 'samples'))
  expect(summary.errors.map((error) => error.file.split('/').at(-1))).toEqual([
    'SOURCES.md',
    'TRAPS.md',
    'broken-array.opensearch.json',
    'panther-rule-tests.yml',
  ])
  // 902 lines of .ndjson (three of them bare strings, which are no records), 51 records and 2 damaged ones in containers, two .md files and one .yml.
  expect([summary.read, summary.rejected]).toEqual([902 + 53 + 3, 3 + 2 + 3])
})

describe('compressed files', () => {
  test('are recognised by content, whatever their name', async () => {
    const text = gzipSync(lines(3))
    expect((await run(put('log.txt', text))).ids).toEqual([0, 1, 2])
    expect((await run(put('twice', gzipSync(text)))).ids).toEqual([0, 1, 2])
  })
  test('of several members are read to the end', async () => {
    expect((await run(put('members.gz', Buffer.concat([gzipSync(lines(2)), gzipSync(lines(2, 2))])))).ids).toEqual([0, 1, 2, 3])
  })
  test('that are cut off deliver what is complete and are an error', async () => {
    const whole = gzipSync(Array.from({ length: 5000 }, (_, id) => `{"id":${id},"noise":"${Math.sin(id)}"}\n`).join(''))
    const path = put('cut.gz', whole.subarray(0, whole.length >> 1))
    put('next.ndjson', lines(1, 9999))
    const { summary, ids } = await run(folder)
    expect(summary.errors).toEqual([{ file: path, reason: 'the compressed data is cut off' }])
    expect(ids.length).toBeGreaterThan(2000)
    expect(ids.slice(0, -1)).toEqual(Array.from({ length: ids.length - 1 }, (_, at) => at))
    expect(ids.at(-1)).toBe(9999)
    // The remains of the record that was cut.
    expect(summary.rejections.map(({ text }) => text)).toEqual([expect.stringMatching(/^\{"id":\d/)])
  })
  test('with something else behind them are an error, padding is not', async () => {
    expect((await run(put('a.gz', Buffer.concat([gzipSync(lines(2)), Buffer.from('{"id":3}')])))).summary.errors[0]?.reason).toMatch(
      /no gzip data follow|damaged/,
    )
    expect((await run(put('b.gz', Buffer.concat([gzipSync(lines(2)), Buffer.alloc(512)])))).summary.errors).toEqual([])
  })
  test('in a zip are read entry by entry, gz inside included, and each is named', async () => {
    const inner = zip([{ name: 'd.json', data: '{"id":9}' }])
    put(
      'all.zip',
      zip([
        { name: 'a.json', data: '[{"id":0},{"id":1}]' },
        { name: 'b.json.gz', data: gzipSync(lines(2, 2)) },
        { name: 'folder/', data: '' },
        { name: '../c.png', data: Buffer.from('89504e470d0a1a0a', 'hex') },
        { name: 'inner.zip', data: inner },
        { name: 'too-deep.zip', data: zip([{ name: 'inner.zip', data: inner }]) },
        { name: 'locked.json', data: '{"id":8}', flags: 1 },
      ]),
    )
    const { summary, sink } = await run(join(folder, 'all.zip'))
    expect(sink.records.map((record) => record.origin.file.split('/').at(-1))).toEqual([
      'all.zip!a.json',
      'all.zip!a.json',
      'all.zip!b.json.gz',
      'all.zip!b.json.gz',
      'all.zip!inner.zip!d.json',
    ])
    expect(summary.rejections.map((rejection) => [rejection.origin.file.split('!')[1], rejection.reason])).toEqual([['../c.png', 'not JSON: a PNG image']])
    expect(summary.errors.map((error) => [error.file.slice(folder.length + 1), error.reason])).toEqual([
      ['all.zip!too-deep.zip!inner.zip', 'more than 5 archives in one another'],
      ['all.zip!locked.json', 'the zip entry is encrypted'],
    ])
  })
  test('that are a damaged zip are an error and not a crash', async () => {
    const zip = readFileSync(join(CONTAINERS, 'AADAuditEvents.Zip'))
    expect((await run(put('cut.zip', zip.subarray(0, 900)))).summary.errors).toHaveLength(1)
    const flipped = Buffer.from(zip)
    flipped[400]! ^= 0xff
    expect((await run(put('flipped.zip', flipped))).summary.errors[0]?.reason).toMatch(/damaged|cut/)
  })
})

describe('text in other clothes', () => {
  test('UTF-8 with a byte order mark', async () => expect((await run(put('bom', `\uFEFF${lines(2)}`))).ids).toEqual([0, 1]))
  test('UTF-16, as PowerShell writes it', async () => {
    const { sink } = await run(put('utf16', Buffer.from(`\uFEFF{"id":"Zoë€"}\r\n{"id":2}\r\n`, 'utf16le')))
    expect(sink.records.map((record) => record.text)).toEqual(['{"id":"Zoë€"}', '{"id":2}'])
  })
  test('CRLF', async () => expect((await run(put('crlf', '{"id":1}\r\n\r\n{"id":2}\r\n'))).ids).toEqual([1, 2]))
})

describe('folders', () => {
  test('are read in the order of names, and a link that leads back does not loop', async () => {
    put('b.json', '{"id":2}')
    put('a/z.json', '{"id":1}')
    put('c.json', '{"id":3}')
    symlinkSync(folder, join(folder, 'a', 'loop'))
    const { ids, summary } = await run(folder)
    expect([ids, summary.errors]).toEqual([[1, 2, 3], []])
  })
  test('links that lead out of the folder are left out and named, also those behind another link; `follow` follows them', async () => {
    put('outside/secret.json', '{"id":9}')
    put('logs/a.json', '{"id":1}')
    const logs = join(folder, 'logs')
    symlinkSync(join(folder, 'outside'), join(logs, 'out'))
    symlinkSync('../outside/secret.json', join(logs, 'file.json'))
    symlinkSync('file.json', join(logs, 'twice.json'))
    symlinkSync('/proc/self/environ', join(logs, 'environ'))
    const { ids, summary } = await run(logs)
    expect([ids, summary.errors]).toEqual([[1], []])
    expect(summary.skipped.map(({ file }) => file.slice(logs.length + 1))).toEqual(['environ', 'file.json', 'out', 'twice.json'])
    expect(summary.skipped[0]?.reason).toMatch(/^is a symbolic link that leads out of .*logs; --follow follows it$/)
    rmSync(join(logs, 'environ'))
    const followed = await run(logs, { follow: true })
    expect([followed.ids, followed.summary.skipped]).toEqual([[1, 9, 9, 9], []])
  })
  test('links within the folder are followed, and so is one that the user named himself, wherever it leads', async () => {
    put('logs/day/a.json', '{"id":1}')
    symlinkSync('day', join(folder, 'logs', 'today'))
    symlinkSync(join(folder, 'logs'), join(folder, 'named'))
    symlinkSync(join(folder, 'logs', 'day', 'a.json'), join(folder, 'one.json'))
    for (const path of [join(folder, 'named'), join(folder, 'one.json')]) {
      const { ids, summary } = await run(path)
      expect([ids, summary.errors, summary.skipped]).toEqual([[1], [], []])
    }
  })
  test('a folder beside it whose name begins alike is out of it', async () => {
    put('logs-other/b.json', '{"id":2}')
    put('logs/a.json', '{"id":1}')
    symlinkSync('../logs-other/b.json', join(folder, 'logs', 'b.json'))
    expect((await run(join(folder, 'logs'))).ids).toEqual([1])
  })
  test('whose names hold a secret are named without it', async () => {
    mkdirSync(join(folder, 'token=hunter7Qabc'))
    put('token=hunter7Qabc/notes.md', '# Notes\n')
    const { summary } = await run(folder)
    expect(summary.errors).toHaveLength(1)
    expect(JSON.stringify(summary)).not.toContain('hunter7Q')
  })
  test('with foreign files give one rejection each, and an error where they are texts; empty files give nothing', async () => {
    put('image.png', Buffer.from('89504e470d0a1a0a0000', 'hex'))
    put('table.csv', 'a,b\n'.repeat(5000))
    put('notes.md', '# Notes\n')
    put('binary', Buffer.from([1, 2, 0, 4]))
    put('empty.json', '')
    put('log.json', '{"id":1}')
    const { ids, summary } = await run(folder)
    expect(ids).toEqual([1])
    expect(summary.errors.map((error) => [error.file.slice(folder.length + 1), error.reason])).toEqual([
      ['notes.md', 'nothing in it could be read: it holds no JSON record'],
      ['table.csv', 'nothing in it could be read: it holds no JSON record'],
    ])
    expect(summary.rejections.map((rejection) => [rejection.origin.file.slice(folder.length + 1), rejection.reason])).toEqual([
      ['binary', 'not JSON: binary data'],
      ['image.png', 'not JSON: a PNG image'],
      ['notes.md', 'not JSON: it begins with "#"'],
      ['table.csv', 'not JSON: it begins with "a"'],
    ])
    expect(JSON.stringify(summary.rejections)).not.toContain('\\u0000')
  })
  test('a corrupt line is one rejection with its line, and a path that cannot be read is an error that names it', async () => {
    const path = put('log.ndjson', '{"id":1}\n{"id":\n{"id":3}\n')
    symlinkSync(join(folder, 'gone'), join(folder, 'dangling'))
    const missing = join(folder, 'missing.json')
    const { ids, summary } = await run([missing, folder])
    expect(ids).toEqual([1, 3])
    expect(summary.rejections.map((rejection) => rejection.origin)).toEqual([{ file: path, line: 2, index: 1 }])
    expect(summary.errors).toEqual([
      { file: missing, reason: 'does not exist' },
      { file: join(folder, 'dangling'), reason: 'does not exist' },
    ])
  })
  test('a secret in a corrupt line or a foreign file is masked, too', async () => {
    put('a.ndjson', '{"id":1}\n{"sessionToken":"S3CRET-1","x\n')
    put('b.env', 'AWS_SECRET_ACCESS_KEY=S3CRET-2\n')
    const { summary } = await run(folder)
    expect(summary.rejected).toBe(2)
    expect(JSON.stringify(summary)).not.toContain('S3CRET')
  })
})

describe('envelopes', () => {
  const pubsub = (data: string) => ({
    message: { data: Buffer.from(data).toString('base64'), messageId: '1' },
    subscription: 's',
  })
  const cases: Record<string, readonly [string | object, readonly unknown[]]> = {
    'a Pub/Sub push': [pubsub('{"id":1.0}'), [1]],
    'a Pub/Sub message with several lines': [pubsub('{"id":1}\n{"id":2}\n'), [1, 2]],
    'a bare Pub/Sub message': [{ data: Buffer.from('{"id":1}').toString('base64'), messageId: '7' }, [1]],
    'a pull of Pub/Sub messages': [{ receivedMessages: [pubsub('{"id":1}'), pubsub('{"id":2}')] }, [1, 2]],
    'EventBridge through Pub/Sub': [pubsub('{"detail-type":"x","detail":{"id":5}}'), [5]],
    'CloudWatch Logs subscription': [
      {
        messageType: 'DATA_MESSAGE',
        logEvents: [
          { id: 'e', timestamp: 1, message: '{"id":1}' },
          { id: 'f', timestamp: 2, message: '{"id":2}' },
        ],
      },
      [1, 2],
    ],
    'filter-log-events': [{ events: [{ eventId: 'e', timestamp: 1, message: '{"id":1}' }], searchedLogStreams: [] }, [1]],
    'lookup-events of the CLI': [{ Events: [{ EventId: 'e', CloudTrailEvent: '{"id":1}' }], NextToken: 'n' }, [1]],
    OpenSearch: [{ aws: { cloudtrail: { id: 1 } } }, [1]],
    CloudEvents: [{ specversion: '1.0', data: { id: 1 } }, [1]],
  }
  for (const [name, [content, ids]] of Object.entries(cases)) {
    test(name, async () => expect((await run(put('x.json', JSON.stringify(content)))).ids).toEqual(ids))
  }
  test('an Entra diagnostic record is a record, not an envelope', async () => {
    const record = {
      time: '2026-01-01T00:00:00Z',
      category: 'SignInLogs',
      tenantId: 't',
      properties: { id: 'x' },
    }
    expect((await run(put('x.json', JSON.stringify({ records: [record] })))).sink.records[0]?.value).toEqual(record)
  })
  test('what is no JSON inside an envelope is rejected with the reason', async () => {
    const { summary } = await run(
      put('x.ndjson', [pubsub('not json'), { EventId: 'e', CloudTrailEvent: '[1]' }, { 'detail-type': 'x' }].map((item) => JSON.stringify(item)).join('\n')),
    )
    expect(summary.rejections.map((rejection) => rejection.reason.split(':')[0])).toEqual([
      'not JSON inside its envelope',
      'no record',
      'an EventBridge event without a detail object',
    ])
  })
})

describe('delivery', () => {
  test('is in batches, one at a time, in order, with a drain at the end', async () => {
    const sink = collectingSink(1)
    const summary = await importPaths([put('many.ndjson', lines(2500))], { sink, batchSize: 1000 })
    expect(sink.records.map((record) => record.value.id)).toEqual(Array.from({ length: 2500 }, (_, at) => at))
    expect([summary.stored, sink.drained]).toEqual([2500, 1])
    expect(sink.records[7]?.origin).toEqual({
      file: join(folder, 'many.ndjson'),
      line: 8,
      index: 7,
    })
  })
  test('the same folder again is nothing but duplicates', async () => {
    const sink = collectingSink()
    const path = put('a.ndjson', lines(10))
    await importPaths([path], { sink })
    expect(await importPaths([path], { sink })).toMatchObject({
      read: 10,
      stored: 0,
      duplicates: 10,
    })
  })
  test('that fails ends the import with its own error', async () => {
    const sink = {
      ...collectingSink(),
      deliver: () => Promise.reject(new Error('the database is gone')),
    }
    put('a.ndjson', lines(500_000))
    put('b.ndjson', lines(10))
    await expect(importPaths([folder], { sink, batchSize: 100 })).rejects.toThrow('the database is gone')
    await expect(importPaths([join(folder, 'b.ndjson')], { sink })).rejects.toThrow('the database is gone')
  })
  test('stops when the signal says so', async () => {
    put('a.ndjson', lines(1000))
    await expect(
      importPaths([folder], {
        sink: collectingSink(),
        signal: AbortSignal.abort(new Error('enough')),
      }),
    ).rejects.toThrow('enough')
  })
  test('that is on its way when the import stops is waited for', async () => {
    put('a.ndjson', lines(200_000))
    const stop = new AbortController()
    const sink = collectingSink(100)
    setTimeout(() => stop.abort(new Error('enough')), 20)
    await expect(importPaths([folder], { sink, batchSize: 100, signal: stop.signal })).rejects.toThrow('enough')
    const delivered = sink.batches.length
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect([delivered, sink.drained]).toEqual([sink.batches.length, 0])
  })
  test('carries what the operator knows with every record', async () => {
    const { sink } = await run(put('a.json', '{"id":1}'), { context: { tenantId: 't' } })
    expect(sink.records[0]?.context).toEqual({ tenantId: 't' })
  })
})

test('standard input is read like a file, compressed or not', async () => {
  for (const content of [Buffer.from(lines(3)), gzipSync(lines(3)), readFileSync(join(CONTAINERS, 'AADAuditEvents.Zip'))]) {
    const { summary } = await run('-', {
      standardInput: Readable.from([content.subarray(0, 1), content.subarray(1)]),
    })
    expect([summary.read, summary.errors]).toEqual([summary.stored, []])
    expect(summary.read).toBeGreaterThan(2)
  }
})

test('progress counts bytes on the disk up to the whole', async () => {
  cpSync(CONTAINERS, join(folder, 'c'), { recursive: true })
  const seen: { bytes: number; totalBytes: number | null; filesDone: number }[] = []
  await run(folder, { onProgress: (progress) => seen.push(progress) })
  expect(seen.at(-1)).toMatchObject({ filesDone: 7 })
  expect(seen.at(-1)!.bytes).toBeLessThanOrEqual(seen.at(-1)!.totalBytes!)
})
