import { afterEach, describe, expect, test, vi } from 'vitest'
import type { RawRecord, Rejection } from '#core/record.ts'
import type { Receipt, RecordSink } from '#core/sink.ts'
import type { Delivery, LogPlace, Message, Transport } from '#core/transport.ts'
import { consumeInto } from './deliver.ts'
import { MessageTooLarge } from './errors.ts'
import { createMemoryTransport } from './memory.ts'
import { recordToMessage } from './record-codec.ts'
import { createTransportSink } from './sink.ts'

const record = (value: Record<string, string | number>): RawRecord => ({
  text: JSON.stringify(value),
  value,
  masked: [],
  origin: { file: 'f', line: 1, index: 0 },
  context: {},
})
const rejection: Rejection = { origin: { file: 'g', line: 2, index: 1 }, reason: 'why', text: 'what' }

interface Store extends RecordSink {
  readonly records: RawRecord[]
  readonly rejections: Rejection[]
}

/** Stores all or nothing; `refuse` may throw. */
function store(refuse: (records: readonly RawRecord[], rejections: readonly Rejection[]) => void = () => undefined): Store {
  const records: RawRecord[] = []
  const rejections: Rejection[] = []
  return {
    knows: () => true,
    records,
    rejections,
    deliver(given, refused): Promise<Receipt> {
      try {
        refuse(given, refused)
      } catch (error) {
        return Promise.reject(error)
      }
      records.push(...given)
      rejections.push(...refused)
      return Promise.resolve({ stored: given.length, duplicates: 0, variants: 0, rejected: [], byFormat: {} })
    },
    drain: () => Promise.resolve(),
  }
}

