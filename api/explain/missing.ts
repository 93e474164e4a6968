/** What is not in the store and would say more about this event. Silence is never read as absence: each sentence says what was looked for. */
import { formatTime, HOUR, parseTime } from '#core/time.ts'
import { eventInScope, scopeOf, tenantInScope } from '../read-models/store.ts'
import type { Store } from '../read-models/store.ts'
import type { Statement } from './contract.ts'
import { ownDoing } from './own-service.ts'
import { MAX_HOPS } from './story.ts'
import type { Story, Told } from './story.ts'
import { keyId, moment, naming } from './words.ts'

const say = (words: string, ...evidence: readonly string[]): Statement => ({ words, evidence: [...evidence] })

/** In the order of the hops. */
export async function missingOf(store: Store, story: Story): Promise<Statement[]> {
  const { event } = story
  if (!event.concluded) return [say('Conclusions: they are drawn a moment after records are stored. Ask again.')]
  const found = [...(await beforeTheFirst(store, story)), ...(await usage(store, event)), ...tokenId(event), ...(await gaps(store, event))]
  if (!story.bounded || found.length === 0) return found
  return [...found, say('This was looked for among the records that you may see. It may be there all the same, of another tenant or of none.')]
}

/** What ought to come before the first hop. */
async function beforeTheFirst(store: Store, story: Story): Promise<Statement[]> {
  const first = story.hops[0]!
  const { item } = first
  if (story.cut)
    return [
      say(`The hops before the first one here: only the last ${MAX_HOPS} are looked at. The explanation of the first one here goes on from there.`, item.id),
    ]
  if (ownDoing(story)) return []
  const key = keyId(first.uses)
  if (key?.startsWith('ASIA')) {
    const issuer = await issuerOf(store, first.uses!, item.id)
    if (issuer !== null)
      return [
        say(`What comes before the key ${key}: the record that issued it is here and proves nobody either. Its own explanation goes on from there.`, issuer),
      ]
    // Sessions of the console have keys that no record names: sign-in events hold none.
    if (/:(?:user\/|root$)/.test(item.cloud.principal ?? '')) {
      return [
        say(
          `The record that issued the key ${key}, if there is one: a GetSessionToken of the same account. A sign-in to the console issues keys, too, and its record does not name them.`,
          item.id,
        ),
      ]
    }
    return [
      say(
        `The record that issued the key ${key}: CloudTrail of the account that it was asked for in, every region (the global STS endpoint logs in us-east-1).`,
        item.id,
      ),
    ]
  }
  if (first.proof.by === 'issued') {
    const copy = first.issues === null ? null : await issuerOf(store, first.issues, item.id)
    if (copy !== null)
      return [say("What comes before this AssumeRole: the caller's copy of it is here and proves nobody either. Its own explanation goes on from there.", copy)]
    return [say("The caller's copy of this AssumeRole: CloudTrail of the other account. It names the key that was used.", item.id)]
  }
  if (item.kind === 'llm.metered') return [say('The call with this request id: CloudTrail of the same account and region.', item.id)]
  if (item.subjectOid === null) return []
  const kind = item.tenantId === null ? undefined : story.directory.find(item.tenantId, item.subjectOid)?.kind
  if (kind === 'user') return []
  // What Entra itself logs is the log in question.
  if (!kind && item.source !== 'entra') {
    return [
      say(
        `What ${item.subjectOid} is: no Entra sign-in, audit record or federated credential in the store names it${item.tenantId === null ? ', in any tenant' : ''}.`,
        item.id,
      ),
    ]
  }
  if (item.kind === 'token.exchanged') return await signIn(store, story, first)
  if (item.source === 'gcp') return [say('The exchange at most 65 minutes before: Data Access logs (ADMIN_READ) of sts.googleapis.com.', item.id)]
  if (item.kind === 'api.called') return [say('The sign-in that issued the token: Entra sign-in logs of service principals.', item.id)]
  if (item.kind === 'token.issued' && first.proof.kind !== 'managed-identity' && item.onBehalfOf === null) {
    return [
      say(
        'The sign-in that this one rests on (of the Blueprint, or of the managed identity): Entra logs it in other tables of its own, and a cached token may be older than the logs here.',
        item.id,
      ),
    ]
  }
  return []
}

