/** The first minute of Event Hubs' Kafka endpoint: versions and SASL, on the wire. What comes after the sign-in is Kafka itself, and is tested with a real one. */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface FakeHub {
  /** `127.0.0.1:port` */
  readonly broker: string
  /** What clients proved themselves with: mechanism and the bytes sent. */
  readonly signIns: { readonly mechanism: string; readonly sent: string }[]
  close(): Promise<void>
}

const API_VERSIONS = 18
const SASL_HANDSHAKE = 17
const SASL_AUTHENTICATE = 36
const SASL_AUTHENTICATION_FAILED = 58

/** Refuses every sign-in, after keeping what was sent. */
export async function startFakeHub(): Promise<FakeHub> {
  const signIns: FakeHub['signIns'] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    let mechanism = ''
    let buffer: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk])
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readInt32BE(0)) {
        const end = 4 + buffer.readInt32BE(0)
        answer(buffer.subarray(4, end))
        buffer = buffer.subarray(end)
      }
    })

    /** A request: api key, version, correlation id, client id, body. */
    function answer(request: Buffer): void {
      const key = request.readInt16BE(0)
      const body = request.subarray(10 + Math.max(0, request.readInt16BE(8)))
      const correlation = request.subarray(4, 8)
      if (key === API_VERSIONS)
        reply(correlation, [
          int16(0),
          int32(3),
          ...[API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE].flatMap((api) => [int16(api), int16(0), int16(1)]),
          int32(0),
        ])
      else if (key === SASL_HANDSHAKE) {
        mechanism = body.toString('utf8', 2, 2 + body.readInt16BE(0))
        reply(correlation, [int16(0), int32(2), text('PLAIN'), text('OAUTHBEARER')])
      } else if (key === SASL_AUTHENTICATE) {
        signIns.push({ mechanism, sent: body.toString('utf8', 4) })
        reply(correlation, [int16(SASL_AUTHENTICATION_FAILED), text('Unauthorized access. Listen claims are required.'), int32(0), Buffer.alloc(8)])
      } else socket.destroy()
    }

    function reply(correlation: Buffer, parts: readonly Buffer[]): void {
      const body = Buffer.concat([correlation, ...parts])
      socket.write(Buffer.concat([int32(body.length), body]))
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    broker: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    signIns,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
