import { describe, expect, test } from 'vitest'
import type { Accepted } from '#correlate/accept.ts'
import { oracle, type OracleEvent } from './oracle.ts'
import { TENANT, agent, app, audit, call, exchange, fics, gcp, guid, key, lifecycle, record, seen, signin } from './records.ts'

const answer = (...records: readonly Accepted[]): ((name: string) => OracleEvent) => {
  const { events } = oracle(records)
  return (name) => {
    const found = events.find(({ event }) => event.nativeId === name)
    if (!found) throw new Error(`no event ${name}`)
    return found
  }
}
const idOf = (one: Accepted): string => one.event.id
const parentOf = (one: OracleEvent, ...others: readonly Accepted[]): string | null => {
  const parent = others.find(({ event }) => event.id === one.parent?.id)
  return parent ? `${parent.event.nativeId} ${one.parent!.link}` : null
}

describe('candidates over time', () => {
  const world = [
    audit('both agents', 0, [agent('a', 'blueprint'), lifecycle('a', 'created'), agent('b', 'blueprint')]),
    audit('trust added', 10, [fics('blueprint', [], ['uami'])]),
    audit('b deleted', 20, [lifecycle('b', 'deleted')]),
    audit('trust removed', 30, [fics('blueprint', ['uami'], [])]),
  ]
  const attribution = (minutes: number) => answer(...world, exchange('x', minutes, 'uami'))('x').attribution

  test.each([
    [9.9, 'none', []],
    [10, 'ambiguous', ['a', 'b']],
    [19.9, 'ambiguous', ['a', 'b']],
    [20, 'derived', ['a']],
    [29.9, 'derived', ['a']],
    [30, 'none', []],
  ])('at minute %d the exchange is %s', (minutes, confidence, names) => {
    const { agentOid, candidates, subjectOid, ...rest } = attribution(minutes)
    expect(rest.confidence).toBe(confidence)
    expect(subjectOid).toBe(guid('uami'))
    expect(agentOid === null ? candidates : [agentOid]).toEqual(names.map(guid).toSorted())
  })

  test('evidence is the lifecycle of the candidates and every record that shows the credential', () => {
    expect(attribution(25)).toMatchObject({
      basis: ['federated-subject', 'federated-credential'],
      evidence: [world[0]!, world[1]!, world[3]!].map(idOf).toSorted(),
    })
  })

  test('where two records disagree, the credential may have been valid between them', () => {
    const gap = [world[0]!, world[1]!, audit('not as left', 40, [fics('blueprint', [], [])])]
    expect(answer(...gap, exchange('x', 39, 'uami'))('x').attribution.confidence).toBe('ambiguous')
    const late = [world[0]!, audit('as it was', 40, [fics('blueprint', ['uami'], [])])]
    expect(answer(...late, exchange('x', 1, 'uami'))('x').attribution.confidence).toBe('ambiguous')
  })

  test('an application that was deleted trusts nobody', () => {
    const ties = audit('application', 0, [{ type: 'application', objectId: guid('object'), appId: app('blueprint'), name: null, blueprint: true }])
    const gone = audit('application deleted', 22, [lifecycle('object', 'deleted')])
    expect(answer(...world, ties, gone, exchange('x', 21, 'uami'))('x').attribution.confidence).toBe('derived')
    expect(answer(...world, ties, gone, exchange('x', 23, 'uami'))('x').attribution.confidence).toBe('none')
  })

  test('an agent is itself even after its deletion', () => {
    expect(answer(...world, exchange('x', 50, 'b'))('x').attribution).toMatchObject({
      confidence: 'exact',
      agentOid: guid('b'),
      basis: ['federated-subject'],
      evidence: [],
    })
  })
})