/** Another event that issued this credential, as far as the caller may see it. Index events_issues. */
async function issuerOf(store: Store, credential: string, except: string): Promise<string | null> {
  const { rows } = await store.query<{ id: string }>(
    `select e.event_id as id from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     where e.issues = $1 and e.event_id <> $2 and ${eventInScope('c', '$3')} order by e.time_ns, e.event_id limit 1`,
    [credential, except, scopeOf(store)],
  )
  return rows[0]?.id ?? null
}

/** An exchange without a sign-in before it: was the log there, and how far does it reach back? */
async function signIn(store: Store, { directory, bounded }: Story, { item }: Told): Promise<Statement[]> {
  if (item.tenantId === null || item.subjectOid === null) return []
  const kind = directory.find(item.tenantId, item.subjectOid)?.kind
  const [action, log, life] =
    kind === 'managed-identity' ? ['entra:ManagedIdentitySignIn', 'of managed identities', 25n] : ['entra:ServicePrincipalSignIn', 'of service principals', 9n]
  // Index: events_issued (tenant, action, outcome, time).
  const { rows } = await store.query<{ first: bigint | null }>(
    `select min(time_ns) as first from events where kind = 'token.issued' and tenant_id = $1 and action = $2 and outcome = 'success'`,
    [item.tenantId, action],
  )
  const reaches = rows[0]?.first ?? null
  const what = `The sign-in that issued the token of ${naming(directory)(item.tenantId, item.subjectOid)}`
  if (reaches === null) return [say(`${what}: there is no Entra sign-in log ${log} of this tenant in the store.`, item.id)]
  const time = parseTime(item.time)
  if (time !== null && reaches > time - life * HOUR) {
    return [say(`${what}: the Entra sign-in log ${log} begins at ${moment(formatTime(reaches))}, and a token may be ${life} hours old.`, item.id)]
  }
  // A sign-in of another tenant's identity would be in that tenant's log.
  if (bounded) return [say(`${what}: the Entra sign-in log ${log} reaches back far enough, and you may see none in it within ${life} hours before.`, item.id)]
  return [
    say(
      `${what}: the Entra sign-in log ${log} reaches back far enough and has none within ${life} hours before. That can be a finding of its own (exchange-without-issuance).`,
      item.id,
    ),
  ]
}

async function usage(store: Store, { item, requestKey }: Told): Promise<Statement[]> {
  if (item.kind !== 'llm.invoked' || item.usage !== null) return []
  if (item.source === 'gcp') return [say('Token counts: audit logs of Google Cloud do not hold them.')]
  if (requestKey === null) return []
  // Index: events_request_key.
  const { rows } = await store.query(
    `select 1 from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     where e.request_key = $1 and e.kind = 'llm.metered' and ${eventInScope('c', '$2')} limit 1`,
    [requestKey, scopeOf(store)],
  )
  return rows.length > 0 ? [] : [say('Token counts: no Bedrock model-invocation log has this request id.')]
}

function tokenId({ item, tokenId: uti, link }: Told): Statement[] {
  if (item.kind !== 'api.called' || uti !== null || link === 'exact') return []
  return [say("The token's id: without uti in the API's log, the sign-in that issued it is only the latest that fits.")]
}

/** Known holes of live sources around the time; a caller with tenants is told of the sources that were declared for one of them. */
async function gaps(store: Store, { item }: Told): Promise<Statement[]> {
  const time = parseTime(item.time)
  if (time === null) return []
  const { rows } = await store.query<{ source: string; part: string; gaps: readonly { from: string; until: string; reason: string }[] }>(
    `select source, part, gaps from source_status where gaps <> '[]'::jsonb and ${tenantInScope('tenant_id', '$1')} order by source, part`,
    [scopeOf(store)],
  )
  return rows.flatMap(({ source, part, gaps: holes }) =>
    holes
      .filter(({ from, until }) => BigInt(from) - HOUR <= time && time <= BigInt(until) + HOUR)
      .map(({ from, until, reason }) =>
        say(
          `Records of ${source}${part === '' ? '' : ` (${part})`} from ${moment(formatTime(BigInt(from)))} to ${moment(formatTime(BigInt(until)))}: ${reason}.`,
        ),
      ),
  )
}
