/**
 * Tells webhooks of findings. Every change stands in `finding_changes` from the transaction that made it, and in `webhook_outbox` until the receiver has taken it: nothing
 * is lost by a restart, and what is told twice (a process that ended between the answer and its commit) bears the same id.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import type { Logger } from 'pino'
import { SEVERITIES } from '#core/finding.ts'
import { readWebhooks } from '../../config/webhooks-section.ts'
import type { FindingWebhook } from '../../config/webhooks-section.ts'
import type { Cli } from '../cli.ts'
import { deliverWebhook } from './deliver.ts'
import type { DeliverOptions, WebhookTarget } from './deliver.ts'
import { openWebhook } from './open.ts'

/** Advisory lock of whoever tells webhooks. An arbitrary number, the same everywhere. */
const WEBHOOKS_LOCK = 7_241_102
/**
 * Attempts that failed: some eight within two hours, then one an hour, four days in all. A receiver that was away over a long weekend gets everything; after that a
 * person has to look. Counted, and not by the age of the change: a program that did not run for a week has not tried.
 */
const GIVE_UP_AFTER = 100
/** Of one webhook in one round. */
const ROUND_MS = 10_000
/** From the first failed attempt of a message to the next, doubled each time. */
const FIRST_PAUSE_S = 30
const LONGEST_PAUSE_S = 3_600
/** Attempts within one round: the rest is the outbox's. */
const RETRIES = 2
const MESSAGES_A_ROUND = 200
const EVERY_MS = 15_000

type Environment = Readonly<Record<string, string | undefined>>

/** A webhook whose address and secret are read. */
interface OpenWebhook {
  readonly settings: FindingWebhook
  readonly target: WebhookTarget
}

/** Reads addresses and secrets. @throws CommandError naming the webhook that cannot be used; no value is repeated */
export async function openWebhooks(webhooks: readonly FindingWebhook[], environment: Environment): Promise<readonly OpenWebhook[]> {
  return Promise.all(webhooks.map(async (settings) => ({ settings, target: await openWebhook(`webhook ${settings.name}`, settings, environment) })))
}

interface Told {
  readonly delivered: number
  readonly failed: number
  /** What went wrong, one line a webhook. */
  readonly errors: readonly string[]
}

/**
 * One round: what changed since the last is put out, and what is due is sent, the oldest first.
 * @returns null when another process is at it. Rejects when the database fails or the signal is raised
 */
export async function tellWebhooks(pool: pg.Pool, webhooks: readonly OpenWebhook[], options: DeliverOptions = {}): Promise<Told | null> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [WEBHOOKS_LOCK])
    if (!rows[0]!.mine) return null
    try {
      for (const { settings } of webhooks) await putOut(client, settings)
      // Receivers are independent: one that is slow must not keep the others waiting.
      const settled = await Promise.allSettled(webhooks.map((webhook) => send(pool, webhook, options)))
      // Only when all have come to an end: the lock guards what is on its way.
      const broken = settled.find((one) => one.status === 'rejected')
      if (broken) throw broken.reason
      const results = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      return {
        delivered: results.reduce((sum, one) => sum + one.delivered, 0),
        failed: results.filter((one) => one.error !== null).length,
        errors: results.flatMap((one) => one.error ?? []),
      }
    } finally {
      await client.query('select pg_advisory_unlock($1)', [WEBHOOKS_LOCK]).catch(() => undefined)
    }
  } finally {
    client.release()
  }
}

