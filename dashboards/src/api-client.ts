import type { Agent, EventDetail, OidAnswer, Page, Resolution, TimelineItem } from './api-types.ts'
import type { Filters } from './address.ts'
import { missingRole } from './sign-in/role-words.ts'
import { accepted, account, currentToken, isReplaced } from './sign-in/session.ts'

/** Most events that the page holds at once: beyond it says so and asks for a narrower period. */
export const MOST_EVENTS = 5000
const PAGE = 1000

/** An answer other than 2xx, with the server's own explanation. `status` 0 means that no answer came. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function get(path: string, signal: AbortSignal | undefined, accept = 'application/json', more: Readonly<Record<string, string>> = {}): Promise<Response> {
  let token = await currentToken()
  let response = await ask(path, token, signal, accept, more)
  // The token ended before its time (another clock, a withdrawn key): once more with a new one, if there is one.
  if (response.status === 401 && token !== null && (await isReplaced(token))) {
    token = await currentToken()
    response = await ask(path, token, signal, accept, more)
  }
  if (token !== null && (response.ok || response.status === 403 || response.status === 404)) accepted(token)
  if (response.ok) return response
  const problem: unknown = await response.json().catch(() => null)
  throw new ApiError(response.status, problemText(problem) ?? `The server answered ${response.status}.`)
}

async function ask(
  path: string,
  token: string | null,
  signal: AbortSignal | undefined,
  accept: string,
  more: Readonly<Record<string, string>>,
): Promise<Response> {
  try {
    return await fetch(path, {
      headers: { ...more, accept, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      cache: 'no-store',
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The server does not answer. Is `trailjoin up` still running?')
  }
}

function problemText(problem: unknown): string | null {
  if (typeof problem !== 'object' || problem === null) return null
  const { title, detail, roles } = problem as { title?: unknown; detail?: unknown; roles?: unknown }
  const who = account()
  if (who && Array.isArray(roles)) return missingRole(who.name, roles.map(String))
  if (typeof detail === 'string') return detail
  return typeof title === 'string' ? title : null
}

/** Agents, page by page, at most MOST_EVENTS; `more` tells that others were left out. */
export async function fetchAgents(signal?: AbortSignal): Promise<{ readonly agents: readonly Agent[]; readonly more: boolean }> {
  const agents: Agent[] = []
  let cursor: string | null = null
  do {
    const query: string = `?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`
    const page = (await (await get(`/v1/agents${query}`, signal)).json()) as Page<Agent>
    agents.push(...page.items)
    cursor = page.next ?? null
  } while (cursor && agents.length < MOST_EVENTS)
  return { agents, more: cursor !== null }
}

/** What an oid is, one entry a tenant. */
export async function fetchOid(oid: string, signal?: AbortSignal): Promise<OidAnswer> {
  return (await (await get(`/v1/oids/${encodeURIComponent(oid)}`, signal)).json()) as OidAnswer
}

/** What any identifier is and where it occurs. */
export async function fetchResolution(text: string, signal?: AbortSignal): Promise<Resolution> {
  return (await (await get(`/v1/resolve?q=${encodeURIComponent(text)}`, signal)).json()) as Resolution
}

/**
 * The newest events of an oid's timeline, at most MOST_EVENTS, newest first. `onPage` gets what has come so far after every
 * page, so that the first thousand are on the screen while the rest loads. `more` tells that older events were left out.
 */
export async function fetchTimeline(
  oid: string,
  filters: Filters,
  onPage: (items: readonly TimelineItem[], more: boolean) => void,
  signal: AbortSignal,
): Promise<{ readonly items: readonly TimelineItem[]; readonly more: boolean }> {
  const items: TimelineItem[] = []
  let cursor: string | null = null
  do {
    const query = filterQuery(filters)
    query.set('limit', String(PAGE))
    if (cursor) query.set('cursor', cursor)
    const page = (await (await get(`/v1/oids/${encodeURIComponent(oid)}/timeline?${query.toString()}`, signal)).json()) as Page<TimelineItem>
    items.push(...page.items)
    cursor = page.next ?? null
    onPage(items, cursor !== null)
  } while (cursor && items.length < MOST_EVENTS)
  return { items, more: cursor !== null }
}

function filterQuery(filters: Filters): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of ['source', 'kind', 'outcome', 'confidence'] as const) if (filters[name].length > 0) query.set(name, filters[name].join(','))
  for (const name of ['text', 'from', 'to', 'tenant'] as const) if (filters[name]) query.set(name, filters[name])
  return query
}

/** Opens the live stream of an oid, after the message with that id. `EventSource` cannot send a token. */
export async function openStream(oid: string, filters: Filters, lastId: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const query = filterQuery(filters).toString()
  const path = `/v1/oids/${encodeURIComponent(oid)}/stream${query ? `?${query}` : ''}`
  const response = await get(path, signal, 'text/event-stream', lastId ? { 'last-event-id': lastId } : {})
  if (!response.body) throw new ApiError(0, 'The server sent no stream.')
  return response.body
}

/** One event with where its record came from. */
export async function fetchEvent(id: string, signal?: AbortSignal): Promise<EventDetail> {
  return (await (await get(`/v1/events/${encodeURIComponent(id)}`, signal)).json()) as EventDetail
}

/** The stored text of an event's record, byte for byte; `sha256` picks one of several texts. */
export async function fetchRaw(id: string, sha256: string | null, signal?: AbortSignal): Promise<string> {
  const query = sha256 ? `?sha256=${encodeURIComponent(sha256)}` : ''
  return (await get(`/v1/events/${encodeURIComponent(id)}/raw${query}`, signal)).text()
}
