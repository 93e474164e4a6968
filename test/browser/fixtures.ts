/** A deterministic store of made-up events for the page, in the shapes of the API's own contract. All identifiers are invented. */
import { createHash } from 'node:crypto'
import type { Agent, EventDetail, OidAnswer, TimelineItem } from '#api/contract.ts'
import type { Confidence, Kind, Source } from '#core/event.ts'

const TENANT = '7f1c2a90-0000-4000-8000-00000000a001'
/** Option 2, three thousand events. */
export const BUSY = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
/** Shares its managed identity with two others: ambiguous. */
export const SHARED = 'b14e5f00-1111-4a5a-9d3b-0c5d2e7f9a01'
/** More events than the page loads. */
export const HUGE = 'c9d3aa10-2222-4b6b-8e4c-1d6e3f80ab02'
/** Known, without events. */
export const QUIET = 'd0e4bb20-3333-4c7c-9f5d-2e7f4091bc03'
const UAMI = 'e1f5cc30-4444-4d8d-a06e-3f8051a2cd04'
const BLUEPRINT = 'f206dd40-5555-4e9e-b17f-409162b3de05'

/** What an attacker may write into a field that a log repeats. It must never become markup. */
export const HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>'

const START = Date.UTC(2026, 8, 1, 8, 0, 0)

