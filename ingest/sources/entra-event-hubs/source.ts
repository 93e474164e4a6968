import { z } from 'zod'
import type { Source } from '../../engine/source.ts'
import { azureCloud } from '../entra/clouds.ts'
import { azureCredential, credentialOf } from '../entra/credential.ts'
import { createMailbox } from '../mailbox/mailbox.ts'
import { pollMailbox } from '../mailbox/poll.ts'
import { checkHub } from './check.ts'
import { connectHub, connectionString, emulator, hostOf } from './connection.ts'
import type { HubConnection } from './connection.ts'
import { startHubConsumer } from './consumer.ts'
import type { HubConsumer } from './consumer.ts'
import { hubError } from './errors.ts'

const MB = 1024 * 1024
const LIMITS = { bytes: 32 * MB, pageBytes: 8 * MB }
/** From a sign-in to its record here: vendors measured up to 30 minutes (facts: Entra, "Late data"). */
const DELAY_MS = 30 * 60_000

const settings = z
  .strictObject({
    namespace: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9](\.[A-Za-z0-9.-]+)?$/, 'is no Event Hubs namespace: write its name, or its host name'),
    hubs: z
      .array(z.string().regex(/^[\w.-]{1,256}$/, 'is no name of an event hub'))
      .min(1, 'names no event hub')
      .refine((list) => new Set(list).size === list.length, 'names an event hub twice'),
    /** The group of a hub is `<consumerGroup>.<hub>`. */
    consumerGroup: z
      .string()
      .regex(/^[\w.$-]{1,50}$/, 'is no name of a consumer group')
      .default('trailjoin'),
    cloud: azureCloud,
    /** A connection string with the right Listen; else `credential`, else the default chain. */
    connectionString,
    credential: azureCredential,
    emulator: emulator.optional(),
    /** Silent for so long, everything that was sent has arrived. */
    idleSeconds: z.number().positive().max(3600).default(30),
  })
  .refine((given) => given.connectionString === undefined || given.credential === undefined, {
    path: ['credential'],
    message: 'stands beside connectionString: one of them proves who this is, not both',
  })

/**
 * A group for each hub. Groups of this endpoint belong to the namespace, and kafkajs shares partitions out wrongly among members of one group that read different
 * topics: with one group for two hubs, most of both was never read (source.kafka.test.ts).
 */
const groupOf = (consumerGroup: string, hub: string): string => `${consumerGroup}.${hub}`

const source: Source<z.output<typeof settings>> = {
  kind: 'entra-event-hubs',
  description: 'Entra sign-in and audit logs that diagnostic settings stream to Event Hubs, read through its Kafka endpoint',
  settings,
  open(given, context) {
    const { hubs, consumerGroup, cloud, idleSeconds } = given
    const host = hostOf(given.namespace, cloud)
    const bare = given.emulator !== undefined && given.credential === undefined
    const connection: HubConnection = {
      host,
      connectionString: given.connectionString,
      credential: given.connectionString !== undefined || bare ? null : credentialOf(given.credential, cloud, context),
      emulator: given.emulator,
      context,
    }
    return hubs.map((hub) => {
      const mailbox = createMailbox<readonly string[]>(LIMITS)
      const where = `entra:event-hubs/${host}/${hub}`
      let consumer: HubConsumer | null = null
      const stop = async (): Promise<void> => {
        const old = consumer
        consumer = null
        await old?.stop()
      }
      return {
        part: hub,
        waits: true,
        async *poll(cursor, signal) {
          // It outlives the polls: leaving and joining would share the partitions out anew each time.
          consumer ??= await startHubConsumer(await connectHub(connection), { hub, groupId: groupOf(consumerGroup, hub), mailbox })
          try {
            yield* pollMailbox(
              { mailbox, piecesOf: (texts) => texts.map((text) => ({ where, text })), idleMs: idleSeconds * 1000, delayMs: DELAY_MS, context },
              cursor,
              signal,
            )
          } catch (error) {
            await stop()
            throw error
          }
        },
        check: () => checkHub(connection, hub, groupOf(consumerGroup, hub)),
        classify: (error) => hubError(error, `event hub ${host}/${hub}`),
        release: stop,
        async close() {
          mailbox.close()
          await stop()
        },
      }
    })
  },
}

export default source
