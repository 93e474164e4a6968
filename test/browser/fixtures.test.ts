import { expect, test } from 'vitest'
import { z } from 'zod'
import { Agent, EventDetail, OidAnswer, TimelineItem } from '#api/contract.ts'
import { AGENTS, BUSY, EVENTS, eventDetail, HUGE, oidAnswer } from './fixtures.ts'

test('what the page is tested with has the shapes that the API promises', () => {
  expect(z.array(z.strictObject(TimelineItem.shape)).safeParse([...EVENTS.values()].flat().map(({ item }) => item)).error).toBeUndefined()
  expect(z.array(z.strictObject(Agent.shape)).safeParse(AGENTS).error).toBeUndefined()
  expect(OidAnswer.safeParse(oidAnswer(BUSY)).error).toBeUndefined()
  expect(EventDetail.safeParse(eventDetail(EVENTS.get(BUSY)![0]!)).error).toBeUndefined()
})

test('there are enough events to be a trial', () => {
  expect(EVENTS.get(BUSY)!.length).toBeGreaterThanOrEqual(3000)
  expect(EVENTS.get(HUGE)!.length).toBeGreaterThan(6000)
})
