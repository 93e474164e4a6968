/**
 * What broken and hostile sources do to records: one id with two texts, ids and keys of somebody else, keys that issue each other in a
 * circle, many records at one instant, times that jump, tenants left out.
 */
import type { Random } from '../../simulate/random.ts'
import { setTime, timesIn } from './times.ts'

const GUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const EVERY_KEY = /A[SK]IA[A-Z0-9]{16}/g
const A_KEY = /A[SK]IA[A-Z0-9]{16}/
type Change = (text: string, random: Random, pool: Pool) => string

/** What the world's records hold: what one of them may be given in place of its own. */
interface Pool {
  readonly guids: readonly string[]
  /** Those of agents. */
  readonly agents: readonly string[]
  readonly keys: readonly string[]
  readonly times: readonly string[]
}

/**
 * The records with some of them changed; a changed one stands in place of the original or beside it.
 * @param contradict also give Entra records ids of somebody else: one principal with two applications and the like
 */
export function tamper(texts: readonly string[], random: Random, contradict: boolean): readonly string[] {
  // Ids that many records name are principals, applications and tenants; those that one record names are its own.
  const pool: Pool = {
    guids: repeated(texts, GUIDS),
    agents: texts.flatMap((text) => (text.includes('agenticAppInstance') ? (/"servicePrincipalId":\s?"([^"]+)"/i.exec(text)?.[1] ?? []) : [])),
    keys: repeated(texts, EVERY_KEY),
    times: texts.flatMap((text) => timesIn(text).slice(0, 1)),
  }
  const changes = [exchangeId(contradict), ...CHANGES].filter(() => random.chance(0.5))
  const share = random.pick([0.05, 0.15, 0.4])
  // Few records hold keys, and much hangs on each.
  const keyShare = random.pick([share, 0.6])
  const changed = (text: string): string => {
    const others = changes.map((change) => change(text, random, pool)).filter((other) => other !== text)
    return others.length === 0 ? text : random.pick(others)
  }
  // Few records can be changed in these ways, so chance alone would seldom meet one.
  const rare = RARE.filter(() => random.chance(0.3)).flatMap((change) => {
    const others = texts.map((text) => change(text, random, pool)).filter((other, index) => other !== texts[index])
    return others.length === 0 ? [] : [random.pick(others)]
  })
  const common = texts.flatMap((text) => {
    if (!random.chance(A_KEY.test(text) ? keyShare : share)) return [text]
    const once = changed(text)
    const other = random.chance(0.3) ? changed(once) : once
    return random.chance(0.5) ? [text, other] : [other]
  })
  return [...common, ...rare, ...texts.flatMap((text) => (random.chance(0.05) ? [continued(text)] : [])).filter((text) => !texts.includes(text))]
}

/** What else may tell of the same request: the copy of a VPC endpoint's owner, and the end of a long-running operation. */
function continued(text: string): string {
  return text
    .replace(/"eventCategory":\s?"[^"]*"(.*)"eventID":\s?"[^"]{8}|"eventID":\s?"[^"]{8}(.*)"eventCategory":\s?"[^"]*"/s, (whole) =>
      whole.replace(/"eventCategory":\s?"[^"]*"/, '"eventCategory":"NetworkActivity"').replace(/"eventID":\s?"[^"]{8}/, '"eventID":"0c0b1e55'),
    )
    .replace(/"insertId":\s?"/, '"operation":{"id":"operation-1","producer":"test","last":true},"insertId":"end-')
}

/** Another principal, application or tenant in place of one of the record's own. */
function exchangeId(contradict: boolean): Change {
  return (text, random, { guids }) => {
    const own = (text.match(GUIDS) ?? []).filter((guid) => guids.includes(guid))
    const isEntra = /"(resourceId":\s?"\/tenants|TimeGenerated"|createdDateTime")/.test(text)
    return own.length === 0 || (isEntra && !contradict) ? text : text.replaceAll(random.pick(own), random.pick(guids))
  }
}

const RARE: readonly Change[] = [
  // A key that issues itself.
  (text) => {
    const [first, second] = [...new Set(text.match(EVERY_KEY))]
    return first && second ? text.replaceAll(second, first) : text
  },
  // Somebody's id in a name that the caller chose.
  (text, random, { guids, agents }) => {
    const some = agents.length > 0 && random.chance(0.5) ? agents : guids
    const name = some.length === 0 ? 'nobody' : random.pick(some)
    return text.replaceAll(/(assumed-role\/[^/"]+\/)[^"]+"/g, `$1${name}"`).replaceAll(/"roleSessionName":\s?"[^"]*"/g, `"roleSessionName":"${name}"`)
  },
]

const CHANGES: readonly Change[] = [
  ...RARE,
  // Another key: reused, stolen, or issuing what issued it.
  (text, random, { keys }) => {
    const own = [...new Set(text.match(EVERY_KEY))]
    return own.length === 0 || keys.length === 0 ? text : text.replaceAll(random.pick(own), random.pick(keys))
  },
  // The key that it used and the key that it issued change places.
  (text) => {
    const [first, second] = [...new Set(text.match(EVERY_KEY))]
    return first && second ? text.replaceAll(EVERY_KEY, (key) => (key === first ? second : key === second ? first : key)) : text
  },
  // The instant of another record.
  (text, random, { times }) => (times.length === 0 ? text : setTime(text, random.pick(times))),
  // The same record a little or much later.
  (text, random) => setTime(text, (time) => new Date(Date.parse(time) + random.pick([0, 1, 2_000, 1_800_000, 1_860_000, 3_900_000, 32_400_000])).toISOString()),
  // A success that failed, or the other way round.
  (text) =>
    text.includes('"errorCode":')
      ? text.replace(/"errorCode":\s?"[^"]*",?/, '')
      : text.replace(/^\{"eventVersion"/, '{"errorCode":"AccessDenied","eventVersion"'),
  // The tenant is not said.
  (text) => text.replaceAll(/"(tenantId|AADTenantId|TenantId|homeTenantId|resourceTenantId|tid)":\s?"[^"]*",?/g, '').replaceAll(/,\s*\}/g, '}'),
  // Nothing that anybody looks at, but another text.
  (text, random) => text.replace(/^\{/, `{"law":${random.int(0, 1_000_000)},`),
]

/** What stands in two records or more. */
function repeated(texts: readonly string[], pattern: RegExp): readonly string[] {
  const counts = new Map<string, number>()
  for (const text of texts) for (const found of new Set(text.match(pattern))) counts.set(found, (counts.get(found) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([found]) => found)
}
