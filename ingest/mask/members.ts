/** What the key of a member says, and what may be kept of a member's text. */
import { kindOfKey, wordsOf } from '#core/secrets/keys.ts'
import type { SecretKey } from '#core/secrets/keys.ts'
import { maskLooks, mayLookSecret } from '#core/secrets/looks.ts'
import { isHarmless } from '#core/secrets/masked.ts'
import { isIdentifier, isToken, looksRandom, namesSecret } from '#core/secrets/shapes.ts'
import { BODIES, CONTENT, IDENTIFYING, WORDS, WORD_MEMBERS, WRAPS } from './services.ts'

/** What is known of a key; keys repeat from record to record, so it is found once. */
export interface Member {
  readonly secret: SecretKey
  /** The key itself holds a credential (a token used as a key of a map). */
  readonly looks: boolean
  /** A model's request or answer, in whatever record. */
  readonly body: boolean
  /** Content, where content is: below it only numbers are kept. */
  readonly content: boolean
  /** May hold a whole record. */
  readonly wraps: boolean
  /** Its last word identifies. */
  readonly identifies: boolean
  /** A word of a closed list, kept in content. */
  readonly word: boolean
  /** The key is a name that a program gave, not a text that somebody wrote. */
  readonly named: boolean
  /** In lower case without `-`, `_` and `@`. */
  readonly plain: string
  /** `name` of a pair `{name, value}`. */
  readonly names: boolean
  /** `value` of such a pair. */
  readonly values: boolean
  /** `Property1Name`, `Property1NewValue`: a pair in columns of a table; what both begin with. */
  readonly numbered: string | null
  /** The members of a key with full stops, as CloudWatch Logs Insights and flattening tools write it. */
  readonly path: readonly Member[] | null
  /** Numbers that a text can be got back from. */
  readonly embeds: boolean
  /** A message about what failed, which may quote what was asked. */
  readonly fails: boolean
  /** An address, whose query may hold what was asked. */
  readonly address: boolean
  /** A statement of SQL, which may call a model. */
  readonly sql: boolean
  /** A text that somebody wrote, in the place of a key. */
  readonly sentence: boolean
}

const members = new Map<string, Member>()

/** What a key says. */
export function memberOf(key: string): Member {
  let member = members.get(key)
  if (member === undefined) {
    member = read(key)
    if (members.size < 20_000 && key.length < 200) members.set(key, member)
  }
  return member
}

const NAMES: ReadonlySet<string> = new Set(
  'name key field displayname parametername parameterkey headername variable option k attribute property setting'.split(' '),
)
const VALUES: ReadonlySet<string> = new Set(
  'value values newvalue oldvalue stringvalue textvalue parametervalue defaultvalue v content val plaintext valuefrom'.split(' '),
)

function read(key: string): Member {
  const plain = key.length > 200 ? '' : key.replace(/[-_@.\s]/g, '').toLowerCase()
  const words = wordsOf(key)
  const last = words.at(-1) ?? ''
  const about = IDENTIFYING.has(last) && !CONTENT.has(plain)
  const prompt =
    !about &&
    !/^(?:count|counts|tokens|token|details|name|names)$/.test(last) &&
    words.some((word) => word === 'prompt' || word === 'prompts' || word === 'completion')
  const path = key.length <= 200 && /^[\w@-]+(?:\.[\w@-]+)+$/.test(key) ? key.split('.').map(memberOf) : null
  return {
    secret: kindOfKey(key),
    looks: mayLookSecret(key) && maskLooks(key) !== key,
    body:
      BODIES.has(plain) ||
      prompt ||
      (path?.some((one) => one.body) ?? false) ||
      /^gen_?ai\.(?:prompt|completion|content|input|output|tool|system_instructions|choice)/i.test(key),
    content: CONTENT.has(plain) || prompt,
    wraps: WRAPS.has(plain),
    identifies: about,
    word: WORD_MEMBERS.has(plain),
    named: /^[\w@$:/.-]{1,80}$/.test(key),
    plain,
    names: NAMES.has(plain),
    values: VALUES.has(plain),
    numbered: /^(.{1,80}\d)(?:Name|Key|DisplayName|NewValue|OldValue|Value)$/.exec(key)?.[1] ?? null,
    path,
    embeds: /^(?:embeddings?|vectors?|embeddingsbytype|featurevectors?|denseembedding|sparseembedding)$/.test(plain),
    fails: /^(?:errormessage|error|exception|stack|stacktrace|failurereason)$/.test(plain),
    address: /(?:path|ur[il]|request|requestline|query|referr?er|target|href)$/.test(plain),
    sql: /^(?:query|statement|querystring|sql)$/.test(plain),
    sentence: !/^\S*(?:\s+\S+){0,3}$/.test(key.slice(0, 300)),
  }
}

/** True when a text under a secret's key is masked. */
export function isSecret(kind: SecretKey, value: string): boolean {
  if (kind === null || isHarmless(value)) return false
  return kind === 'looks' ? looksRandom(value) : !namesSecret(value)
}

/** True when a text of a body or of an unknown record may stay: an identifier, or a single word under a member of the list. */
export function mayStay(member: Member, value: string, allowed: ReadonlySet<string>): boolean {
  if ((allowed.has(member.plain) || member.identifies) && !member.content && isToken(value)) return true
  return value.length < 1 || isHarmless(value) || isIdentifier(value) || isCount(member, value) || (KIND.test(member.plain) && TITLE.test(value))
}

/** `inputTokenCount: "571"`: the cells of a table are texts. Nobody's words are a number of so few digits under a name of a count. */
const isCount = (member: Member, value: string): boolean => COUNT.test(member.plain) && /^\d{1,9}$/.test(value)
const COUNT = /(?:tokens|tokencounts?|latency(?:ms)?)$/

/** `detail-type: "AWS API Call via CloudTrail"`. */
const KIND = /(?:type|kind|category)$/
const TITLE = /^[A-Z][A-Za-z]{1,20}(?: [A-Za-z]{1,20}){1,4}$/

/** True when a text inside of content may stay: a word of a closed list. */
export function isWord(member: Member, value: string): boolean {
  if (value.length < 1 || isHarmless(value) || isCount(member, value)) return true
  // Of OpenID Connect, and no model's.
  if (member.plain === 'prompt' && /^(?:login|consent|select_account|admin_consent|create)$/.test(value)) return true
  if (!member.word) return false
  return WORDS.has(value) || (member.plain.includes('reason') || member.plain.includes('action') ? /^[A-Za-z_]{1,40}$/.test(value) : false)
}
