import { expect, test } from 'vitest'
import type { DirectoryFact } from '#core/event.ts'
import { id, seen, TENANT } from '../fixture.ts'
import { foldDirectory } from './directory.ts'

const AGENT = id('a')
const [UAMI, OLD_UAMI] = [id('b'), id('b', 2)]
const [APP, OBJECT] = [id('c'), id('c', 2)]

const fold = (...facts: readonly Readonly<Record<string, unknown>>[]) =>
  foldDirectory(facts.map((body) => ({ tenant_id: TENANT, body: body as unknown as DirectoryFact })))
const fic = (subject: string, tenant = TENANT) => ({ id: null, name: null, issuer: `https://sts.windows.net/${tenant}/`, subject, audiences: [] })
const fics = (fields: Readonly<Record<string, unknown>>) => ({ type: 'fics', objectId: OBJECT, appId: null, before: null, after: null, ...fields })

test('an agent that names its Blueprint by appId finds trust that is written under the object id, whatever the order', () => {
  const facts = [
    seen(AGENT, { kind: 'agent', blueprintAppId: APP }),
    fics({ after: [fic(UAMI)] }),
    { type: 'application', objectId: OBJECT, appId: APP, name: 'B', blueprint: true },
  ]
  for (const order of [facts, facts.toReversed()]) {
    const directory = fold(...order)
    expect(directory.uamisOf(directory.find(TENANT, AGENT)!)).toEqual([{ oid: UAMI, name: null, current: true }])
    expect(directory.agentsOf(TENANT, UAMI).map((agent) => agent.oid)).toEqual([AGENT])
  }
})

test('a managed identity whose credential was removed is shown as past', () => {
  const directory = fold(
    seen(AGENT, { kind: 'agent', blueprintObjectId: OBJECT }),
    fics({ before: [], after: [fic(OLD_UAMI)] }),
    fics({ before: [fic(OLD_UAMI)], after: [fic(UAMI)] }),
  )
  expect(directory.uamisOf(directory.find(TENANT, AGENT)!)).toEqual([
    { oid: UAMI, name: null, current: true },
    { oid: OLD_UAMI, name: null, current: false },
  ])
})

test('credentials of other issuers and of other tenants name no managed identity here', () => {
  const directory = fold(
    seen(AGENT, { kind: 'agent', blueprintObjectId: OBJECT }),
    fics({ after: [fic(UAMI, id('2')), { ...fic(UAMI), issuer: 'https://oidc.eks.example' }, fic('repo:x')] }),
  )
  expect(directory.uamisOf(directory.find(TENANT, AGENT)!)).toEqual([])
})

test('the latest name comes first, the more particular kind holds, and a deletion shows', () => {
  const directory = fold(
    seen(AGENT, { kind: 'agent', name: 'one' }),
    seen(AGENT, { kind: 'service-principal', name: 'two' }),
    seen(AGENT, { name: 'one' }),
    { type: 'lifecycle', id: AGENT, change: 'created' },
    { type: 'lifecycle', id: AGENT, change: 'deleted' },
  )
  expect(directory.find(TENANT, AGENT)).toMatchObject({ kind: 'agent', names: ['one', 'two'], status: 'deleted' })
})
