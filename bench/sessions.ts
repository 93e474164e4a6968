/** AWS sessions for benchmarks, made from records of the simulator: an exchange that issues a key, and calls with that key. All belong to one agent. */
import type { JsonObject, RawRecord } from '#core/record.ts'
import type { RecordSink } from '#core/sink.ts'
import { createRandom } from '../simulate/random.ts'
import { simulateWorld } from '../simulate/simulate.ts'

/** Of the sessions that fill a store. */
const CALLS_A_SESSION = 50
export const BATCH = 2_000

const random = createRandom(1, 'relink')
const { exchange, call } = templates()

/** Whole sessions, roots first, until the store holds so many events. Gives their number. */
export async function fill(sink: RecordSink, stored: number, until: number): Promise<number> {
  let count = stored
  while (count < until) {
    const batch: RawRecord[] = []
    while (batch.length < BATCH) {
      const key = newKey()
      batch.push(rootOf(key), ...Array.from({ length: CALLS_A_SESSION }, () => callWith(key)))
    }
    await sink.deliver(batch, [])
    count += batch.length
  }
  await sink.drain()
  return count
}

/** A simulated exchange and a call with the key that it issued. */
function templates(): { readonly exchange: string; readonly call: string } {
  const texts = [...simulateWorld({ seed: 1, agents: 8, days: 1, events: 2_000 })]
    .filter(({ road }) => ['s3', 'lookup', 'eventbridge'].includes(road))
    .map(({ text }) => text)
  for (const root of texts.filter((text) => text.includes('"AssumeRoleWithWebIdentity"') && text.includes('"accessKeyId"'))) {
    const key = keyIn(root)
    const use = texts.find((text) => text !== root && text.includes(`"accessKeyId":"${key}"`) && text.includes('bedrock'))
    if (use) return { exchange: root, call: use }
  }
  throw new Error('the simulator made no session')
}

function keyIn(text: string): string {
  const key = /"accessKeyId":\s?"(ASIA[A-Z0-9]{16})"/.exec(text)?.[1]
  if (!key) throw new Error('no key')
  return key
}

/** An access key id that was never used. */
export function newKey(): string {
  return `ASIA${random.text('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`
}

/** The exchange that issues this key. */
export function rootOf(key: string): RawRecord {
  return record(exchange, key, 0)
}

/** A call somewhere in the twelve hours after the root's time. */
export function callWith(key: string): RawRecord {
  return record(call, key, random.int(1, 43_200))
}

function record(template: string, key: string, secondsLater: number): RawRecord {
  const start = Date.parse(/"eventTime":\s?"([^"]+)"/.exec(exchange)![1]!)
  const time = new Date(start + secondsLater * 1_000).toISOString()
  const text = template
    .replaceAll(keyIn(template), key)
    .replace(/"eventID":\s?"[^"]*"/, `"eventID":"${random.guid()}"`)
    .replace(/"requestID":\s?"[^"]*"/, `"requestID":"${random.guid()}"`)
    .replace(/"eventTime":\s?"[^"]*"/, `"eventTime":"${time}"`)
  return { text, value: JSON.parse(text) as JsonObject, masked: [], origin: { file: 'bench', line: null, index: 0 }, context: {} }
}