describe('which moment counts', () => {
  const world = [
    audit('agents', 0, [agent('a', 'blueprint'), agent('b', 'blueprint'), agent('c', 'blueprint'), lifecycle('a', 'created'), fics('blueprint', [], ['uami'])]),
    audit('b deleted', 20, [lifecycle('b', 'deleted')]),
    audit('c created', 30, [lifecycle('c', 'created')]),
    audit('c deleted', 40, [lifecycle('c', 'deleted')]),
  ]
  const x = exchange('x', 10, 'uami', 'K1')
  const names = ({ attribution: { agentOid, candidates } }: OracleEvent): string[] =>
    ['a', 'b', 'c'].filter((name) => agentOid === guid(name) || candidates.includes(guid(name) as never))

  test('what is done with a key, or with one that was issued with it, counts from the exchange; the exchange itself at its own time', () => {
    const hop = call('hop', 25, 'K1', { kind: 'credential.minted', issues: key('K2') })
    const events = answer(...world, x, hop, call('one', 25, 'K1'), call('two', 35, 'K2'), call('three', 50, 'K2'), exchange('y', 45, 'uami'))
    expect(['x', 'one', 'two', 'three', 'y'].map((name) => names(events(name)))).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c'], ['a']])
  })

  test('of a key that two exchanges issued the first one counts, and one after the event not at all', () => {
    const again = exchange('again', 22, 'uami', 'K1')
    const events = answer(...world, x, again, call('one', 25, 'K1'))
    expect(names(events('one'))).toEqual(['a', 'b'])
    expect(names(answer(...world, again, call('one', 21, 'K1'))('one'))).toEqual(['a'])
  })

  test('a usage log counts as its call does', () => {
    const invocation = call('call', 25, 'K1', { kind: 'llm.invoked', requestKey: 'r' })
    const usage = record('usage', 35, { kind: 'llm.metered', proof: { by: 'request' }, requestKey: 'r' })
    expect(names(answer(...world, x, invocation, usage)('usage'))).toEqual(['a', 'b'])
  })

  test('on Google Cloud the exchange of the session counts, without one the own time', () => {
    const g = exchange('g', 10, 'uami', null, { source: 'gcp' })
    const events = answer(...world, g, gcp('near', 75, 'uami'), gcp('far', 75.1, 'uami'))
    expect([names(events('near')), names(events('far'))]).toEqual([['a', 'b', 'c'], ['a']])
  })
})

