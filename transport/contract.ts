/** The promise of core/transport.ts as tests, clause by clause. Every implementation runs all of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import type { Message, Topic, Transport } from '#core/transport.ts'

export interface Implementation {
  /** A transport on empty topics of its own. `again` gives another one on the same topics, as another process would have. */
  readonly open: () => { readonly transport: Transport; readonly again: () => Transport }
  /** What was published outlives the process. */
  readonly durable: boolean
  /** How long a test waits for something to happen, in milliseconds. */
  readonly patience: number
}

export const message = (key: string, value: string): Message => ({ key, value, headers: { ce_id: value, ce_type: 'test' } })
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const values = (batch: readonly Message[]): string[] => batch.map(({ value }) => value)

export function transportContract({ open, durable, patience }: Implementation): void {
  const opened: Transport[] = []
  const start = (): { transport: Transport; again: () => Transport } => {
    const { transport, again } = open()
    opened.push(transport)
    return {
      transport,
      again: () => {
        const other = again()
        opened.push(other)
        return other
      },
    }
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()))
  })
  const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: patience, interval: 20 })
  const collect = async (transport: Transport, topic: Topic, group: string, signal?: AbortSignal): Promise<Message[]> => {
    const got: Message[] = []
    await transport.consume(
      topic,
      group,
      (batch) => {
        got.push(...batch)
        return Promise.resolve()
      },
      signal === undefined ? {} : { signal },
    )
    return got
  }

  test('delivers key, value and headers as they were published', async () => {
    const { transport } = start()
    const got = await collect(transport, 'records', 'g')
    const sent = {
      key: 'ключ',
      value: JSON.stringify({ text: 'ünï\u2028 "quoted" 🛰' }),
      headers: { ce_id: '1', ce_source: 'file%20name', 'content-type': 'application/json' },
    }
    await transport.publish('records', [sent])
    await eventually(() => expect(got).toEqual([sent]))
  })

  test('brings what was published before anybody consumed', async () => {
    const { transport } = start()
    const published = transport.publish('records', [message('k', 'early')])
    const got = await collect(transport, 'records', 'g')
    await published
    await eventually(() => expect(values(got)).toEqual(['early']))
  })

  test('keeps the topics apart', async () => {
    const { transport } = start()
    const [records, rejected] = [await collect(transport, 'records', 'g'), await collect(transport, 'rejected', 'g')]
    await transport.publish('records', [message('k', 'record')])
    await transport.publish('rejected', [message('k', 'rejection')])
    await eventually(() => expect([values(records), values(rejected)]).toEqual([['record'], ['rejection']]))
  })

  test('publishes nothing for an empty list', async () => {
    const { transport } = start()
    const got = await collect(transport, 'records', 'g')
    await transport.publish('records', [])
    await transport.publish('records', [message('k', 'after')])
    await eventually(() => expect(values(got)).toEqual(['after']))
  })

  test('brings every message to every group', async () => {
    const { transport } = start()
    const groups = [await collect(transport, 'records', 'a'), await collect(transport, 'records', 'b')]
    const sent = range(50).map((index) => message(`k${index % 7}`, `v${index}`))
    await transport.publish('records', sent)
    await eventually(() => {
      for (const got of groups) expect(values(got).toSorted()).toEqual(values(sent).toSorted())
    })
  })

  test('keeps the order of each key over many publishes, also of those that do not wait for each other', async () => {
    const { transport } = start()
    const got = await collect(transport, 'records', 'g')
    await Promise.all(
      range(60).map((index) =>
        transport.publish(
          'records',
          range(5).map((key) => message(`key ${key}`, `${index}`)),
        ),
      ),
    )
    await eventually(() => expect(got).toHaveLength(300))
    for (const key of range(5)) expect(values(got.filter((one) => one.key === `key ${key}`))).toEqual(range(60).map(String))
  })

  test('hands a batch over again when its handler has failed, before later messages of the key', async () => {
    const { transport } = start()
    const batches: string[][] = []
    let failures = 2
    await transport.consume('records', 'g', (batch) => {
      batches.push(values(batch))
      return failures-- > 0 ? Promise.reject(new Error('not now')) : Promise.resolve()
    })
    const first = transport.publish('records', [message('k', '1'), message('k', '2')])
    await eventually(() => expect(batches.length).toBeGreaterThanOrEqual(1))
    await Promise.all([first, transport.publish('records', [message('k', '3')])])
    await eventually(() => expect(batches.flat()).toContain('3'))
    expect(batches[0]).toEqual(batches[1])
    expect(batches[1]).toEqual(batches[2])
    // Beyond the repeats, everything once and in order.
    expect(batches.slice(2).flat()).toEqual(['1', '2', '3'])
  })

  test('gives a group that failed the batch again, and not the groups that handled it', async () => {
    const { transport } = start()
    const good = await collect(transport, 'records', 'good')
    let calls = 0
    await transport.consume('records', 'bad', () => (++calls < 3 ? Promise.reject(new Error('not now')) : Promise.resolve()))
    await transport.publish('records', [message('k', 'v')])
    await eventually(() => expect(calls).toBe(3))
    expect(values(good)).toEqual(['v'])
  })

  test('never hands out an object that was published or handed out before', async () => {
    const { transport } = start()
    const seen: Message[] = []
    const spoil = (batch: readonly Message[]): Promise<void> => {
      seen.push(...batch.map((one) => ({ ...one, headers: { ...one.headers } })))
      for (const one of batch) {
        ;(one as { value: string }).value = 'spoilt'
        ;(one.headers as Record<string, string>)['ce_id'] = 'spoilt'
      }
      return seen.length === 1 ? Promise.reject(new Error('again')) : Promise.resolve()
    }
    await transport.consume('records', 'a', spoil)
    await transport.consume('records', 'b', spoil)
    const sent = message('k', 'v')
    const published = transport.publish('records', [sent])
    ;(sent as { value: string }).value = 'changed'
    ;(sent.headers as Record<string, string>)['ce_id'] = 'changed'
    await published
    await eventually(() => expect(seen).toHaveLength(3))
    expect(seen).toEqual(range(3).map(() => message('k', 'v')))
  })

  test('holds publishers back or leaves messages in the log while a handler is slow, one batch at a time for a key', async () => {
    const { transport } = start()
    let running = 0
    let most = 0
    let largest = 0
    let handled = 0
    await transport.consume('records', 'g', async (batch) => {
      most = Math.max(most, ++running)
      largest = Math.max(largest, batch.length)
      await sleep(5)
      handled += batch.length
      running--
    })
    const text = 'x'.repeat(1000)
    for (const round of range(4))
      await transport.publish(
        'records',
        range(2500).map((index) => message('one key', `${round} ${index} ${text}`)),
      )
    await eventually(() => expect(handled).toBe(10_000))
    expect(most).toBe(1)
    expect(largest).toBeLessThanOrEqual(2000)
  })

  test('shares the work among the consumers of a group, and goes on when one leaves', async () => {
    const { transport, again } = start()
    const leave = new AbortController()
    const leaver = again()
    const left = await collect(leaver, 'records', 'g', leave.signal)
    const got = await collect(transport, 'records', 'g')
    await transport
      .publish(
        'records',
        range(200).map((index) => message(`k${index}`, `a${index}`)),
      )
      .catch(() => undefined)
    await eventually(() => expect(new Set(values([...left, ...got])).size).toBe(200))
    leave.abort()
    const before = left.length
    await transport.publish(
      'records',
      range(200).map((index) => message(`k${index}`, `b${index}`)),
    )
    await eventually(() => expect(new Set(values([...left.slice(before), ...got])).size).toBeGreaterThanOrEqual(200))
    await eventually(() => expect(values([...left, ...got]).filter((value) => value.startsWith('b')).length).toBeGreaterThanOrEqual(200))
  })

  test('close waits for the handler that is running, and starts no other', async () => {
    const { transport } = start()
    let [began, ended] = [0, 0]
    await transport.consume('records', 'g', async () => {
      began++
      await sleep(300)
      ended++
    })
    void transport.publish('records', [message('k', 'v')]).catch(() => undefined)
    await eventually(() => expect(began).toBe(1))
    await transport.close()
    expect([began, ended]).toEqual([1, 1])
    await sleep(100)
    expect(began).toBe(1)
  })

  test('close tells the running handler, and does not acknowledge what it rejects', async () => {
    const { transport, again } = start()
    let calls = 0
    await transport.consume('records', 'g', (_batch, { signal }) => {
      calls++
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }))
    })
    const published = transport.publish('records', [message('k', 'v')]).then(
      () => 'durable',
      () => 'uncertain',
    )
    await eventually(() => expect(calls).toBe(1))
    await transport.close()
    expect(await published).toBe(durable ? 'durable' : 'uncertain')
    if (!durable) return
    const got = await collect(again(), 'records', 'g')
    await eventually(() => expect(values(got)).toEqual(['v']))
  })

  test('refuses to publish and to consume once it is closed', async () => {
    const { transport } = start()
    await transport.close()
    await expect(transport.publish('records', [message('k', 'v')])).rejects.toThrow('closed')
    await expect(transport.consume('records', 'g', () => Promise.resolve())).rejects.toThrow('closed')
    await transport.close()
  })

  if (durable) {
    test('what was published and not handled is there after a restart, what was handled does not come again', async () => {
      const { transport, again } = start()
      const first = await collect(transport, 'records', 'g')
      await transport.publish(
        'records',
        range(30).map((index) => message(`k${index}`, `a${index}`)),
      )
      await eventually(() => expect(first).toHaveLength(30))
      await transport.close()
      const second = again()
      await second.publish(
        'records',
        range(30).map((index) => message(`k${index}`, `b${index}`)),
      )
      await second.close()
      const got = await collect(again(), 'records', 'g')
      await eventually(() =>
        expect(values(got).toSorted()).toEqual(
          range(30)
            .map((index) => `b${index}`)
            .toSorted(),
        ),
      )
    })
  } else {
    test('publish resolves only when the handler has', async () => {
      const { transport } = start()
      let handled = false
      await transport.consume('records', 'g', async () => {
        await sleep(50)
        handled = true
      })
      await transport.publish('records', [message('k', 'v')])
      expect(handled).toBe(true)
    })
  }
}
