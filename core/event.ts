/**
 * The vocabulary (DESIGN §3). Code, tables, routes and pages use these words and no synonyms.
 *
 * tenant      Entra tenant id. An oid means something only inside a tenant: the key is always (tenantId, oid).
 * record      one raw log entry exactly as its cloud wrote it, kept as evidence.
 * event       the normalised form of one record; its id is a function of the record's own identity.
 * subject     the Entra principal that a record proves: a UAMI (Option 1) or an Agent Identity (Option 2).
 * agent       the Agent Identity that the event is attributed to, if it can be.
 * credential  what one hop issues and the next hop uses.
 * session     everything done with one cloud credential and with the credentials minted from it.
 * trace       the linked story of one owner across all clouds.
 * finding     a conclusion with evidence.
 */
import type { AppId, CredentialId, EventId, Oid, TenantId } from './keys.ts'

export const SOURCES = ['entra', 'aws', 'gcp', 'app'] as const
export type Source = (typeof SOURCES)[number]

export const KINDS = [
  'token.issued',
  'token.exchanged',
  'credential.minted',
  'llm.invoked',
  'llm.metered',
  'api.called',
  'identity.changed',
  'trust.changed',
  'other',
] as const
export type Kind = (typeof KINDS)[number]

/** `unknown`: the record says neither. */
export const OUTCOMES = ['success', 'failure', 'unknown'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** True for records that a log made by itself about many calls (CloudTrail's insights and aggregated events): nobody did what they tell of, so nobody is missing. */
export const hasNoActor = ({ action }: { readonly action: string }): boolean => /^cloudtrail:(?:\w*Insight|AggregatedEvent)$/.test(action)

export const CONFIDENCES = ['exact', 'derived', 'probable', 'asserted', 'ambiguous', 'none'] as const
export type Confidence = (typeof CONFIDENCES)[number]

export const ROLES = ['actor', 'candidate', 'target'] as const
export type Role = (typeof ROLES)[number]

/** How the edge from an event to its parent is known: by an id, or by the clock. */
export const LINKS = ['exact', 'time'] as const
export type Link = (typeof LINKS)[number]

/**
 * What the record itself proves about who acted. The normaliser fills it from the record alone; `correlate/resolve.ts`
 * turns it into subject and agent with what other records prove.
 */
export type Proof =
  /** Entra (or an API that validated an Entra token) names the principal itself. */
  | { readonly by: 'principal'; readonly oid: Oid; readonly appId: AppId | null; readonly kind: PrincipalKind | null }
  /** Only the client application is named (delegated sign-ins, API logs with only `appid`): the agent behind that appId. */
  | { readonly by: 'application'; readonly appId: AppId }
  /** A federated token's subject, as AWS or GCP recorded it. `oid` is null when the subject holds no single GUID. */
  | {
      readonly by: 'federation'
      readonly subject: string
      readonly oid: Oid | null
      readonly pool: GcpPool | null
      /** False for a known non-Entra issuer. */ readonly entra: boolean | null
    }
  /** The credential in `uses`, through any number of hops. */
  | { readonly by: 'credential' }
  /** Only the credential in `issues` (the target account's copy of a cross-account AssumeRole). */
  | { readonly by: 'issued' }
  /** The invocation that has the same `requestKey` (Bedrock model-invocation log). */
  | { readonly by: 'request' }
  /** An exchange with the same `nearKey` within two seconds before (GCP mints without a subject). */
  | { readonly by: 'proximity' }
  | { readonly by: 'nothing' }

/** A GCP workload identity pool as records name it: by project number in principals, by project id in logs. */
export interface GcpPool {
  readonly project: string
  readonly pool: string
  readonly provider: string | null
}

export const PRINCIPAL_KINDS = ['agent', 'blueprint', 'managed-identity', 'service-principal', 'user'] as const
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number]

/** One record in the product's words. A function of the record and its context alone: no clock, no look-up, no randomness. */
export interface TrailEvent {
  readonly id: EventId
  /** The cloud's own id of the record: CloudTrail eventID, GCP insertId, Entra id, request id of an invocation or access log; the event id where there is none. */
  readonly nativeId: string
  readonly timeNs: bigint
  /** When the cloud delivered the record, where it says so. */
  readonly deliveredNs: bigint | null
  readonly source: Source
  readonly kind: Kind
  /** Service and operation, e.g. `bedrock:Converse`, `sts.googleapis.com:ExchangeToken`, `entra:ManagedIdentitySignIn`. */
  readonly action: string
  readonly outcome: Outcome
  readonly error: { readonly code: string; readonly message: string | null } | null
  /** As the record itself proves it (or the operator declared it). */
  readonly tenantId: TenantId | null
  readonly proof: Proof
  /** The user that a delegated call acts for. */
  readonly onBehalfOf: Oid | null
  /** Oids that a directory or trust change names. Sorted, distinct. */
  readonly targets: readonly Oid[]
  readonly uses: CredentialId | null
  readonly issues: CredentialId | null
  /**
   * Of model calls and batch jobs: joins the records of one request. `aws:<account>:<region>:<requestId>` (invocation, usage log, copies of other
   * observers), `gcp:operation:<producer>:<id>` or `gcp:split:<uid>` (parts).
   */
  readonly requestKey: string | null
  /** Caller address and user agent of a GCP exchange or mint, normalised: joins a mint without subject to its exchange. */
  readonly nearKey: string | null
  /** Token id of an issuance, or of the token that an API validated: `uti`, as written. */
  readonly tokenId: string | null
  /** Identities that the caller chose to write down (session names, source identity, tags, labels). Claims, never proof. */
  readonly asserted: readonly string[]
  readonly cloud: { readonly account: string | null; readonly region: string | null; readonly principal: string | null }
  /**
   * True where another record tells of the same request first: a later part of a long-running, streamed or split call, or what another observer saw of it (a VPC
   * endpoint, another account). It counts as a call only where no record with its `requestKey` is without this mark; otherwise left out.
   */
  readonly secondary?: true
  /** Of a model call: the region that it was handed on to. Only AWS says it (`inferenceRegion`), and only where the call left its own region; otherwise left out. */
  readonly ranRegion?: string
  /** When the credential that this event issued runs out by itself, where the record says it; otherwise left out. */
  readonly issuedUntilNs?: bigint
  /** How the caller made itself known, where the record says more than `proof` does; otherwise left out. */
  readonly means?: Means
  /** What was acted on: Entra resource appId, API audience, role ARN, GCP resource name. */
  readonly resource: string | null
  readonly model: Model | null
  readonly usage: Usage | null
  readonly sourceIp: string | null
  readonly userAgent: string | null
  readonly requestId: string | null
  /** What the record says about principals and trust. */
  readonly directory: readonly DirectoryFact[]
}

/** What a caller showed, and who called for it. */
export interface Means {
  /**
   * Entra: `clientCredentialType` in lower case (`clientsecret`, `federatedidentitycredential`, …). AWS: `iam-user`, `root` or `bedrock-api-key`. Google:
   * `service-account-key`. Null where the record says nothing, or nothing beyond temporary credentials.
   */
  readonly credential: string | null
  /** Audience of the token that AWS exchanged. Google logs none; Entra's is `resource`. */
  readonly audience: string | null
  /** AWS service that called on the caller's behalf. */
  readonly invokedBy: string | null
}

export interface Model {
  /** As the caller wrote it. */
  readonly id: string
  /** Plain name without provider, geography prefix, context suffix and `:0`; null where the id is opaque. */
  readonly name: string | null
  readonly provider: string | null
}

/** Token counts; null where the log does not say. `input` excludes cached tokens. */
export interface Usage {
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly cacheReadTokens: number | null
  readonly cacheWriteTokens: number | null
}

/** A federated identity credential as Entra writes it into an application's audit record. */
export interface Fic {
  readonly id: string | null
  readonly name: string | null
  readonly issuer: string
  readonly subject: string
  readonly audiences: readonly string[]
}

/**
 * What one record says about the directory. `seen` facts hold without a date (this principal is an agent of that Blueprint);
 * the others are changes at the event's time.
 */
export type DirectoryFact =
  | {
      readonly type: 'seen'
      readonly oid: Oid
      readonly kind: PrincipalKind | null
      readonly appId: AppId | null
      readonly name: string | null
      /** Of an agent: its Blueprint's appId. */
      readonly blueprintAppId: AppId | null
      /** Of an agent or a Blueprint principal: the Blueprint's application object id. */
      readonly blueprintObjectId: Oid | null
      /** Of a managed identity. */
      readonly msiType: 'userAssigned' | 'systemAssigned' | null
      readonly armId: string | null
    }
  /** An application object (a Blueprint when `blueprint`): ties object id and appId together. */
  | { readonly type: 'application'; readonly objectId: Oid; readonly appId: AppId | null; readonly name: string | null; readonly blueprint: boolean }
  /** `id` is a service principal's oid or an application's object id. */
  | { readonly type: 'lifecycle'; readonly id: Oid; readonly change: 'created' | 'deleted' | 'restored' | 'disabled' | 'enabled' }
  /** The federated credentials of an application before and after a change; null where the record does not say. */
  | {
      readonly type: 'fics'
      readonly objectId: Oid | null
      readonly appId: AppId | null
      readonly before: readonly Fic[] | null
      readonly after: readonly Fic[] | null
    }
  /** One federated credential by itself, as an operator declares it: it holds always, or was added or removed at the event's time. */
  | {
      readonly type: 'fic-declared'
      readonly objectId: Oid | null
      readonly appId: AppId | null
      readonly fic: Fic
      readonly change: 'always' | 'added' | 'removed'
    }
  /** A sign-in through a federated credential: the credential was valid then. */
  | { readonly type: 'fic-used'; readonly oid: Oid; readonly appId: AppId | null; readonly ficId: string }
  /** A workload identity pool provider: which tenant its issuer is. `project` is an id or a number. */
  | { readonly type: 'gcp-provider'; readonly project: string; readonly pool: string; readonly provider: string; readonly issuer: string }
  /** One project under its two names. */
  | { readonly type: 'gcp-project'; readonly id: string; readonly number: string }

/** Normalising either gives an event or says why it cannot. */
export type Normalised = { readonly event: TrailEvent } | { readonly reject: string }

/**
 * A normaliser with the rule that ranks its record variants: of several texts of one event, the lowest rank wins, then the smaller hash. It sees records as their cloud
 * spells them: `correlate/formats/reading.ts` respells the others first.
 */
export interface FormatModule {
  readonly normalise: (record: { readonly value: import('./record.ts').JsonObject; readonly context: import('./record.ts').RecordContext }) => Normalised
  /** True when the parsed record is one of this format (envelope already removed). Must not overlap with other formats. */
  readonly recognise: (value: import('./record.ts').JsonObject) => boolean
  /** Rank of this variant (0 is best), from the record alone; one that had to be respelled ranks behind the cloud's own text. */
  readonly rank: (value: import('./record.ts').JsonObject, respelled?: boolean) => number
  /** Paths (`a.b.c`, `[]` for array items, `*` for any key) that the normaliser reads or knowingly leaves: the rest is reported as not understood. */
  readonly known: readonly string[]
}

/** The conclusion about one event (DESIGN §4.1–4.3). */
export interface Attribution {
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly agentOid: Oid | null
  readonly onBehalfOf: Oid | null
  readonly confidence: Confidence
  /** What it rests on, in order of the hops: `principal`, `application`, `federated-subject`, `credential`, `request-id`, `proximity`, `federated-credential`, `blueprint`, `bridge`, `asserted-name`. */
  readonly basis: readonly string[]
  /** All agents that could be meant, sorted; filled only where the confidence is `ambiguous`. */
  readonly candidates: readonly Oid[]
  /** Events it rests on, beside the event itself; sorted. */
  readonly evidence: readonly EventId[]
}