describe('subject', () => {
  const known = audit('known', 0, [agent('a', 'blueprint'), agent('b', 'blueprint')])

  test('two principals behind one key are a contradiction, not a choice', () => {
    const event = answer(known, exchange('x1', 1, 'a', 'K'), exchange('x2', 1, 'b', 'K'), call('c', 2, 'K', { asserted: [guid('a')] }))('c')
    expect(event.attribution).toMatchObject({ confidence: 'none', subjectOid: null, agentOid: null, basis: [], evidence: [] })
  })

  test('a chain of keys is one word, and its usage log one hop more', () => {
    const x = exchange('x', 1, 'a', 'K1')
    const hop = call('hop', 2, 'K1', { kind: 'credential.minted', issues: key('K2') })
    const invocation = call('call', 3, 'K2', { kind: 'llm.invoked', requestKey: 'r' })
    const copy = record('copy', 2, { kind: 'credential.minted', proof: { by: 'issued' }, issues: key('K2') })
    const events = answer(known, x, hop, copy, invocation, record('usage', 4, { kind: 'llm.metered', proof: { by: 'request' }, requestKey: 'r' }))
    expect(events('call').attribution).toMatchObject({
      confidence: 'exact',
      basis: ['credential', 'federated-subject'],
      evidence: [x, hop].map(idOf).toSorted(),
    })
    expect(events('usage').attribution).toMatchObject({ confidence: 'exact', basis: ['request-id', 'credential', 'federated-subject'] })
    expect(events('copy').attribution).toMatchObject({ confidence: 'exact', basis: ['credential', 'federated-subject'] })
    expect(events('copy').sessionId).toBe(events('x').sessionId)
    expect(events('usage').sessionId).toBeNull()
  })

  test("a usage log belongs to the caller's record of the call, not to the copy that another observer made before it", () => {
    const fields = { kind: 'llm.invoked', requestKey: 'r' } as const
    const usage = record('usage', 4, { kind: 'llm.metered', proof: { by: 'request' }, requestKey: 'r' })
    const copy = call('copy', 2, 'K', { ...fields, secondary: true })
    const events = answer(known, exchange('x', 1, 'a', 'K'), copy, call('call', 3, 'K', fields), usage)
    expect(events('usage').parent).toMatchObject({ id: events('call').event.id, link: 'exact' })
    expect(answer(known, exchange('x', 1, 'a', 'K'), copy, usage)('usage').parent).toMatchObject({ id: idOf(copy) })
  })

  test('a circle of keys proves nothing and ends', () => {
    const events = answer(call('c1', 1, 'K1', { issues: key('K2') }), call('c2', 2, 'K2', { issues: key('K1') }))
    expect(events('c1').attribution.confidence).toBe('none')
    expect(events('c1').sessionId).not.toBe(events('c2').sessionId)
  })

  test.each([
    [0, 'a', 'probable'],
    [2 / 60, 'a', 'probable'],
    [3 / 60, null, 'none'],
    [-1 / 60, null, 'none'],
  ])('a mint %d minutes after an exchange from the same place is attributed to %s, %s', (minutes, name, confidence) => {
    const events = answer(
      known,
      exchange('x', 1, 'a', null, { source: 'gcp', nearKey: 'n' }),
      record('m', 1 + minutes, { source: 'gcp', kind: 'credential.minted', proof: { by: 'proximity' }, nearKey: 'n' }),
    )
    expect(events('m').attribution).toMatchObject({ confidence, agentOid: name === null ? null : guid(name) })
  })

  test('two exchanges before one mint are never collapsed', () => {
    const exchanges = [exchange('x1', 1, 'a', null, { source: 'gcp', nearKey: 'n' }), exchange('x2', 1, 'b', null, { source: 'gcp', nearKey: 'n' })]
    const { attribution, sessionId } = answer(
      known,
      ...exchanges,
      record('m', 1, { source: 'gcp', kind: 'credential.minted', proof: { by: 'proximity' }, nearKey: 'n' }),
    )('m')
    expect(attribution).toMatchObject({
      confidence: 'ambiguous',
      subjectOid: null,
      basis: ['proximity'],
      candidates: [guid('a'), guid('b')].toSorted(),
      evidence: exchanges.map(idOf).toSorted(),
    })
    expect(sessionId).toBeNull()
  })

  test('names that the caller chose are asserted only where one agent is named', () => {
    const events = answer(
      known,
      call('one', 1, 'K', { asserted: [`run-${guid('a')}`] }),
      call('two', 1, 'K', { asserted: [guid('a'), guid('b')] }),
      call('unknown', 1, 'K', { asserted: [guid('z')] }),
    )
    expect(events('one').attribution).toMatchObject({
      confidence: 'asserted',
      agentOid: guid('a'),
      subjectOid: null,
      tenantId: TENANT,
      basis: ['asserted-name'],
    })
    expect(events('one').traceId).toBeNull()
    for (const name of ['two', 'unknown']) expect(events(name).attribution).toMatchObject({ confidence: 'none', agentOid: null })
  })

  test('an on-behalf-of sign-in is the agent behind the client, and keeps the user', () => {
    const fields = { source: 'entra', kind: 'token.issued', tenantId: TENANT, proof: { by: 'application', appId: app('a') }, onBehalfOf: guid('user') } as const
    for (const others of [[], [known]]) {
      expect(answer(...others, record('s', 1, fields, 'entra-signin'))('s').attribution).toMatchObject({
        confidence: 'exact',
        agentOid: guid('a'),
        onBehalfOf: guid('user'),
        basis: ['application'],
      })
    }
    expect(answer(record('s', 1, { ...fields, kind: 'api.called' }, 'entra-graph-activity'))('s').attribution).toMatchObject({
      confidence: 'none',
      subjectOid: null,
    })
  })

  test('the initiator of a change counts only where it leads to an agent', () => {
    const by = (name: string) => ({ proof: { by: 'principal', oid: guid(name), appId: null, kind: null } }) as const
    const events = answer(known, audit('by admin', 1, [], by('admin')), audit('by agent', 1, [], by('a')))
    expect(events('by admin').attribution).toMatchObject({ subjectOid: null, confidence: 'none', basis: [] })
    expect(events('by agent').attribution).toMatchObject({ subjectOid: guid('a'), confidence: 'exact' })
  })

  test('a person is the subject and never an agent', () => {
    const user = audit('user', 0, [seen('user', 'user')])
    const trusting = audit('trust', 0, [fics('blueprint', [], ['user'])])
    expect(answer(known, user, trusting, exchange('x', 1, 'user'))('x').attribution).toMatchObject({
      subjectOid: guid('user'),
      confidence: 'none',
      basis: ['federated-subject'],
      evidence: [],
    })
  })
})

