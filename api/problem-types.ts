/** The kinds of problem that the API answers with: `type` of each is `/problems/<name>`, which this server explains itself. The names are stable, the words are not. */

interface ProblemType {
  readonly status: number
  readonly title: string
  readonly explanation: string
}

export const PROBLEM_TYPES = {
  'invalid-parameter': {
    status: 400,
    title: 'Invalid parameter',
    explanation: '`errors` names every parameter (or part of the body) that is wrong, and what would be right.',
  },
  'bad-request': { status: 400, title: 'Bad request', explanation: 'The request could not be read: its path, its encoding, its body.' },
  unauthenticated: {
    status: 401,
    title: 'Unauthorized',
    explanation: 'No token was sent, or one that is not good (any more): `detail` says which. Send "Authorization: Bearer <token>".',
  },
  forbidden: { status: 403, title: 'Forbidden', explanation: 'The token is good, but its roles do not include what this route asks for.' },
  'not-found': {
    status: 404,
    title: 'Not found',
    explanation: 'There is no such thing, or none in the tenants that the caller may see: the two are never told apart.',
  },
  'method-not-allowed': { status: 405, title: 'Method not allowed', explanation: 'The header Allow lists the methods of this path.' },
  'not-acceptable': { status: 406, title: 'Not acceptable', explanation: 'The answer is not offered in any of the media types that the request accepts.' },
  'too-slow': { status: 408, title: 'Request timeout', explanation: 'The body did not arrive in time: send it faster, or in smaller parts.' },
  conflict: { status: 409, title: 'Conflict', explanation: 'What was asked for does not fit what is there now: `detail` says why.' },
  'too-large': { status: 413, title: 'Content too large', explanation: 'The body is longer than this route takes: send it in parts.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    explanation: 'The body is of a media type or encoding that this route does not take.',
  },
  misdirected: {
    status: 421,
    title: 'Misdirected request',
    explanation: 'The Host header names no server that this one answers as. An operator adds names with `hosts:` or TRAILJOIN_HOSTS.',
  },
  unprocessable: { status: 422, title: 'Unprocessable content', explanation: 'The request is understood, but cannot be done: `detail` says why.' },
  'too-many-requests': { status: 429, title: 'Too many requests', explanation: 'Wait for as many seconds as the header Retry-After says.' },
  internal: { status: 500, title: 'Internal error', explanation: 'A fault of the server. Its log has the details.' },
  'not-ready': {
    status: 503,
    title: 'Not ready',
    explanation: 'Something that the server needs does not answer at this moment. Try again, as Retry-After says.',
  },
} as const satisfies Readonly<Record<string, ProblemType>>

/** The reference of the kind of a problem. */
export function problemType(status: number, named: boolean): { readonly type: string; readonly title: string } {
  const [name, { title }] =
    Object.entries(PROBLEM_TYPES).find(([key, kind]) => kind.status === status && (key === 'invalid-parameter') === (named && status === 400)) ??
    (['internal', PROBLEM_TYPES.internal] as const)
  return { type: `/problems/${name}`, title }
}

/** The explanation of a kind as plain text; null for a name that is none. */
export function explainProblem(name: string): string | null {
  const kind = Object.entries(PROBLEM_TYPES).find(([key]) => key === name)?.[1]
  return kind ? `${kind.title} (${kind.status})\n\n${kind.explanation}\n` : null
}
