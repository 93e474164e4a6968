import { expect, test } from 'vitest'
import type { Attribution } from '#core/event.ts'
import { TENANT, agent, audit, guid, seen, signin } from '../../test/oracle/records.ts'
import type { LinkFacts } from '../attribute.ts'
import { buildDirectory } from '../directory/directory.ts'
import { timelineEntries } from './timeline.ts'

test('what an agent does in one tenant has one owner there, also when records know an agent of that oid in another tenant only', () => {
  const elsewhere = guid('other tenant') as never
  const { event } = audit('known', 0, [agent('a', 'blueprint')])
  const directory = buildDirectory(event.directory.map((fact) => ({ tenantId: TENANT, fact, time: event.timeNs, eventId: event.id })))
  const conclusion: Attribution = {
    tenantId: elsewhere,
    subjectOid: guid('a'),
    agentOid: guid('a'),
    onBehalfOf: null,
    confidence: 'exact',
    basis: ['principal'],
    candidates: [],
    evidence: [],
  }
  const deed = signin('deed', 1, seen('a', 'agent')).event as unknown as LinkFacts
  expect(timelineEntries(deed, conclusion, directory)).toEqual([{ tenantId: elsewhere, oid: guid('a'), role: 'actor', isSubject: true, isOwner: true }])
})
