import { z } from 'zod'
import { SOURCES } from '#core/event.ts'
import type { Store } from '../read-models/store.ts'
import { scopeOf, tenantInScope } from '../read-models/store.ts'

const time = z.string().meta({ format: 'date-time' })
const id = z.string().meta({ format: 'uuid' })

/** What held after an agent was deleted or disabled, as the records prove it; computed with the findings. */
export const Revocation = z
  .object({
    verdict: z.enum(['quiet', 'running-out', 'doubtful', 'broken']).meta({
      description:
        'quiet: nothing succeeded after it. running-out: only credentials from before were used. broken: something succeeded that no token from before explains. doubtful: the same, but a log does not cover the time.',
    }),
    revokedAt: time,
    change: z.enum(['deleted', 'disabled']),
    revokedBy: id.meta({ description: 'The audit event.' }),
    takenBackAt: time.nullable(),
    lastSuccess: z
      .array(z.object({ cloud: z.enum(SOURCES), at: time, event: id, action: z.string() }))
      .meta({ description: 'After the revocation, one a cloud.' }),
    credentials: z
      .array(
        z.object({
          cloud: z.enum(SOURCES),
          issued: z.int(),
          issuedAfterRevocation: z.int(),
          lastIssuedAt: time,
          aliveUntil: time,
          basis: z
            .enum(['record', 'longest life'])
            .meta({ description: 'Whether the cloud wrote when it runs out, or the longest life of such a credential is assumed.' }),
        }),
      )
      .meta({ description: 'What outlived the revocation, one entry a cloud.' }),
    aliveUntil: time.nullable(),
    unexplained: z.object({ tokens: z.int(), exchanges: z.int(), other: z.int() }),
    signInLog: z.object({ from: time, until: time }).nullable().meta({ description: "From when to when the tenant's sign-ins of this kind are known." }),
    auditLogUntil: time.nullable().meta({ description: 'The last known change of the directory: a restoration after that may be missing.' }),
  })
  .meta({ id: 'Revocation' })
export type Revocation = z.infer<typeof Revocation>

/** The proof of one agent; null for one that was never revoked. Primary key of revocations. */
export async function revocationOf(store: Store, tenantId: string, oid: string): Promise<Revocation | null> {
  const { rows } = await store.query<{ body: Revocation }>(
    `select body from revocations where tenant_id = $1 and oid = $2 and ${tenantInScope('tenant_id', '$3')}`,
    [tenantId, oid, scopeOf(store)],
  )
  return rows[0]?.body ?? null
}