describe('records through a transport', () => {
  const transports: Transport[] = []
  afterEach(() => Promise.all(transports.splice(0).map((transport) => transport.close())))
  const run = async (sink: RecordSink): Promise<Transport> => {
    const transport = createMemoryTransport({ retryPause: { first: 1, longest: 5 } })
    transports.push(transport)
    await consumeInto(transport, sink, { signal: new AbortController().signal, mask: (text) => text.replaceAll('secret', '***') })
    return transport
  }

  test('arrive as they were, rejections too', async () => {
    const sink = store()
    const transport = await run(sink)
    const records = [record({ a: 1 }), record({ a: 2 })]
    const receipt = await createTransportSink(transport, () => true).deliver(records, [rejection])
    expect(sink.records).toEqual(records)
    expect(sink.rejections).toEqual([rejection])
    expect(receipt).toEqual({ stored: 0, duplicates: 0, variants: 0, rejected: [], byFormat: {} })
  })

  test('the place in the log is stored with the records of its batch; where one of them is refused, with the last part and never before', async () => {
    const place: LogPlace = { log: 't', partition: 0, next: 9n, epoch: 0, at: new Date(0), gaps: [] }
    const handlers: ((batch: readonly Message[], delivery: Delivery) => Promise<void>)[] = []
    const transport: Transport = {
      publish: () => Promise.resolve(),
      consume: (_topic, _group, handle) => Promise.resolve(void handlers.push(handle)),
      close: () => Promise.resolve(),
    }
    const calls: { readonly records: number; readonly place: LogPlace | null | undefined }[] = []
    const sink: RecordSink = {
      knows: () => true,
      deliver(given, refused, at) {
        if (given.some(({ value }) => value['a'] === 'refuse')) return Promise.reject(Object.assign(new Error('bad'), { code: '22021' }))
        calls.push({ records: given.length + refused.length, place: at })
        return Promise.resolve({ stored: given.length, duplicates: 0, variants: 0, rejected: [], byFormat: {} })
      },
      drain: () => Promise.resolve(),
    }
    await consumeInto(transport, sink, { signal: new AbortController().signal, mask: (text) => text })
    const deliver = (...values: readonly Record<string, string>[]) =>
      handlers[0]!(
        values.map((value) => recordToMessage(record(value))),
        { signal: new AbortController().signal, place },
      )
    await deliver({ a: '1' }, { a: '2' })
    expect(calls.splice(0)).toEqual([{ records: 2, place }])
    await deliver({ a: '1' }, { a: 'refuse' }, { a: '2' })
    expect(calls.at(-1)).toEqual({ records: 0, place })
    expect(calls.slice(0, -1).every((call) => call.place === undefined)).toBe(true)
    expect(calls.reduce((sum, call) => sum + call.records, 0)).toBe(3)
  })

  test('a message that is no record becomes a rejection with masked text, its neighbours are stored', async () => {
    const sink = store()
    const transport = await run(sink)
    await transport.publish('records', [recordToMessage(record({ a: 1 })), { key: 'k', value: 'a secret\0', headers: {} }, recordToMessage(record({ a: 2 }))])
    expect(sink.records).toHaveLength(2)
    expect(sink.rejections).toEqual([
      { origin: { file: 'kafka:records', line: null, index: 1 }, reason: expect.stringContaining('no ce_type header'), text: 'a ***\uFFFD' },
    ])
  })

  test('a message that is no rejection becomes one', async () => {
    const sink = store()
    const transport = await run(sink)
    await transport.publish('rejected', [{ key: 'k', value: '{}', headers: {} }])
    expect(sink.rejections).toHaveLength(1)
  })

  test('records that the store refuses for what is in them are rejected, all others are stored once', async () => {
    const sink = store((records) => {
      if (records.some(({ text }) => text.includes('bad'))) throw Object.assign(new Error('invalid byte sequence'), { code: '22021' })
    })
    const transport = await run(sink)
    const records = Array.from({ length: 21 }, (_, index) => record({ index, what: index === 3 || index === 20 ? 'bad' : 'good' }))
    await createTransportSink(transport, () => true).deliver(records, [rejection])
    expect(sink.records.map(({ value }) => value['index'])).toEqual(records.map((_, index) => index).filter((index) => index !== 3 && index !== 20))
    expect(sink.rejections.map(({ reason }) => reason)).toEqual([
      'the store refuses it: invalid byte sequence',
      'the store refuses it: invalid byte sequence',
      'why',
    ])
  })

  test('rejections that the store refuses are kept without what it refuses, all others as they are, and none comes for ever', async () => {
    const sink = store((_, rejections) => {
      if (rejections.some(({ reason, origin }) => reason.includes('bad') || origin.index > 2 ** 31))
        throw Object.assign(new Error('out of range'), { code: '22003' })
    })
    const transport = await run(sink)
    const at = (index: number, reason: string): Rejection => ({ origin: { file: 'f', line: null, index }, reason, text: `${index}` })
    await createTransportSink(transport, () => true).deliver([], [at(0, 'good'), at(1, 'bad'), at(2, 'good'), at(3e9, 'good'), at(4, 'good')])
    expect(sink.rejections.map(({ reason, text }) => `${text} ${reason}`).toSorted()).toEqual([
      '0 good',
      '1 the store refuses why it was rejected: out of range',
      '2 good',
      '3000000000 good (its place could not be stored: out of range)',
      '4 good',
    ])
  })

  test('a store that is away is no reason to reject: the batch comes again until it is back', async () => {
    let away = 4
    const sink = store(() => {
      if (away-- > 0) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    })
    const transport = await run(sink)
    await createTransportSink(transport, () => true).deliver([record({ a: 1 })], [])
    expect(sink.records).toHaveLength(1)
    expect(sink.rejections).toEqual([])
  })
})

test('a record that is too large to travel is published as rejected, cut, and the others travel', async () => {
  const publish = vi.fn<Transport['publish']>((topic, messages) => {
    const index = messages.findIndex(({ value }) => topic === 'records' && value.length > 100_000)
    return index < 0 ? Promise.resolve() : Promise.reject(new MessageTooLarge(index, 200_000, 100_000))
  })
  const transport: Transport = { publish, consume: () => Promise.resolve(), close: () => Promise.resolve() }
  const large = record({ text: 'x'.repeat(200_000) })
  const receipt = await createTransportSink(transport, () => true).deliver([record({ a: 1 }), large, record({ a: 2 }), large], [])
  expect(receipt.rejected.map(({ reason, text }) => [reason, text.length])).toEqual(
    Array.from({ length: 2 }, () => [
      'too large to travel: the message has 200000 bytes, and the topic takes at most 100000 (the beginning of 200011 bytes is kept)',
      65_536,
    ]),
  )
  const delivered = publish.mock.calls.filter(([topic]) => topic === 'records').at(-1)?.[1]
  expect(delivered?.map(({ value }) => (JSON.parse(value) as { text: string }).text)).toEqual(['{"a":1}', '{"a":2}'])
  expect(publish.mock.calls.find(([topic]) => topic === 'rejected')?.[1]).toHaveLength(2)
})
