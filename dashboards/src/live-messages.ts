/** A message of a server-sent-events stream; one without data tells a position only. */
export interface Message {
  readonly event: string | null
  readonly id: string | null
  readonly data: unknown
}

/** Messages of a stream as they come; comments are nothing. */
export async function* readMessages(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += value
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        const message = parse(part)
        if (message) yield message
      }
    }
  } finally {
    // A reader that leaves early ends the request.
    await reader.cancel().catch(() => undefined)
  }
}

function parse(part: string): Message | null {
  const lines = part.split('\n')
  const field = (name: string): string | null => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
  const [event, id, data] = [field('event'), field('id'), field('data')]
  if (event === null && id === null && data === null) return null
  return { event, id, data: data === null ? null : (JSON.parse(data) as unknown) }
}
