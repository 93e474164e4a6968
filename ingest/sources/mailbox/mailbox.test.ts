import { expect, test } from 'vitest'
import { MailboxFull, createMailbox } from './mailbox.ts'

const signal = (): AbortSignal => new AbortController().signal

test('an item is acknowledged when what was taken is done, and refused when it failed', async () => {
  const mailbox = createMailbox<string>({ bytes: 100, pageBytes: 100 })
  const [a, b] = [mailbox.put('a', 1), mailbox.put('b', 1)]
  const first = await mailbox.take(10, signal())
  expect(first?.items).toEqual(['a', 'b'])
  first?.done()
  // What is settled stays so.
  first?.failed(new Error('late'))
  await expect(Promise.all([a, b])).resolves.toHaveLength(2)
  const again = mailbox.put('c', 1)
  ;(await mailbox.take(10, signal()))?.failed(new Error('not stored'))
  await expect(again).rejects.toThrow('not stored')
})

test('memory is bounded: beyond the limit items are refused until something is done, and a page has a size', async () => {
  const mailbox = createMailbox<number>({ bytes: 30, pageBytes: 20 })
  const puts = [1, 2, 3].map((item) => mailbox.put(item, 10))
  await expect(mailbox.put(4, 10)).rejects.toBeInstanceOf(MailboxFull)
  const page = await mailbox.take(10, signal())
  expect(page?.items).toEqual([1, 2])
  // On its way still counts.
  await expect(mailbox.put(4, 10)).rejects.toBeInstanceOf(MailboxFull)
  page?.done()
  const fourth = mailbox.put(4, 10)
  ;(await mailbox.take(10, signal()))?.done()
  await Promise.all([...puts, fourth])
})

test('an item larger than the limit still gets through alone', async () => {
  const mailbox = createMailbox<string>({ bytes: 10, pageBytes: 10 })
  const put = mailbox.put('large', 50)
  ;(await mailbox.take(10, signal()))?.done()
  await put
})

test('take waits for an item, gives up when idle, and ends with the signal and with a failure of the receiver', async () => {
  const mailbox = createMailbox<string>({ bytes: 10, pageBytes: 10 })
  expect(await mailbox.take(5, signal())).toBeNull()
  const waiting = mailbox.take(5000, signal())
  const put = mailbox.put('a', 1)
  const taken = await waiting
  expect(taken?.items).toEqual(['a'])
  taken?.done()
  await put
  const stop = new AbortController()
  const stopped = mailbox.take(5000, stop.signal)
  stop.abort(new Error('stop'))
  await expect(stopped).rejects.toThrow('stop')
  const failing = mailbox.take(5000, signal())
  mailbox.fail(new Error('the broker is gone'))
  await expect(failing).rejects.toThrow('the broker is gone')
  expect(await mailbox.take(5, signal())).toBeNull()
})

test('what waits can be refused, and the mailbox goes on', async () => {
  const mailbox = createMailbox<string>({ bytes: 10, pageBytes: 10 })
  const old = mailbox.put('old', 10)
  mailbox.refuse()
  await expect(old).rejects.toThrow('stopping')
  const next = mailbox.put('new', 10)
  const taken = await mailbox.take(10, signal())
  expect(taken?.items).toEqual(['new'])
  taken?.done()
  await next
})

test('closing refuses what waits and what comes', async () => {
  const mailbox = createMailbox<string>({ bytes: 10, pageBytes: 10 })
  const put = mailbox.put('a', 1)
  mailbox.close()
  await expect(put).rejects.toThrow('stopping')
  await expect(mailbox.put('b', 1)).rejects.toThrow('stopping')
})
