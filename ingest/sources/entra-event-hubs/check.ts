import { leave } from '#transport/kafka-client.ts'
import type { Finding } from '../../engine/source.ts'
import { connectHub } from './connection.ts'
import type { HubConnection } from './connection.ts'
import { hubError } from './errors.ts'

/** Reachable and permitted? How far is the group behind? */
export async function checkHub(connection: HubConnection, hub: string, groupId: string): Promise<readonly Finding[]> {
  const doing = `event hub ${connection.host}/${hub}`
  try {
    const admin = (await connectHub(connection)).admin({ retry: { retries: 1 } })
    try {
      await admin.connect()
      const ends = await admin.fetchTopicOffsets(hub)
      const [group] = await admin.fetchOffsets({ groupId, topics: [hub] })
      const position = new Map((group?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]))
      let behind = 0n
      for (const { partition, low, high } of ends) {
        const at = position.get(partition) ?? -1n
        behind += BigInt(high) - (at < BigInt(low) ? BigInt(low) : at)
      }
      const empty = ends.every(({ low, high }) => low === high)
      return [
        { check: 'reachable', level: 'ok', message: `${doing} answers, with ${ends.length} partitions`, next: null },
        empty
          ? {
              check: 'logs',
              level: 'warning',
              message: `${doing} holds no message`,
              next: 'In Entra: Monitoring & health, Diagnostic settings, stream AuditLogs and the sign-in logs to this event hub.',
            }
          : { check: 'lag', level: 'ok', message: `the group ${groupId} is ${behind} messages behind`, next: null },
      ]
    } finally {
      await leave(admin)
    }
  } catch (error) {
    const failure = hubError(error, doing)
    const next =
      failure.code === 'SOURCE_DENIED'
        ? 'Check the connection string (it wants the right Listen), or give the identity the role Azure Event Hubs Data Receiver on the namespace.'
        : failure.code === 'SOURCE_MISCONFIGURED'
          ? 'Check the name of the event hub; the namespace must be of the tier Standard or higher, Basic has no Kafka endpoint.'
          : `Check that port 9093 of ${connection.host} can be reached from this machine.`
    return [{ check: 'reachable', level: 'problem', message: failure.message, next }]
  }
}
