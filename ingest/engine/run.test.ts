import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { Json } from '#core/record.ts'
import { collectingSink } from '../collecting-sink.ts'
import { DELAYS, withBackOff } from './back-off.ts'
import { memoryStore } from './memory-store.ts'
import { createSourceMetrics } from './metrics.ts'
import { runSources } from './run.ts'
import type { RunOptions, RunningSource } from './run.ts'
import { SourceError } from './source-error.ts'
import type { Collector, Page } from './source.ts'
import { QUICK } from './test-run.ts'

const record = (id: number): string => `{"id":${id}}`
const page = (from: number, until: number, extra: Partial<Page> = {}): Page => ({
  pieces: [{ where: 'test', text: Array.from({ length: until - from }, (_, at) => record(from + at)).join('\n') }],
  cursor: until,
  watermark: BigInt(until),
  ...extra,
})

function collector(poll: Collector['poll'], extra: Partial<Collector> = {}): Collector {
  return { part: '', poll, check: async () => [], ...extra }
}

/** A log of `length` records, ten a page. */
const numbers = (length: number): Collector['poll'] =>
  async function* (cursor: Json | null) {
    for (let at = Number(cursor ?? 0); at < length; at += 10) yield page(at, Math.min(at + 10, length))
  }

function setUp(collectors: readonly Collector[], extra: Partial<RunOptions> = {}) {
  const sink = collectingSink()
  const store = memoryStore()
  const stop = new AbortController()
  const sources: readonly RunningSource[] = collectors.map((one, at) => ({ name: `s${at}`, kind: 'test', everyMs: 5, context: {}, collectors: [one] }))
  const options: RunOptions = { sources, sink, store, signal: stop.signal, log: () => undefined, delays: QUICK, ...extra }
  return { sink, store, stop, options, ids: () => sink.records.map(({ text }) => (JSON.parse(text) as { id: number }).id) }
}

const once = { attempts: 1 }

describe('cursors', () => {
  test('move page by page, after the delivery, and a second run goes on where the first stopped', async () => {
    const { options, store, ids } = setUp([collector(numbers(25))])
    await runSources({ ...options, once })
    expect(store.cursors.get('s0')).toBe(25)
    await runSources({ ...options, once })
    expect(ids()).toEqual(Array.from({ length: 25 }, (_, at) => at))
  })

  test('stay where they are when the sink fails, and the generator is closed', async () => {
    let closed = false
    const { options, store, sink } = setUp([
      collector(async function* () {
        try {
          yield page(0, 10)
          yield page(10, 20)
        } finally {
          closed = true
        }
      }),
    ])
    const deliver = sink.deliver.bind(sink)
    Object.assign(sink, {
      deliver: (...batch: Parameters<typeof deliver>) => (sink.batches.length === 1 ? Promise.reject(new Error('full')) : deliver(...batch)),
    })
    const [outcome] = await runSources({ ...options, once })
    expect(outcome?.error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: 'full' })
    expect([store.cursors.get('s0'), closed]).toEqual([10, true])
  })

  test('a page is acknowledged only when its cursor is stored', async () => {
    const order: string[] = []
    const { options, store } = setUp([
      collector(async function* () {
        yield page(0, 1, { acknowledge: async () => void order.push('acknowledged') })
      }),
    ])
    const advance = store.advance.bind(store)
    Object.assign(store, {
      advance: async (...all: Parameters<typeof advance>) => {
        await advance(...all)
        order.push('stored')
      },
    })
    await runSources({ ...options, once })
    expect(order).toEqual(['stored', 'acknowledged'])
  })

  test('nothing is lost and nothing stored twice, wherever a poll breaks', async () => {
    for (let breakAt = 0; breakAt < 6; breakAt++) {
      let step = 0
      const { options, sink, store } = setUp([
        collector(async function* (cursor) {
          for await (const next of numbers(45)(cursor, new AbortController().signal)) {
            if (step++ === breakAt) throw new SourceError('SOURCE_THROTTLED', 'slow down')
            yield next
          }
        }),
      ])
      const [outcome] = await runSources({ ...options, once: { attempts: 3 } })
      expect(outcome?.error).toBeNull()
      expect(new Set(sink.records.map(({ text }) => text)).size).toBe(45)
      expect((await store.statuses())[0]?.stored).toBe(45n)
    }
  })
})

