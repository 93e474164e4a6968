/** The transport was closed before it was certain that the messages are durable. */
export class TransportClosed extends Error {
  override readonly name = 'TransportClosed'
}

/** One message is too large for its topic. Nothing of the publish was sent. */
export class MessageTooLarge extends Error {
  override readonly name = 'MessageTooLarge'
  /** Which of the published messages, from 0. */
  readonly index: number

  constructor(index: number, bytes: number, limit: number) {
    super(`the message has ${bytes} bytes, and the topic takes at most ${limit}`)
    this.index = index
  }
}