describe('tenant of a federated Google subject', () => {
  const provider = (issuer: string, name = 'p') =>
    record(`provider ${name}`, 0, {
      source: 'gcp',
      directory: [
        { type: 'gcp-provider', project: 'project-id', pool: 'pool', provider: name, issuer },
        { type: 'gcp-project', id: 'project-id', number: '1' },
      ],
    })
  const entra = `https://sts.windows.net/${TENANT}/`

  test('is the one that the pool trusts, whichever name the project has', () => {
    expect(answer(provider(entra), gcp('c', 1, 'x'))('c').attribution).toMatchObject({ tenantId: TENANT, subjectOid: guid('x') })
  })

  test('is none where providers disagree and nobody knows the oid', () => {
    const events = [provider(entra), provider('https://token.actions.githubusercontent.com', 'q')]
    expect(answer(...events, gcp('c', 1, 'x'))('c').attribution).toMatchObject({ tenantId: null, subjectOid: guid('x'), confidence: 'none' })
    expect(answer(...events, audit('known', 0, [agent('x', 'blueprint')]), gcp('c', 1, 'x'))('c').attribution).toMatchObject({
      tenantId: TENANT,
      confidence: 'exact',
    })
  })

  test('does not matter where the issuer is known not to be Entra', () => {
    expect(answer(provider('https://token.actions.githubusercontent.com'), gcp('c', 1, 'x'))('c').attribution.subjectOid).toBeNull()
  })
})

describe('the Blueprint and the bridge', () => {
  const world = [
    audit('agents', 0, [agent('a', 'blueprint')]),
    audit('trust', 0, [fics('blueprint', [], ['uami'])]),
    audit('bridge trust', 0, [fics('bridge-app', [], ['uami'])]),
  ]
  const bridge = seen('bridge', 'service-principal', { appId: app('bridge-app') })
  const blueprint = seen('principal', 'blueprint', { appId: app('blueprint') })
  const uami = seen('uami', 'managed-identity')

  test('a Blueprint principal stands for its agents', () => {
    expect(answer(...world, signin('s', 1, blueprint))('s').attribution).toMatchObject({
      confidence: 'derived',
      agentOid: guid('a'),
      basis: ['principal', 'blueprint'],
    })
  })

  test('an application that signs in through the managed identity stands for the agents on it', () => {
    const { attribution } = answer(...world, signin('s', 1, bridge), exchange('x', 2, 'bridge'))('x')
    expect(attribution).toMatchObject({ confidence: 'derived', agentOid: guid('a'), basis: ['federated-subject', 'bridge', 'federated-credential'] })
    expect(attribution.evidence).toEqual(world.slice(1).map(idOf).toSorted())
  })

  test('sign-ins follow each other from the managed identity over the Blueprint to the agent', () => {
    const mi = signin('mi', 1, uami)
    const t1 = signin('t1', 2, blueprint)
    const own = signin('own', 3, agent('a', 'blueprint'), { tokenId: 't', resource: 'api' })
    const late = signin('late', 3 + 65, agent('a', 'blueprint'))
    const through = signin('through', 25 * 60 + 1, bridge)
    const used = record('used', 4, {
      source: 'app',
      kind: 'api.called',
      tenantId: TENANT,
      proof: { by: 'principal', oid: guid('a'), appId: null, kind: null },
      tokenId: 't',
    })
    const guessed = record('guessed', 9 * 60 + 3, {
      source: 'app',
      kind: 'api.called',
      tenantId: TENANT,
      proof: { by: 'principal', oid: guid('a'), appId: null, kind: null },
      resource: 'api',
    })
    const all = [...world, mi, t1, own, late, through, used, guessed]
    const events = answer(...all)
    expect(['mi', 't1', 'own', 'late', 'through', 'used', 'guessed'].map((name) => parentOf(events(name), ...all))).toEqual([
      null,
      'mi time',
      't1 time',
      null,
      'mi time',
      'own exact',
      'own time',
    ])
  })
})