describe('a source in trouble', () => {
  test('that hangs for ever does not stop the others, and is given up after a while', async () => {
    const { options, store, ids } = setUp([
      collector(async function* () {
        await new Promise(() => undefined)
        yield page(0, 1)
      }),
      collector(numbers(30)),
    ])
    const [stuck, good] = await runSources({ ...options, once, stallMs: 50 })
    expect(stuck?.error?.code).toBe('SOURCE_TIMEOUT')
    expect(good?.error).toBeNull()
    expect(ids()).toHaveLength(30)
    expect((await store.statuses()).map(({ failures }) => failures)).toEqual([1, 0])
  })

  test('is polled again after its failures, and its status tells of them and clears', async () => {
    let polls = 0
    const { options, store, stop } = setUp([
      collector(async function* (cursor) {
        if (++polls < 4)
          throw new SourceError(
            'SOURCE_DENIED',
            'no permission; token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
          )
        yield* numbers(10)(cursor, stop.signal)
        if (polls > 5) stop.abort()
      }),
    ])
    await runSources(options)
    const [status] = await store.statuses()
    expect(status).toMatchObject({ failures: 0, lastErrorCode: 'SOURCE_DENIED', stored: 10n })
    expect(status?.lastError).toContain('no permission')
    expect(status?.lastError).not.toContain('eyJzdWIi')
    expect(polls).toBeGreaterThan(5)
  })

  test('is tried again also when the store is what fails', async () => {
    const { options, store, ids } = setUp([collector(numbers(10))])
    let away = 4
    for (const method of ['cursor', 'succeeded', 'failed'] as const) {
      const real = store[method].bind(store) as (...all: unknown[]) => Promise<unknown>
      Object.assign(store, { [method]: (...all: unknown[]) => (away-- > 0 ? Promise.reject(new Error('connection refused')) : real(...all)) })
    }
    const [outcome] = await runSources({ ...options, once: { attempts: 10 } })
    expect(outcome?.error).toBeNull()
    expect(ids()).toHaveLength(10)
  })
})

