/** Reads a stream of server-sent events, as the page would. */

export interface Message {
  readonly event: string
  readonly id: string | null
  readonly data: unknown
}

export interface StreamClient {
  readonly status: number
  /** Everything that came so far. */
  readonly messages: readonly Message[]
  readonly comments: () => number
  /** The id to go on after: also of messages without data. */
  readonly lastId: () => string | null
  /** Resolves when the server ended the stream or the connection broke. */
  readonly ended: Promise<void>
  readonly close: () => void
}

/** Opens the stream; resolves when the answer has begun. */
export async function openStream(url: string, token: string, lastEventId?: string | null): Promise<StreamClient> {
  const stop = new AbortController()
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
    signal: stop.signal,
  })
  const messages: Message[] = []
  let comments = 0
  let lastId: string | null = lastEventId ?? null
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const fields = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const field = (name: string): string | null => fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
        lastId = field('id') ?? lastId
        if (fields.some((line) => line.startsWith(': '))) comments++
        const data = field('data')
        if (data !== null) messages.push({ event: field('event') ?? 'message', id: field('id'), data: JSON.parse(data) as unknown })
      }
    }
  }
  const ended = response.ok ? read().catch(() => undefined) : Promise.resolve()
  return { status: response.status, messages, comments: () => comments, lastId: () => lastId, ended, close: () => stop.abort() }
}

/** Ids of events by what was told of them last: the picture that a client has when it has followed everything. */
export function pictureOf(messages: readonly Message[]): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const picture = new Map<string, Readonly<Record<string, unknown>>>()
  for (const { event, data } of messages) {
    const told = data as Readonly<Record<string, unknown>>
    if (event === 'item') picture.set(told['id'] as string, told)
    if (event === 'gone') picture.delete(told['id'] as string)
  }
  return picture
}
