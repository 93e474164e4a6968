/**
 * Where access logs write what. Every framework has its own words for the same things; these are tried in their order, so that the log of pino, nginx (JSON), Caddy,
 * Envoy, ASP.NET, a Python logger or a service mesh is read as it is. What they mean follows from the words alone; where that is not enough, the operator says it
 * (`apiLogs:` in the configuration), and the line stands under `logged`.
 */
import type { Json, JsonObject } from '#core/record.ts'
import { isObj, type Value } from '../read.ts'
import { timeText } from './time.ts'

const words = (list: string): readonly string[] => list.split(' ')

/** Word of this format → where it may stand, the best first. */
const PLACES = {
  time: words(
    'time timestamp @timestamp Timestamp ts @t eventTime event_time datetime asctime time_iso8601 ' +
      'time_local start_time startTime requestTime request_time_utc msec timeMillis instant',
  ),
  api: words('api service.name service serviceName service_name'),
  requestId: words('requestId request_id RequestId reqId req_id req.id request.id http.request.id x_request_id x-request-id xRequestId'),
  method: words('method req.method request.method request_method requestMethod httpMethod http_method http.method http.request.method Method'),
  path: words(
    'path url uri req.url req.path request.path request.uri request.url request_uri requestPath ' +
      'RequestPath request_path http.target url.path http.url url.original originalUrl Path',
  ),
  status: words(
    'status statusCode status_code res.statusCode res.status response.status response.statusCode ' +
      'response.status_code response_code responseStatus http.status_code http.response.status_code ' +
      'StatusCode httpStatus',
  ),
  sourceIp: words(
    'sourceIp clientIp client_ip clientIP remote_addr remoteAddress remoteAddr remote_ip remoteIp ' +
      'req.remoteAddress req.ip request.client_ip request.remote_ip client.ip client.address source.ip ' +
      'http.client_ip ip',
  ),
  userAgent: words('userAgent user_agent http_user_agent UserAgent req.headers.user-agent request.headers.User-Agent user_agent.original http.user_agent'),
} as const

/** Claims of the validated token: at the top, or together in one of these. What a caller sends (headers, bodies, queries) is none of them. */
const CLAIMS = ['tid', 'oid', 'appid', 'azp', 'aud', 'idtyp', 'scp', 'uti', 'xms_par_app_azp', 'roles'] as const
const HOLDERS = [
  'claims',
  'token',
  'token.claims',
  'jwt',
  'jwt.claims',
  'auth',
  'auth.claims',
  'principal',
  'principal.claims',
  'user',
  'user.claims',
  'identity',
  'req.user',
  'req.auth',
]
/** ASP.NET writes claims under the names of WS-Federation. */
const LONG_CLAIMS: Readonly<Record<string, string>> = {
  oid: 'http://schemas.microsoft.com/identity/claims/objectidentifier',
  tid: 'http://schemas.microsoft.com/identity/claims/tenantid',
  scp: 'http://schemas.microsoft.com/identity/claims/scope',
}

/** All these places, and those of claims. */
export const placed: readonly string[] = [
  ...Object.values(PLACES).flat(),
  'request',
  ...HOLDERS.flatMap((holder) => CLAIMS.map((claim) => `${holder}.${claim}`)),
]

/** The line in the words of this format, with what else it says. The same object where it is in these words already. */
export function ownWords(line: JsonObject): JsonObject {
  const logged = line['apiLog'] === undefined ? undefined : line['logged']
  const from = isObj(logged) ? logged : line
  const said: Record<string, Json> = {}
  const say = (word: string, value: Value): void => {
    if (value !== undefined && value !== null && value !== '' && line[word] !== value) said[word] = value
  }
  for (const word of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    // What the operator said, or the line in these words, comes first.
    if (!filled(line[word])) say(word, first(from, PLACES[word]))
  }
  for (const claim of CLAIMS) if (!filled(line[claim])) say(claim, claimIn(from, claim))
  const [method, path] = requestLine(from['request'])
  if (!filled(line['method']) && said['method'] === undefined) say('method', method)
  if (!filled(line['path']) && said['path'] === undefined) say('path', path)
  const time = said['time'] ?? line['time']
  say('time', timeText(time))
  return Object.keys(said).length === 0 ? line : { ...line, ...said }
}

const filled = (value: Value): boolean => value !== undefined && value !== null && value !== ''

/** Objects are none of these words, except for a time (`instant` of Log4j); of a list (headers in Go) the first counts. */
function first(line: JsonObject, places: readonly string[]): Value {
  for (const place of places) {
    const found = under(line, place)
    const value: Value = Array.isArray(found) ? (found as readonly Json[])[0] : found
    if (filled(value) && (!isObj(value) || place === 'instant')) return value
  }
  return undefined
}

/** The member at a path, also under one key with dots. */
function under(line: JsonObject, place: string): Value {
  if (Object.hasOwn(line, place)) return line[place]
  const dot = place.indexOf('.')
  const below = dot < 0 ? undefined : line[place.slice(0, dot)]
  return isObj(below) ? under(below, place.slice(dot + 1)) : undefined
}

function claimIn(line: JsonObject, claim: string): Value {
  for (const holder of ['', ...HOLDERS]) {
    const claims = holder === '' ? line : under(line, holder)
    if (!isObj(claims)) continue
    const long = LONG_CLAIMS[claim]
    const value = claims[claim] ?? (long === undefined ? undefined : claims[long])
    if (filled(value)) return value
  }
  return undefined
}

/** `GET /w HTTP/1.1`, as nginx and Apache write a request. */
function requestLine(value: Value): readonly [string?, string?] {
  const [, method, path] = typeof value === 'string' ? (/^([A-Z]{3,10}) (\S+)(?: HTTP\/[\d.]+)?$/.exec(value) ?? []) : []
  return method === undefined || path === undefined ? [] : [method, path]
}

/** Whether the line has one of a word's places filled. */
export function says(line: JsonObject, word: keyof typeof PLACES | 'claim'): boolean {
  if (word === 'claim') return ['oid', 'appid', 'azp'].some((claim) => filled(claimIn(line, claim)))
  return filled(first(line, PLACES[word]))
}
