/**
 * Several tenants that share more than they should: cloud accounts, trust across tenants, ids of one in records of the other, records of no tenant.
 * A function of its seed.
 */
import type { RawRecord } from '#core/record.ts'
import { createRandom, type Random } from '../../simulate/random.ts'
import { simulateWorld } from '../../simulate/simulate.ts'
import { history } from '../law/history.ts'
import { tamper } from '../law/tamper.ts'
import { rawRecord } from '../law/worlds.ts'

const EVENTS_A_TENANT = 70

/** The records of a world of two or three tenants. */
export function tenancyWorld(seed: number): readonly RawRecord[] {
  const random = createRandom(seed, 'tenancy')
  const worlds = Array.from({ length: random.int(2, 3) }, (_, index) => textsOf(seed * 10 + index, random))
  const texts = acrossTenants(inOneAccount(worlds.flat()), random)
  // Ids of one tenant in the records of another, also in names that callers choose; tenants left out.
  return tamper([...texts, ...history(texts, random)], random, random.chance(0.5)).map(rawRecord)
}

function textsOf(seed: number, random: Random): readonly string[] {
  const options = {
    seed,
    agents: random.pick([2, 4, 6]),
    days: random.pick([0.1, 0.15, 0.5]),
    turnsPerDay: random.pick([100, 400]),
    noisePerDay: 20,
    duplicates: 0.1,
    late: 0.1,
  }
  return [...simulateWorld({ ...options, events: EVENTS_A_TENANT })].map(({ text }) => text)
}

/** As if all tenants' agents worked in the first one's AWS account. */
function inOneAccount(texts: readonly string[]): readonly string[] {
  const accounts = [...new Set(texts.flatMap((text) => [...text.matchAll(/"recipientAccountId":\s?"(\d{12})"/g)].map((match) => match[1]!)))]
  const [first] = accounts
  return first === undefined ? texts : texts.map((text) => accounts.reduce((changed, account) => changed.replaceAll(account, first), text))
}

const FIC = /login\.microsoftonline\.com\/([0-9a-f-]{36})(\/v2\.0\\*",\\*"Subject\\*":\\*")([0-9a-f-]{36})/g

/** Some Blueprints trust another tenant's managed identity instead of their own. */
function acrossTenants(texts: readonly string[], random: Random): readonly string[] {
  const trusted = texts.flatMap((text) => [...text.matchAll(FIC)].map((match) => ({ tenant: match[1]!, subject: match[3]! })))
  return texts.map((text) =>
    random.chance(0.6)
      ? text
      : text.replaceAll(FIC, (whole: string, tenant: string, between: string) => {
          const others = trusted.filter((one) => one.tenant !== tenant)
          if (others.length === 0) return whole
          const other = random.pick(others)
          return `login.microsoftonline.com/${other.tenant}${between}${other.subject}`
        }),
  )
}
