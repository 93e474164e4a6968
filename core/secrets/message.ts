import { maskLooks } from './looks.ts'
import { MASKED, maskedContent } from './masked.ts'

/** V8 quotes what stands around the fault: `Unexpected token 'P', ..."text":"PROM"... is not valid JSON`. */
const QUOTED_JSON = /, (?:\.\.\.)?"[^]{0,400}?"(?:\.\.\.)? is not valid JSON/g
/** PostgreSQL and SDKs quote the value that they refuse. */
const QUOTED_VALUE = /"[^"]{32,4000}"|'[^'\n]{32,4000}'|`[^`]{32,4000}`/g
/** PostgreSQL's DETAIL: `Key (name)=(value) already exists.`, `Failing row contains (…)`. */
const DETAIL = /(Key \([^)]{0,200}\)=|Failing row contains )\([^\n]{0,4000}\)/g

/** A message of an error as it may be logged, stored or printed: what it quotes of records is taken out. */
export function maskMessage(text: string): string {
  return maskLooks(
    text
      .slice(0, 64 * 1024)
      .replace(QUOTED_JSON, ' that is not valid JSON')
      .replace(DETAIL, (_, what: string) => `${what}(${MASKED})`)
      .replace(QUOTED_VALUE, (quoted) => (/\s/.test(quoted) ? `${quoted[0]}${maskedContent(quoted.slice(1, -1))}${quoted[0]}` : quoted)),
  )
}
