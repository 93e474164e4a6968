import { createRequire } from 'node:module'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { NEEDED, type VersionRange, brokerVersions, unusable } from './broker-versions.ts'
import { checkBrokers } from './kafka-topics.ts'

const newest = new Map<number, VersionRange>(Object.values(NEEDED).map(({ key, lowest }) => [key, { lowest, highest: 99 }]))

describe('a broker', () => {
  test('that takes every request that we send is usable', () => {
    expect(unusable(newest)).toEqual([])
  })
  test('that is too old is told by what it lacks', () => {
    expect(unusable(new Map([...newest, [0, { lowest: 0, highest: 5 }]]))).toEqual([
      'Produce ends at version 5, needed is 7: the broker is older than Kafka 2.1',
    ])
  })
  test('that has dropped what the client speaks is told', () => {
    expect(unusable(new Map([...newest, [1, { lowest: 12, highest: 20 }]]))).toEqual([
      'Fetch begins at version 12, the client speaks up to 11: the broker is too new for this client',
    ])
  })
  test('without idempotent producers is told', () => {
    expect(unusable(new Map([...newest].filter(([key]) => key !== 22)))).toEqual(['it has no InitProducerId'])
  })
})

test('the table of versions is what this kafkajs speaks', () => {
  const { requests } = createRequire(import.meta.url)('kafkajs/src/protocol/requests') as { requests: Record<string, { apiKey: number; versions: string[] }> }
  for (const [name, { key, highest }] of Object.entries(NEEDED)) {
    expect([name, Math.max(...requests[name]!.versions.map(Number))]).toEqual([name, highest])
    expect(key).toBeGreaterThanOrEqual(0)
  }
})

describe('an address', () => {
  const servers: ReturnType<typeof createServer>[] = []
  afterEach(() => servers.splice(0).map((server) => server.close()))
  const listen = async (answer: (request: Buffer) => Buffer | null): Promise<string> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (request) => {
        const bytes = answer(request)
        if (bytes === null) socket.end()
        else socket.write(bytes)
      })
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('that answers like a broker gives its ranges, also in small pieces', async () => {
    const broker = await listen(() => Buffer.from([0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]))
    expect(await brokerVersions(broker)).toEqual(new Map([[18, { lowest: 0, highest: 4 }]]))
  })
  test('where something else answers is called what it is', async () => {
    const broker = await listen(() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(brokerVersions(broker)).rejects.toThrow('no Kafka broker')
    await expect(checkBrokers([broker])).rejects.toThrow(`${broker}: what answers there is no Kafka broker`)
  })
  test('that hangs up is called what it is', async () => {
    await expect(brokerVersions(await listen(() => null))).rejects.toThrow('no Kafka broker')
  })
  test('where nothing listens is named with the reason', async () => {
    await expect(checkBrokers(['127.0.0.1:1'])).rejects.toThrow(/No Kafka broker can be used \(KAFKA_BROKERS\)\.\n127\.0\.0\.1:1: .*ECONNREFUSED/)
  })
})
