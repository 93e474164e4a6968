/**
 * Asks a broker which versions of its requests it takes. kafkajs looks only at the highest one: a broker that has dropped what kafkajs
 * sends, or that is too old, would show up as a closed connection and nothing else.
 */
import { NO_KAFKA } from './kafka-trouble.ts'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

export interface VersionRange {
  readonly lowest: number
  readonly highest: number
}

/** The requests that this program needs, with the versions that kafkajs 2.2.4 speaks (its folder src/protocol/requests). */
export const NEEDED: Readonly<Record<string, VersionRange & { readonly key: number }>> = {
  // 7 is the first version that takes zstd, and came with Kafka 2.1.
  Produce: { key: 0, lowest: 7, highest: 7 },
  // 10 is the first version that gives zstd back.
  Fetch: { key: 1, lowest: 10, highest: 11 },
  ListOffsets: { key: 2, lowest: 1, highest: 3 },
  Metadata: { key: 3, lowest: 4, highest: 6 },
  OffsetCommit: { key: 8, lowest: 2, highest: 5 },
  OffsetFetch: { key: 9, lowest: 1, highest: 4 },
  GroupCoordinator: { key: 10, lowest: 0, highest: 2 },
  JoinGroup: { key: 11, lowest: 1, highest: 5 },
  Heartbeat: { key: 12, lowest: 0, highest: 3 },
  LeaveGroup: { key: 13, lowest: 0, highest: 3 },
  SyncGroup: { key: 14, lowest: 0, highest: 3 },
  ApiVersions: { key: 18, lowest: 0, highest: 2 },
  InitProducerId: { key: 22, lowest: 0, highest: 1 },
}

const API_VERSIONS = 18
const TIMEOUT_MS = 10_000
const LARGEST_ANSWER = 1024 * 1024

/** What is missing, as sentences; empty when the broker can be used. */
export function unusable(offered: ReadonlyMap<number, VersionRange>): string[] {
  return Object.entries(NEEDED).flatMap(([name, { key, lowest, highest }]) => {
    const range = offered.get(key)
    if (range === undefined) return [`it has no ${name}`]
    if (range.highest < lowest) return [`${name} ends at version ${range.highest}, needed is ${lowest}: the broker is older than Kafka 2.1`]
    if (range.lowest > highest) return [`${name} begins at version ${range.lowest}, the client speaks up to ${highest}: the broker is too new for this client`]
    return []
  })
}

/**
 * @param broker `host:port`
 * @throws when the broker does not answer like a Kafka broker within ten seconds
 */
export async function brokerVersions(broker: string, tls?: ConnectionOptions): Promise<Map<number, VersionRange>> {
  const colon = broker.lastIndexOf(':')
  const target = { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) }
  const socket = tls === undefined ? connect(target) : connectTls({ ...(isIP(target.host) === 0 ? { servername: target.host } : {}), ...tls, ...target })
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer within 10 s')))
  try {
    socket.write(REQUEST)
    return parseAnswer(await readAnswer(socket))
  } finally {
    socket.destroy()
  }
}

/** Size, key, version 0, correlation 0, no client id: every broker since 0.10 takes it, before any authentication. */
const REQUEST = Buffer.from([0, 0, 0, 10, 0, API_VERSIONS, 0, 0, 0, 0, 0, 0, 0xff, 0xff])

async function readAnswer(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    const size = bytes.length >= 4 ? bytes.readInt32BE(0) : null
    if (size !== null && (size < 10 || size > LARGEST_ANSWER)) break
    if (size !== null && bytes.length >= 4 + size) return bytes.subarray(4, 4 + size)
  }
  throw new Error(NO_KAFKA)
}

/** Correlation id, error code, then (key, lowest, highest) as 16-bit numbers. */
function parseAnswer(answer: Buffer): Map<number, VersionRange> {
  const error = answer.readInt16BE(4)
  if (error !== 0) throw new Error(`the broker refuses to tell its versions (error ${error})`)
  const count = answer.readInt32BE(6)
  const ranges = new Map<number, VersionRange>()
  for (let index = 0, at = 10; index < count; index++, at += 6) {
    ranges.set(answer.readInt16BE(at), { lowest: answer.readInt16BE(at + 2), highest: answer.readInt16BE(at + 4) })
  }
  return ranges
}