/** A webhook that is new begins with what comes: nobody wants a year of findings at once. */
async function putOut(client: pg.PoolClient, { name, severity, rules, changes, tenant }: FindingWebhook): Promise<void> {
  await client.query('begin')
  try {
    await client.query(
      `insert into webhook_positions (webhook, change_id) values ($1, (select coalesce(max(id), 0) from finding_changes)) on conflict (webhook) do nothing`,
      [name],
    )
    const { rows } = await client.query<{ last: bigint | null }>(
      `select max(id) as last from finding_changes where id > (select change_id from webhook_positions where webhook = $1)`,
      [name],
    )
    const last = rows[0]!.last
    if (last !== null) {
      await client.query(
        `insert into webhook_outbox (webhook, change_id, next_at) select $1, id, now() from finding_changes
         where id > (select change_id from webhook_positions where webhook = $1) and id <= $2 and change = any($3::text[]) and body->>'severity' = any($4::text[])
           and ($5::text[] is null or body->>'rule' = any($5::text[])) and ($6::text is null or body->>'tenantId' = $6::text)`,
        [name, last, changes, SEVERITIES.slice(SEVERITIES.indexOf(severity)), rules ?? null, tenant ?? null],
      )
      await client.query('update webhook_positions set change_id = $2 where webhook = $1', [name, last])
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

interface Due {
  readonly id: bigint
  readonly findingId: string
  readonly change: string
  readonly body: object
  readonly changedAt: Date
  readonly attempts: number
}

async function send(
  pool: pg.Pool,
  { settings: { name }, target }: OpenWebhook,
  options: DeliverOptions,
): Promise<{ readonly delivered: number; readonly error: string | null }> {
  const { rows } = await pool.query<Due>(
    `select c.id, c.finding_id as "findingId", c.change, c.body, c.changed_at as "changedAt", o.attempts from webhook_outbox o join finding_changes c on c.id = o.change_id
     where o.webhook = $1 and o.failed_at is null and o.next_at <= now() order by o.change_id limit ${MESSAGES_A_ROUND}`,
    [name],
  )
  let delivered = 0
  const started = performance.now()
  for (const due of rows) {
    options.signal?.throwIfAborted()
    // What is left is due in the next round, for which the others wait.
    if (performance.now() - started > ROUND_MS) break
    try {
      await deliverWebhook(target, messageOf(due), { retries: RETRIES, ...options })
    } catch (error) {
      options.signal?.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      await pool.query(
        `update webhook_outbox set attempts = attempts + 1, last_error = $3, next_at = now() + make_interval(secs => $4),
           failed_at = case when attempts + 1 >= ${GIVE_UP_AFTER} then now() end
         where webhook = $1 and change_id = $2`,
        [name, due.id, reason, Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** Math.min(due.attempts, 10))],
      )
      // Who refuses one will hardly take the next; those behind it are tried in the next round, so none blocks the others for good.
      return { delivered, error: `webhook ${name}: ${reason}` }
    }
    await pool.query('delete from webhook_outbox where webhook = $1 and change_id = $2', [name, due.id])
    delivered++
  }
  return { delivered, error: null }
}

/** The shape that Standard Webhooks recommends. */
function messageOf({ id, findingId, change, body, changedAt }: Due): { readonly id: string; readonly contentType: string; readonly body: string } {
  return {
    id: `finding_${findingId}_${id}`,
    contentType: 'application/json',
    body: JSON.stringify({ type: `finding.${change}`, timestamp: changedAt.toISOString(), data: body }),
  }
}

/** Rounds until what it returns is called. A round that fails is told and left for the next. */
function startWebhooks(pool: pg.Pool, webhooks: readonly OpenWebhook[], log: Pick<Logger, 'warn' | 'info'>): () => Promise<void> {
  if (webhooks.length === 0) return () => Promise.resolve()
  const stop = new AbortController()
  const round = async (): Promise<void> => {
    const told = await tellWebhooks(pool, webhooks, { signal: stop.signal })
    if (told && told.delivered > 0) log.info({ delivered: told.delivered }, 'webhooks were told of findings')
    for (const error of told?.errors ?? []) log.warn({ error }, 'a webhook is told later')
  }
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await round().catch((error: unknown) => {
        if (!stop.signal.aborted) log.warn({ error: String(error) }, 'webhooks are told later')
      })
      await pause(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = loop()
  return async () => {
    stop.abort()
    await running
  }
}

/** The same for the webhooks that the configuration file names: the option's, else TRAILJOIN_CONFIG, else `trailjoin.yaml` here. @throws ConfigError, CommandError */
export async function startConfiguredWebhooks(
  { config, environment }: Pick<Cli, 'config' | 'environment'>,
  option: string | undefined,
  pool: pg.Pool,
  log: Pick<Logger, 'warn' | 'info'>,
): Promise<() => Promise<void>> {
  return startWebhooks(pool, await openWebhooks(await readWebhooks(option ?? config.configFile), environment), log)
}
