/** A batch as it lies in a Kafka log, in every compression, whole and damaged: what is read of it. */
import { createRequire } from 'node:module'
import { crc32c } from '@platformatic/wasm-utils'
import { describe, expect, test } from 'vitest'
import { CODECS } from './codecs.ts'
import { readBatch, unreadableBatch } from './kafkajs.ts'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => { offset: number }
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as (decoder: object) => Promise<Parameters<typeof unreadableBatch>[0][]>

/** Two records, `a` and `b`, uncompressed: length, attributes, time, offset, key (-1), value, no headers. */
const RECORDS = Buffer.concat(['a', 'b'].map((value, index) => Buffer.from([14, 0, 0, 2 * index, 1, 2, value.charCodeAt(0), 0])))

/** A record batch of version 2 at `offset`. */
function batch(offset: number, codec: number, records: Buffer): Buffer {
  const bytes = Buffer.alloc(61)
  bytes.writeBigInt64BE(BigInt(offset), 0)
  bytes.writeInt32BE(49 + records.length, 8)
  bytes.writeInt8(2, 16)
  bytes.writeInt16BE(codec, 21)
  bytes.writeInt32BE(1, 23)
  bytes.writeBigInt64BE(1000n, 27)
  bytes.writeBigInt64BE(2000n, 35)
  bytes.writeBigInt64BE(-1n, 43)
  bytes.writeInt16BE(-1, 51)
  bytes.writeInt32BE(-1, 53)
  bytes.writeInt32BE(2, 57)
  const whole = Buffer.concat([bytes, records])
  whole.writeUInt32BE(crc32c(whole.subarray(21)), 17)
  return whole
}

/** What kafkajs reads of a fetch that holds these batches. */
function fetched(...batches: readonly Buffer[]): ReturnType<typeof decodeMessages> {
  const all = Buffer.concat(batches)
  const size = Buffer.alloc(4)
  size.writeInt32BE(all.length)
  return decodeMessages(new Decoder(Buffer.concat([size, all])))
}

const COMPRESSIONS = [
  ['none', 0, (records: Buffer) => Promise.resolve(records)],
  ['gzip', 1, (records: Buffer) => CODECS.gzip.compress({ buffer: records })],
  ['Snappy', 2, (records: Buffer) => CODECS.snappy.compress({ buffer: records })],
  ['LZ4', 3, (records: Buffer) => CODECS.lz4.compress({ buffer: records })],
  ['zstd', 4, (records: Buffer) => CODECS.zstd.compress({ buffer: records })],
] as const

describe.each(COMPRESSIONS)('compression %s', (name, codec, compress) => {
  test('is read', async () => {
    const messages = await fetched(batch(7, codec, await compress(RECORDS)))
    expect(messages.map(({ offset, value }) => [offset, String(value)])).toEqual([
      ['7', 'a'],
      ['8', 'b'],
    ])
    expect(messages.map(unreadableBatch)).toEqual([null, null])
  })

  test('that is damaged inside stands as one message at its last offset, and its neighbours are read', async () => {
    const damaged = batch(9, codec, Buffer.from('this is nothing that could be unpacked'))
    const messages = await fetched(batch(7, codec, await compress(RECORDS)), damaged, batch(11, codec, await compress(RECORDS)))
    expect(messages.map(({ offset }) => offset)).toEqual(['7', '8', '10', '11', '12'])
    const aside = unreadableBatch(messages[2]!)!
    expect(aside).toMatchObject({ firstOffset: 9n, lastOffset: 10n, firstMs: 1000, lastMs: 2000 })
    expect(aside.bytes.equals(damaged)).toBe(true)
    if (codec > 0) expect(aside.reason).toContain(name)
    await expect(readBatch(aside.bytes)).rejects.toThrow()
  })
})

test('a compression that Kafka does not know is named by its number', async () => {
  const [message] = await fetched(batch(1, 6, RECORDS))
  expect(unreadableBatch(message!)?.reason).toBe('it is compressed by a method (6) that Kafka does not know')
})

test('a batch with a wrong checksum is fetched again twice before it is set aside', async () => {
  const bytes = batch(3, 0, RECORDS)
  bytes[bytes.length - 2] = 99
  await expect(fetched(bytes)).rejects.toThrow('checksum')
  await expect(fetched(bytes)).rejects.toThrow('checksum')
  expect(unreadableBatch((await fetched(bytes))[0]!)?.reason).toBe('its checksum is wrong')
})

test('a batch that the end of a fetch cuts off is left for the next fetch', async () => {
  const messages = await fetched(batch(7, 0, RECORDS), batch(9, 0, RECORDS).subarray(0, 70))
  expect(messages.map(({ offset }) => offset)).toEqual(['7', '8'])
})

test("Snappy in Java's blocks is read as librdkafka's bare one", async () => {
  const { buffer } = { buffer: RECORDS }
  const block = await CODECS.snappy.compress({ buffer })
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(block.length)
  expect((await CODECS.snappy.decompress(Buffer.concat([head, size, block, size, block]))).equals(Buffer.concat([RECORDS, RECORDS]))).toBe(true)
  await expect(CODECS.snappy.decompress(Buffer.concat([head, size]))).rejects.toThrow('ends inside a block')
})