describe('pieces', () => {
  test('a stream that breaks is polled again; damage inside is a rejection and the rest arrives', async () => {
    let broken = true
    async function* bytes(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${record(1)}\n`)
      if (broken) {
        broken = false
        throw new Error('ECONNRESET')
      }
      yield Buffer.from(`${record(2)}\n{"cut`)
    }
    const { options, sink, store } = setUp([
      collector(async function* () {
        yield {
          pieces: [
            { where: 'stream', bytes },
            { where: 'queue', refused: 'x', reason: 'not ours' },
          ],
          cursor: 1,
          watermark: null,
        }
      }),
    ])
    const [outcome] = await runSources({ ...options, once: { attempts: 2 } })
    expect(outcome?.error).toBeNull()
    expect(new Set(sink.records.map(({ text }) => text))).toEqual(new Set([record(1), record(2)]))
    expect(sink.rejections.map(({ origin, reason }) => [origin.file, reason])).toEqual([
      ['stream', expect.any(String)],
      ['queue', 'not ours'],
    ])
    expect((await store.statuses())[0]?.rejected).toBe(2n)
  })

  test('go through the same masking as imported files', async () => {
    const text = '{"eventName":"AssumeRole","responseElements":{"credentials":{"accessKeyId":"ASIAQWERTYUIOPASDFGH","sessionToken":"hunter2hunter2"}}}'
    const { options, sink } = setUp([
      collector(async function* () {
        yield { pieces: [{ where: 'w', text }], cursor: 1, watermark: null }
      }),
    ])
    await runSources({ ...options, once })
    expect(sink.records[0]?.text).not.toContain('hunter2')
    expect(sink.records[0]?.masked).toEqual(['/responseElements/credentials/sessionToken'])
  })
})

test('stopping waits for the delivery on its way and stores its cursor', async () => {
  const { options, store, stop, sink } = setUp([collector(numbers(1000))])
  const deliver = sink.deliver.bind(sink)
  Object.assign(sink, {
    deliver: async (...batch: Parameters<typeof deliver>) => {
      if (sink.batches.length === 3) stop.abort()
      await new Promise((resolve) => setTimeout(resolve, 20))
      return deliver(...batch)
    },
  })
  await runSources(options)
  expect(sink.records).toHaveLength(40)
  expect(store.cursors.get('s0')).toBe(40)
})

test('only one process polls a part, as the leases say', async () => {
  const { options, ids } = setUp([collector(numbers(10)), collector(numbers(10))])
  const leases = { hold: async (source: string) => source === 's1', close: async () => undefined }
  await runSources({ ...options, once, leases })
  expect(ids()).toHaveLength(10)
})

test('a part that another process polls now lets go of what it holds between polls, and takes it up again when its turn comes', async () => {
  const said: string[] = []
  const poll: Collector['poll'] = async function* (cursor) {
    said.push('poll')
    yield page(Number(cursor ?? 0), Number(cursor ?? 0) + 1)
  }
  const { options, stop } = setUp([collector(poll, { waits: true, release: () => void said.push('release') })])
  const turns = [true, false, true]
  const hold = async (): Promise<boolean> => {
    if (turns.length === 1) stop.abort()
    return turns.shift() ?? false
  }
  await runSources({ ...options, leases: { hold, close: async () => undefined } })
  expect(said.slice(0, 3)).toEqual(['poll', 'release', 'poll'])
})

test('watermarks never go back, and gaps with the same start replace each other', async () => {
  const gap = (until: bigint) => ({ from: 1n, until, reason: 'lost' })
  const { options, store } = setUp([
    collector(async function* () {
      yield page(0, 1, { watermark: 100n, gaps: [gap(5n)] })
      yield page(1, 2, { watermark: 50n, gaps: [gap(7n)] })
      yield page(2, 3, { watermark: null })
    }),
  ])
  await runSources({ ...options, once })
  expect((await store.statuses())[0]).toMatchObject({ watermark: 100n, gaps: [gap(7n)] })
})

describe('back-off', () => {
  test('pauses as long as the table says, longer each time, and as long as the cloud asks', async () => {
    const pauses: number[] = []
    const errors = [
      new SourceError('SOURCE_THROTTLED', 'a'),
      new SourceError('SOURCE_THROTTLED', 'b'),
      new SourceError('SOURCE_TIMEOUT', 'c'),
      new SourceError('SOURCE_TIMEOUT', 'd', { retryAfterMs: 900 }),
    ]
    let last = performance.now()
    await withBackOff(
      async () => {
        pauses.push(performance.now() - last)
        last = performance.now()
        const error = errors.shift()
        if (error) throw error
      },
      {
        signal: new AbortController().signal,
        delays: { ...DELAYS, SOURCE_THROTTLED: { min: 400, max: 5000 }, SOURCE_TIMEOUT: { min: 10, max: 1000 } },
        attempts: Infinity,
        failed: async () => undefined,
        progressed: () => false,
      },
    )
    const [, first, second, third, fourth] = pauses as [number, number, number, number, number]
    expect(first).toBeGreaterThanOrEqual(399)
    expect(second).toBeGreaterThanOrEqual(799)
    // Another kind of fault begins anew; far below the others, so that a busy machine does not matter.
    expect(third).toBeLessThan(399)
    expect(fourth).toBeGreaterThanOrEqual(899)
  })

  test('ends at once when the signal aborts', async () => {
    const stop = new AbortController()
    const waiting = withBackOff(() => Promise.reject(new SourceError('SOURCE_DENIED', 'no')), {
      signal: stop.signal,
      delays: DELAYS,
      attempts: Infinity,
      failed: async () => undefined,
      progressed: () => false,
    })
    setTimeout(() => stop.abort(new Error('stopped')), 20)
    await expect(waiting).rejects.toThrow('stopped')
  })
})

test('metrics carry the source as their only label', async () => {
  const { options, store } = setUp([collector(numbers(25), { part: '111122223333/us-east-1' })])
  const registry = new Registry()
  const metrics = createSourceMetrics(
    registry,
    () => store.statuses(),
    () => 10_000,
  )
  await runSources({ ...options, once, metrics })
  const text = await registry.metrics()
  expect(text).toContain('trailjoin_source_records_total{source="s0"} 25')
  expect(text).toContain('trailjoin_source_stored_total{source="s0"} 25')
  expect(text).toContain('trailjoin_source_lag_seconds{source="s0"} 10')
  expect(text).toContain('trailjoin_source_failing_parts{source="s0"} 0')
  expect(text).not.toContain('111122223333')
})