describe('Google sessions and parents', () => {
  const minted = { kind: 'credential.minted', resource: 'projects/-/serviceAccounts/robot@p.iam.gserviceaccount.com' } as const
  const as = (email: string) => ({ cloud: { account: null, region: null, principal: email } })
  const all = [
    gcp('x', 0, 's', { kind: 'token.exchanged' }),
    gcp('m', 1, 's', minted),
    gcp('c', 2, 's', as('robot@p.iam.gserviceaccount.com')),
    gcp('other account', 3, 's', as('other@p.iam.gserviceaccount.com')),
    gcp('edge', 65, 's'),
    gcp('u1', 66, 's'),
    gcp('u2', 96, 's'),
    gcp('u3', 126.5, 's'),
  ]
  const events = answer(...all)

  test('a call belongs to an exchange for 65 minutes, then to sessions with gaps of half an hour', () => {
    const session = (name: string): string | null => events(name).sessionId
    expect(new Set(['x', 'm', 'c', 'other account', 'edge'].map(session)).size).toBe(1)
    expect(session('u1')).toBe(session('u2'))
    expect(new Set(['x', 'u1', 'u3'].map(session)).size).toBe(3)
  })

  test("a call's parent is the mint for its account, else the exchange, else nothing", () => {
    expect(['m', 'c', 'other account', 'edge', 'u1'].map((name) => parentOf(events(name), ...all))).toEqual(['x time', 'm time', 'x time', 'x time', null])
  })
})

test('a session holds its trace together over any pause', () => {
  const known = audit('known', 0, [agent('a', 'blueprint')])
  const { traces } = oracle([
    known,
    exchange('x', 0, 'a', 'K'),
    call('c', 300, 'K'),
    exchange('between', 100, 'a'),
    exchange('after', 330, 'a'),
    exchange('new', 360.5, 'a'),
  ])
  expect(traces.map(({ members }) => members.map(({ event }) => event.nativeId))).toEqual([['x', 'between', 'c', 'after'], ['new']])
})

test('of events at one time the one with the greater id is the later one', () => {
  const own = agent('a', 'blueprint')
  const signins = ['s1', 's2', 's3', 's4', 's5'].map((name) => signin(name, 1, own))
  const last = signins.toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1)).at(-1)!
  for (const order of [signins, signins.toReversed()]) expect(answer(...order, exchange('x', 1, 'a'))('x').parent).toEqual({ id: last.event.id, link: 'time' })
})

test('of several texts the best rank speaks, then the smaller hash, and every text teaches the directory', () => {
  const good = { ...record('e', 1, { userAgent: 'good' }), rank: 0, sha256: 'b' }
  const same = { ...record('e', 1, { userAgent: 'same rank' }), rank: 0, sha256: 'c' }
  const worse = { ...record('e', 1, { userAgent: 'worse', tenantId: TENANT, directory: [agent('a', 'blueprint')] }), rank: 1, sha256: 'a' }
  const { events } = oracle([worse, same, good, exchange('x', 2, 'a')])
  expect(events.map(({ event, attribution }) => [event.userAgent, attribution.confidence])).toEqual([
    ['good', 'none'],
    [null, 'exact'],
  ])
})
