import { expect, test } from 'vitest'
import { type Message, readMessages } from './live-messages.ts'

async function messagesOf(...chunks: readonly string[]): Promise<Message[]> {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk))
      controller.close()
    },
  })
  const messages: Message[] = []
  for await (const message of readMessages(body)) messages.push(message)
  return messages
}

test('messages are read wherever the network cuts them, comments are nothing', async () => {
  const text = 'event: ready\nid: a\ndata: {"position":"a"}\n\n: still here\nid: b\n\n: only a comment\n\nevent: item\nid: c\ndata: {"id":"é: data: x"}\n\n'
  const expected = [
    { event: 'ready', id: 'a', data: { position: 'a' } },
    { event: null, id: 'b', data: null },
    { event: 'item', id: 'c', data: { id: 'é: data: x' } },
  ]
  expect(await messagesOf(text)).toEqual(expected)
  for (let at = 1; at < text.length; at += 5) expect(await messagesOf(text.slice(0, at), text.slice(at))).toEqual(expected)
})

test('a message that was cut off at the end is none', async () => {
  expect(await messagesOf('event: item\nid: a\ndata: {"id":"x"}')).toEqual([])
})
