/** What an identifier that a responder has in hand could be, by its form alone. One text can be several things: all are looked up, none is guessed. */
import { canonicalIp } from '#core/ip.ts'
import { awsCredential, guidsIn, isGuid } from '#core/keys.ts'

/** Where an event can bear it. */
export const FIELDS = ['id', 'nativeId', 'requestId', 'tokenId', 'credential', 'principal', 'resource', 'sourceIp', 'record'] as const
export type Field = (typeof FIELDS)[number]

/** Values that a field of an event is compared with; with `prefix`, what it must begin with. */
export interface Lookup {
  readonly field: Field
  readonly values: readonly string[]
  readonly prefix?: boolean
}

export interface Identified {
  /** What it looks like, for people; several where one form serves for several things. */
  readonly looksLike: readonly string[]
  /** Why it cannot be looked up; null where it can. */
  readonly refused: string | null
  readonly lookups: readonly Lookup[]
  /** GUIDs in it that may name a principal, an application or a tenant. */
  readonly guids: readonly string[]
  /** To be compared with resource ids of managed identities, lower case. */
  readonly armId: string | null
  /** To be compared with names of principals. */
  readonly name: string | null
  /** What to look for inside records, where the columns that have an index are not where such a thing mainly stands; null where they are. */
  readonly inRecords: string | null
}

const found = (looksLike: string, lookups: readonly Lookup[], more: Partial<Identified> = {}): Identified => ({
  looksLike: [looksLike],
  refused: null,
  lookups,
  guids: [],
  armId: null,
  name: null,
  inRecords: null,
  ...more,
})
const exactly = (field: Field, ...values: readonly string[]): Lookup => ({ field, values: [...new Set(values)] })

/** A relative resource name, by itself or behind the service: records write the one, inventories and policies the other (https://cloud.google.com/apis/design/resource_names). */
const GOOGLE_NAME = /^(?:(?:https:)?\/\/[\w.-]*googleapis\.com\/(?:compute\/\w+\/)?)?((?:projects|folders|organizations|billingAccounts)\/.+)$/

/** Reads the text; it is trimmed and not empty. */
export function identify(text: string): Identified {
  const lower = text.toLowerCase()
  if (/\*{3}|^x{4,}$|\bredacted\b|…/i.test(text)) return masked('It is masked: what stood there was taken out before it was logged or stored')
  // Annotated, so that the check does not make the text a `never` below.
  const guid: boolean = isGuid(text)
  if (guid)
    return {
      ...found('oid, appId, tenant, event, record, request, trace, session or finding id', [
        exactly('id', lower),
        // Clouds write them in either case.
        exactly('nativeId', lower, text, text.toUpperCase()),
        exactly('requestId', lower, text, text.toUpperCase()),
      ]),
      guids: [lower],
    }
  if (/^A[SK]IA/i.test(text) && text.length <= 24) return accessKey(text.toUpperCase())
  if (/^arn:aws[\w-]*:/i.test(text)) return arn(text)
  if (/^\/?subscriptions\//i.test(text)) return found('Azure resource id', [exactly('resource', text)], { armId: `/${lower.replace(/^\/+/, '')}` })
  // Google's policies write what kind of member it is before the name.
  const member = /^(?:user|serviceAccount|group|domain):(.+@?.+)$/.exec(text)?.[1]
  if (member !== undefined) return identify(member)
  if (/^principal(?:Set)?:\/\//.test(text))
    return found('Google Cloud federated principal', [exactly('principal', text), exactly('resource', text)], { guids: guidsIn(text) })
  if (/^[\w-]+@[\w.-]+\.gserviceaccount\.com$/i.test(text)) return found('Google Cloud service account', account(lower))
  if (/^\d{21}$/.test(text)) return found('unique id of a Google Cloud service account', account(text))
  const accountPath = /(?:^|\/)serviceAccounts\/([^/]+)$/.exec(text)?.[1]
  if (accountPath !== undefined) return found('Google Cloud service account', account(accountPath))
  const ip = canonicalIp(text)
  if (ip !== null) return found('IP address', [exactly('sourceIp', ip, text, lower)])
  if (/^\d{12}$/.test(text)) return found('AWS account or Google Cloud project number', [], { inRecords: text })
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text))
    return found('e-mail address or user principal name', [exactly('principal', text, lower)], { name: lower, inRecords: text })
  const resource = GOOGLE_NAME.exec(text)?.[1]
  if (resource !== undefined)
    return found('Google Cloud resource name', [exactly('resource', text, resource), exactly('principal', text)], { guids: guidsIn(text), inRecords: resource })
  return found(
    'record id, request id, token id, principal, name, or a part of a record',
    [exactly('nativeId', text), exactly('requestId', text), exactly('tokenId', text), exactly('principal', text), exactly('resource', text)],
    {
      guids: guidsIn(text),
      name: lower,
      inRecords: text,
    },
  )
}

const masked = (why: string): Identified => ({
  ...found('masked value', []),
  refused: `${why}. Such a value stands on the records of many strangers and is never looked up.`,
})

function accessKey(text: string): Identified {
  const credential = awsCredential(text)
  if (credential === null) return masked('It is no real access key id, but a masked one or a placeholder')
  return found(text.startsWith('ASIA') ? 'temporary AWS access key' : 'long-lived AWS access key', [exactly('credential', credential)])
}

/** A role's own ARN stands on the records that assume or change it; those that act as it bear the ARN of a session, `…:assumed-role/<name>/<session>`, without the role's path. */
function arn(text: string): Identified {
  // The part before the resource is always in lower case; the resource is as it was named.
  const role = /^arn:(aws[\w-]*):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/i.exec(text)
  if (role) {
    const sessions: Lookup = { field: 'principal', values: [`arn:${role[1]!.toLowerCase()}:sts::${role[2]}:assumed-role/${role[3]}/`], prefix: true }
    return found('AWS role', [exactly('resource', text), exactly('principal', text), sessions])
  }
  const session = /^arn:aws[\w-]*:sts::\d{12}:assumed-role\//i.test(text)
  const lookups = [exactly('principal', text), exactly('resource', text)]
  return found(session ? 'AWS role session' : 'AWS resource name', lookups, { guids: guidsIn(text), inRecords: session ? null : text })
}

const account = (name: string): Lookup[] => [exactly('principal', name), exactly('resource', name, `projects/-/serviceAccounts/${name}`)]
