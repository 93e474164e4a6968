import { z } from 'zod'
import { SOURCES } from '#core/event.ts'
import type { Store } from '../read-models/store.ts'
import { scopeOf, tenantInScope } from '../read-models/store.ts'

const time = z.string().meta({ format: 'date-time' })
const id = z.string().meta({ format: 'uuid' })

/** What held after an agent was deleted or disabled, as the records prove it; computed with the findings. */
export const Revocation = z
  .object({
    verdict: z.enum(['quiet', 'running-out', 'incomplete', 'doubtful', 'broken']).meta({
      description:
        'quiet: nothing succeeded after it. running-out: only credentials from before were used. incomplete: a managed identity that it could use still exchanged with a cloud when no agent was left that could. broken: something succeeded that no token from before explains. doubtful: the same, but a log does not cover the time.',
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
    identities: z
      .array(
        z.object({
          oid: id,
          otherAgents: z.int().meta({ description: 'How many others could go on using it.' }),
          exchanges: z.int().meta({ description: 'With clouds, after the revocation, whoever asked.' }),
          exchangesOfNobody: z.int().meta({ description: 'Of these: while no agent was left that could use it (finding revocation-incomplete).' }),
          lastExchange: z.array(z.object({ cloud: z.enum(SOURCES), at: time, event: id })).meta({ description: 'One a cloud.' }),
        }),
      )
      .meta({
        description:
          'Managed identities of its tenant that the agent could use until then and that ever exchanged with a cloud: revoking the agent does not close them.',
      }),
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
