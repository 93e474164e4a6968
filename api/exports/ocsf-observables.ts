/** The ids and addresses of an OCSF event that other events may share, as OCSF lists them: each points to its place in the event. */
type Fields = Readonly<Record<string, unknown>>

/** Values of OCSF's `observable.type_id`. */
const TYPES = {
  ip: { id: 2, name: 'IP Address' },
  user: { id: 31, name: 'User Object: uid' },
  userAgent: { id: 16, name: 'HTTP User-Agent' },
  other: { id: 99, name: 'Entra object id' },
} as const

/** Where in an event they stand. */
const PLACES: readonly (readonly [string, keyof typeof TYPES])[] = [
  ['src_endpoint.ip', 'ip'],
  ['user.uid', 'user'],
  ['actor.user.uid', 'user'],
  ['http_request.user_agent', 'userAgent'],
  ['unmapped.agentOid', 'other'],
  ['unmapped.onBehalfOf', 'other'],
  ['unmapped.targets', 'other'],
  ['unmapped.attribution.candidates', 'other'],
]

/** The observables of an event, in the order of `PLACES`. */
export function observablesOf(event: Fields): readonly Fields[] {
  return PLACES.flatMap(([name, kind]) => valuesAt(event, name).map((value) => ({ name, type_id: TYPES[kind].id, type: TYPES[kind].name, value })))
}

function valuesAt(event: Fields, path: string): readonly string[] {
  let value: unknown = event
  for (const key of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Fields)[key] : undefined
  return typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
