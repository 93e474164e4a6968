/** What a record quotes of a request outside of its bodies: in messages of errors, in the query of an address, in a statement of SQL. */
import { unescaped } from '#core/secrets/escapes.ts'
import { isHarmless, isMasked, maskedContent } from '#core/secrets/masked.ts'
import { isIdentifier } from '#core/secrets/shapes.ts'

/** A sentence between quotes; an apostrophe is no quote. */
const SENTENCE = /(?<![A-Za-z\d])(["'`])((?:(?!\1)[^\n]|'(?=[A-Za-z])){12,4000})\1(?![A-Za-z\d])/g

/** The words that errors of models are made of. Others belong to what was asked. */
const VOCABULARY: ReadonlySet<string> = new Set(
  (
    'a about above accept accepted access accessible account accounts action actions active actively additional administrator after again agent alias all allow allowed allows already an and another any api apply are argument ' +
    'arguments array as assume assumed at attempt attempted attempting authentication authorization authorized availability available aws base based be because been before being below between blocked body boundary both budget ' +
    'but by call cannot capacity case cause caused character characters chat check choose client code combination compatible completed concurrent condition configuration configure configured conflict contact contain contained containing ' +
    'contains content context continue control converse correct could count create created credential credentials current currently customer data date days deadline deleted denied deny deployed deployment details detected did different disabled ' +
    'do documentation documents does doing don due during each either empty enable enabled encountered end endpoint endpoints enough ensure entity error errors exactly exceed exceeded exceeds exception exist existing exists expect expected expired explicit ' +
    'expression fail failed failure false field fields fill filter following for form format forbidden formatted found foundation from function generate generation get google greater group guardrail guardrails has have header headers http id identifier ' +
    'identity if image images implicit in inactive included including incorrect inference information input inputs instead integer intended internal into invalid invocation invoke invoked invoking is isn it item items its json just key keys ' +
    'knowledge large last later least legacy length less like limit limited limits list load location log long longer malformed many marked match matches matching max maximum may member message messages method min minimum minute minutes missing mode model ' +
    'models more most multiple must name need needs new no non none not null number object of off on once one online only operation operations or order organization original other our out output over parameter parameters parse part parts pattern pending per ' +
    'perform permission permissions permitted please policy possible prediction preview previous probably problem processed processing profile profiles project prompt property provide provided provider provisioned publisher quota quotas ran range rate reached ' +
    'read reading reason received refer reference reformat region regions reject rejected remove request requested requests require required requires reserved resolve resource resource-based resources response result results retry return returned returns role roles root ' +
    'safety same satisfy schema second seconds security see send sending server service service-linked services session sessions set should signature size skip small some source specified specify start started state status stop stream streaming string structure submit submitted subscription ' +
    'such support supported supports system tag tags temporarily text than that the their then there these they this those throttled throttling throughput time timed timeout times to token tokens too tool tools total try trying turn type types unable unauthorized unavailable ' +
    'under unexpected unknown unsupported until up update upper us usage use used user using valid validate validation value values vertex version versions via view violated wait was way we were what when where which while will with within without would wrong you your yet ' +
    'aborted anthropic amazon assistant bedrock bearer billing cache cached conversation cross-account cost credits demand on-demand exhausted gemini generative human identity-based increase individual life llama meta mistral optional payment protected purchase retired shorter single ' +
    'agreement marketplace global deprecated latest candidate candidates finish'
  ).split(' '),
)

/** A message of an error with what it quotes taken out. `strict`: of a service of models, where what was asked may stand without quotes. */
export function maskError(text: string, strict: boolean): string {
  const quoted = text.replace(SENTENCE, (all, quote: string, inner: string) =>
    /\S\s+\S+\s+\S/.test(inner) && !inner.startsWith('arn:') && !isMasked(inner) ? `${quote}${maskedContent(inner)}${quote}` : all,
  )
  return strict ? outsiders(quoted) : quoted
}

/** Runs of words that are none of an error's, with a few known ones between them; a single unknown word may be a name. */
function outsiders(text: string): string {
  if (isMasked(text)) return text
  const pieces = text.split(/(\s+)/)
  const result: string[] = []
  for (let at = 0; at < pieces.length; at++) {
    if (at % 2 === 1 || isKnown(pieces[at]!)) {
      result.push(pieces[at]!)
      continue
    }
    let end = at
    for (let next = at + 2, gap = 0; next < pieces.length && gap < 3 && !pieces[next]!.includes('***masked'); next += 2) {
      if (isKnown(pieces[next]!)) gap++
      else {
        end = next
        gap = 0
      }
    }
    result.push(end === at ? pieces[at]! : maskedContent(pieces.slice(at, end + 1).join('')))
    at = end
  }
  return result.join('')
}

/** A word of the list, a number, an identifier, or what a program names: `messages.0.content`, `bedrock:InvokeModel`, `(code:`. */
function isKnown(word: string): boolean {
  if (word.includes('***masked')) return true
  const bare = word.replace(/^[^\p{L}\d#/]+|[^\p{L}\d/]+$/gu, '')
  if (bare === '' || VOCABULARY.has(bare.toLowerCase().replace(/[’']\w{1,2}$/, ''))) return true
  return /[_:/.#=@{}[\]]/.test(bare) || /^[A-Z]{2,12}$|^[\d,-]+$/.test(bare) || isIdentifier(bare)
}

/** Parameters that hold what was asked, in whatever record. */
const ASKED = /^(?:\w{0,20}prompt|question|utterance|inputtext|querytext|usermessage)$/i
/** The same in the log of an own API, where nothing else is searched. */
const ASKED_API =
  /^(?:q|query|s|search|searchterm|term|message|msg|messages|input|text|content|body|ask|instructions?|system|chat|topic|description|comment|note)$/i

const MAY_ASK = /prompt|question|utterance|inputtext|querytext|usermessage|%(?:25)*[4-7]/i

/** The query of an address without what was asked. `api`: of the log of an own API. */
export function maskQuery(written: string, api: boolean): string {
  // Most addresses ask nothing.
  if (!api && !MAY_ASK.test(written)) return written
  let text = written
  // `%3Fq%3D…`: only a text whose escapes hid something is kept without them.
  if (/%3[df]/i.test(text)) {
    const plain = unescaped(text)
    const masked = plain === text ? text : maskQuery(plain, api)
    if (masked !== plain) return masked
  }
  if (api) text = text.replace(/(?<=\/)[^/?#&=]{12,8000}/g, (segment) => (segment.split(/\+|%20/i).length > 3 ? maskedContent(segment) : segment))
  return text.replace(/([?&;#])([\w.$[\]-]{1,64})=([^&#\s]{1,8000})/g, (all, sign: string, name: string, value: string) => {
    if (!ASKED.test(name) && !(api && (ASKED_API.test(name) || value.split(/\+|%20|%0A/i).length > 3))) return all
    return isHarmless(value) || isIdentifier(value) || /^\d{1,9}$/.test(value) ? all : `${sign}${name}=${maskedContent(value)}`
  })
}

/** A statement that calls a model: `AI.GENERATE` and `ML.GENERATE_TEXT` of BigQuery, `ai_query` of Databricks, `CORTEX.COMPLETE` of Snowflake. */
export function maskSql(text: string): string {
  if (!/\w{0,20}prompt\w{0,20}\s*[:=]|\b(?:AI|ML|CORTEX)\.\w|\bai_(?:query|gen|generate|complete)\b/i.test(text)) return text
  return text.replace(/('{3}|"{3}|'|")((?:(?!\1)[^])*)\1/g, (all, quote: string, inner: string) =>
    inner.length < 8 || !/\s/.test(inner) ? all : `${quote}${maskedContent(inner)}${quote}`,
  )
}