/** A small generator of numbers in [0, 1) that is the same on every machine (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export interface Stored {
  readonly item: TimelineItem
  readonly raw: string
  readonly masked: readonly string[]
}

interface Draft {
  readonly at: number
  readonly source: Source
  readonly kind: Kind
  readonly action: string
  readonly confidence: Confidence
  readonly change?: Partial<TimelineItem>
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const uuid = (seed: string): string => {
  const hex = sha256(seed)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function store(oid: string, draft: Draft, number: number, evidence: readonly string[]): Stored {
  const id = uuid(`${oid}:${number}`)
  const { at, source, kind, action, confidence, change } = draft
  const nanos = `${new Date(at).toISOString().slice(0, -1)}${String((number * 7919) % 1_000_000).padStart(6, '0')}Z`
  const masked = kind === 'token.exchanged' && source === 'aws' ? ['/responseElements/credentials/sessionToken'] : []
  const raw = JSON.stringify({
    eventTime: nanos,
    eventName: action.split(':')[1],
    recipientAccountId: '111122223333',
    userAgent: change?.userAgent ?? 'example-agent/1.0',
    ...(masked.length > 0
      ? { responseElements: { credentials: { accessKeyId: 'ASIAQ3EGRBTZ5EXMADEX', sessionToken: '***', expiration: 'Sep 1, 2026, 11:00:00 AM' } } }
      : {}),
    eventID: id,
  })
  const attributed = confidence === 'exact' || confidence === 'derived' || confidence === 'probable' || confidence === 'asserted'
  const item: TimelineItem = {
    id,
    nativeId: `native-${number}`,
    time: nanos,
    source,
    kind,
    action,
    outcome: 'success',
    error: null,
    tenantId: TENANT,
    subjectOid: confidence === 'none' ? null : oid,
    agentOid: attributed ? oid : null,
    onBehalfOf: null,
    targets: [],
    role: 'actor',
    attribution: { confidence, basis: basisOf(confidence, source), candidates: [], evidence: [...evidence] },
    traceId: null,
    sessionId: null,
    parentId: null,
    cloud: placeOf(source),
    resource: null,
    model: null,
    usage: null,
    sourceIp: '203.0.113.17',
    userAgent: 'example-agent/1.0',
    requestId: uuid(`request:${number}`),
    deliveredAt: null,
    ingestedAt: '2026-09-09T12:00:00.000000000Z',
    rawSha256: sha256(raw),
    ...change,
  }
  return { item, raw, masked }
}

function basisOf(confidence: Confidence, source: Source): string[] {
  if (confidence === 'none') return []
  if (confidence === 'derived' || confidence === 'ambiguous') return ['federated-subject', 'federated-credential']
  if (confidence === 'probable') return ['proximity']
  if (confidence === 'asserted') return ['asserted-name']
  return source === 'entra' || source === 'app' ? ['principal'] : ['credential', 'federated-subject']
}

function placeOf(source: Source): TimelineItem['cloud'] {
  if (source === 'aws')
    return { account: '111122223333', region: 'us-east-1', principal: 'arn:aws:sts::111122223333:assumed-role/weather-agent-bedrock/weather' }
  if (source === 'gcp') return { account: 'weather-demo-471', region: 'us-central1', principal: 'weather-llm@weather-demo-471.iam.gserviceaccount.com' }
  return { account: null, region: null, principal: null }
}

/** Rounds of sign-in, exchange, calls: what an agent's day looks like, with the odd failure and the weaker confidences in between. */
function agentDay(oid: string, count: number, seed: number, strongest: 'exact' | 'ambiguous', candidates: readonly string[]): Stored[] {
  const random = seeded(seed)
  const stored: Stored[] = []
  const shared: Partial<TimelineItem> = strongest === 'ambiguous' ? { role: 'candidate', subjectOid: UAMI, agentOid: null } : {}
  const add = (draft: Draft, evidence: readonly string[] = []): string => {
    const own =
      draft.confidence === 'ambiguous'
        ? {
            ...shared,
            attribution: { confidence: draft.confidence, basis: basisOf('ambiguous', draft.source), candidates: [...candidates], evidence: [...evidence] },
          }
        : {}
    const entry = store(oid, { ...draft, change: { ...own, ...draft.change } }, stored.length, evidence)
    stored.push(entry)
    return entry.item.id
  }
  let at = START
  while (stored.length < count) {
    const aws = random() < 0.55
    const source: Source = aws ? 'aws' : 'gcp'
    const signIn = add({
      at,
      source: 'entra',
      kind: 'token.issued',
      action: strongest === 'exact' ? 'entra:AgentSignIn' : 'entra:ManagedIdentitySignIn',
      confidence: strongest,
    })
    at += 40 + random() * 900
    const refused = random() < 0.06
    const exchange = add(
      {
        at,
        source,
        kind: 'token.exchanged',
        action: aws ? 'sts:AssumeRoleWithWebIdentity' : 'sts.googleapis.com:ExchangeToken',
        confidence: strongest,
        change: refused ? { outcome: 'failure', error: { code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' } } : {},
      },
      [signIn],
    )
    const minted =
      !aws && !refused
        ? add(
            {
              at: (at += 30 + random() * 200),
              source,
              kind: 'credential.minted',
              action: 'iamcredentials.googleapis.com:GenerateAccessToken',
              confidence: strongest === 'exact' ? 'probable' : strongest,
            },
            [exchange],
          )
        : exchange
    for (let call = 0; !refused && call < 2 + random() * 9 && stored.length < count; call++) {
      at += 300 + random() * 40_000
      const model = aws
        ? { id: 'us.anthropic.claude-sonnet-4-20250514-v1:0', name: 'claude-sonnet-4-20250514', provider: 'anthropic' }
        : { id: 'gemini-2.5-pro', name: 'gemini-2.5-pro', provider: 'google' }
      const fails = random() < 0.05
      const invoked = add(
        {
          at,
          source,
          kind: 'llm.invoked',
          action: aws ? 'bedrock:Converse' : 'aiplatform.googleapis.com:GenerateContent',
          confidence: strongest,
          change: { model, ...(fails ? { outcome: 'failure', error: { code: 'ThrottlingException', message: 'Too many requests' } } : {}) },
        },
        [minted],
      )
      if (aws && !fails)
        add(
          {
            at: at + 2,
            source,
            kind: 'llm.metered',
            action: 'bedrock:InvocationLog',
            confidence: strongest,
            change: {
              model,
              usage: {
                inputTokens: 200 + Math.floor(random() * 4000),
                outputTokens: 20 + Math.floor(random() * 900),
                cacheReadTokens: null,
                cacheWriteTokens: null,
              },
            },
          },
          [invoked],
        )
      if (random() < 0.35) add({ at: at + 90, source: 'app', kind: 'api.called', action: 'GET /weather', confidence: 'exact' })
    }
    at += random() < 0.12 ? 3_600_000 * (2 + random() * 9) : 60_000 * (1 + random() * 20)
  }
  return stored
}

function oddEvents(): Stored[] {
  const at = START + 1_800_000
  return [
    store(
      BUSY,
      {
        at,
        source: 'entra',
        kind: 'identity.changed',
        action: 'entra:Update service principal',
        confidence: 'none',
        change: { role: 'target', targets: [BUSY], subjectOid: null },
      },
      90_001,
      [],
    ),
    store(
      BUSY,
      {
        at: at + 60_000,
        source: 'gcp',
        kind: 'trust.changed',
        action: 'iam.googleapis.com:SetIamPolicy',
        confidence: 'none',
        change: { role: 'target', targets: [BUSY, UAMI], subjectOid: null },
      },
      90_002,
      [],
    ),
    store(BUSY, { at: at + 120_000, source: 'aws', kind: 'other', action: 's3:GetObject', confidence: 'asserted' }, 90_003, []),
    store(
      BUSY,
      {
        at: START + 30,
        source: 'aws',
        kind: 'other',
        action: HOSTILE,
        confidence: 'exact',
        change: {
          outcome: 'failure',
          error: { code: HOSTILE, message: HOSTILE },
          userAgent: HOSTILE,
          cloud: { account: HOSTILE, region: HOSTILE, principal: HOSTILE },
          model: { id: HOSTILE, name: HOSTILE, provider: HOSTILE },
        },
      },
      90_004,
      [],
    ),
  ]
}

/** Every oid's events, newest first. */
export const EVENTS: ReadonlyMap<string, readonly Stored[]> = new Map(
  (
    [
      [BUSY, [...agentDay(BUSY, 2996, 7, 'exact', []), ...oddEvents()]],
      [SHARED, agentDay(SHARED, 240, 11, 'ambiguous', [SHARED, HUGE, QUIET])],
      [HUGE, agentDay(HUGE, 6200, 13, 'exact', [])],
      [QUIET, []],
    ] as const
  ).map(([oid, events]) => [oid, events.toSorted((a, b) => (a.item.time < b.item.time ? 1 : -1))]),
)

function counts<Word extends string>(words: readonly Word[], of: (item: TimelineItem) => Word, oid: string): Record<Word, number> {
  const result = Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>
  for (const { item } of EVENTS.get(oid) ?? []) result[of(item)]++
  return result
}
const bySource = (oid: string) => counts(['entra', 'aws', 'gcp', 'app'] as const, (item) => item.source, oid)
const byConfidence = (oid: string) =>
  counts(['exact', 'derived', 'probable', 'asserted', 'ambiguous', 'none'] as const, (item) => item.attribution.confidence, oid)
const byRole = (oid: string) => counts(['actor', 'candidate', 'target'] as const, (item) => item.role, oid)

function agent(oid: string, name: string, topology: Agent['topology'], uami: boolean): Agent {
  const events = EVENTS.get(oid) ?? []
  return {
    tenantId: TENANT,
    oid,
    name,
    appId: uuid(`app:${oid}`),
    status: 'active',
    blueprint: { appId: BLUEPRINT, objectId: null, principalOid: null, name: 'Weather Blueprint' },
    uamis: uami ? [{ oid: UAMI, name: 'weather-uami', current: true }] : [],
    topology,
    firstSeen: events.at(-1)?.item.time ?? null,
    lastSeen: events[0]?.item.time ?? null,
    counts: { bySource: bySource(oid), byConfidence: byConfidence(oid) },
    exactEvents: byConfidence(oid).exact,
    candidateEvents: byRole(oid).candidate,
    targetEvents: byRole(oid).target,
  }
}

export const AGENTS: readonly Agent[] = [
  agent(BUSY, 'Weather Agent', { aws: 'option-2', gcp: 'option-2' }, false),
  agent(SHARED, 'Travel Planner', { aws: 'option-1', gcp: 'option-1' }, true),
  agent(HUGE, 'Batch Summariser', { aws: 'option-2', gcp: 'option-1' }, true),
  agent(QUIET, `Quiet ${HOSTILE}`, { aws: null, gcp: null }, true),
]

/** The answer of `/v1/oids/{oid}`, null for an unknown one. */
export function oidAnswer(oid: string): OidAnswer | null {
  const known = AGENTS.find((candidate) => candidate.oid === oid)
  if (!known) return null
  const { tenantId, name, appId, status, blueprint, uamis, topology, firstSeen, lastSeen } = known
  return {
    id: oid,
    resolvedFrom: null,
    items: [
      {
        tenantId,
        oid,
        kind: 'agent',
        name,
        names: name ? [name] : [],
        appId,
        status,
        msiType: null,
        armId: null,
        blueprint,
        uamis,
        agents: [],
        topology,
        topologyOverTime: { aws: [], gcp: [] },
        revocation: null,
        firstSeen,
        lastSeen,
        counts: { bySource: bySource(oid), byKind: {}, byRole: byRole(oid), byConfidence: byConfidence(oid) },
      },
    ],
  }
}

const BY_ID = new Map([...EVENTS.values()].flat().map((entry) => [entry.item.id, entry]))

/** One event with its raw record, null for an unknown id. */
export const storedEvent = (id: string): Stored | null => BY_ID.get(id) ?? null

/** The answer of `/v1/events/{id}`. */
export function eventDetail({ item, masked }: Stored): EventDetail {
  return {
    ...item,
    role: null,
    resource: null,
    tokenId: null,
    asserted: [],
    evidence: {
      rawSha256: item.rawSha256 ?? '',
      format: `${item.source}-fixture`,
      file: `logs/${item.source}/2026-09-01.json.gz`,
      line: 12,
      masked: [...masked],
      variants: [],
    },
  }
}
