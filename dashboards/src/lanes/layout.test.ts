import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TimelineItem } from '../api-types.ts'
import { fit, groupTrack, layoutLanes, pan, tally, zoom } from './layout.ts'

const item = (id: string, at: number, change: Partial<TimelineItem> = {}): TimelineItem => ({
  id,
  nativeId: id,
  time: new Date(at).toISOString(),
  source: 'aws',
  kind: 'llm.invoked',
  action: 'bedrock:Converse',
  outcome: 'success',
  error: null,
  tenantId: null,
  subjectOid: null,
  agentOid: null,
  onBehalfOf: null,
  targets: [],
  role: 'actor',
  attribution: { confidence: 'exact', basis: [], candidates: [], evidence: [] },
  traceId: null,
  sessionId: null,
  parentId: null,
  cloud: { account: null, region: null, principal: null },
  resource: null,
  model: null,
  usage: null,
  sourceIp: null,
  userAgent: null,
  requestId: null,
  deliveredAt: null,
  ingestedAt: new Date(at).toISOString(),
  rawSha256: null,
  ...change,
})
const START = Date.UTC(2026, 8, 1)

test('all four lanes are there even when a cloud has no record', () => {
  const { lanes, extent } = layoutLanes([item('a', START)], 24)
  expect(lanes.map((lane) => [lane.source, lane.count])).toEqual([
    ['entra', 0],
    ['aws', 1],
    ['gcp', 0],
    ['app', 0],
  ])
  expect(extent).toEqual({ from: START, to: START })
  expect(layoutLanes([], 24).extent).toBeNull()
})

test('lanes and tracks never overlap', () => {
  const { lanes } = layoutLanes([item('a', START), item('b', START, { kind: 'token.exchanged' }), item('c', START, { source: 'gcp' })], 24, 18)
  lanes.forEach((lane, index) => {
    expect(lane.top).toBeGreaterThanOrEqual(index === 0 ? 24 : lanes[index - 1]!.top + lanes[index - 1]!.height)
    for (const track of lane.tracks) expect(track.y > lane.top + 18 && track.y < lane.top + lane.height).toBe(true)
  })
})

test('every event inside the view is in exactly one group, whatever the zoom', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 0, max: 9_000_000 }),
      fc.integer({ min: 4, max: 10_000_000 }),
      (offsets, from, span) => {
        const { lanes } = layoutLanes(
          offsets.map((offset, index) => item(String(index), START + offset)),
          0,
        )
        const view = { from: START + from, to: START + from + span }
        const seen = groupTrack(lanes[1]!.tracks[0]!, view, 800, 13).flatMap((group) => group.points.map((point) => point.item.id))
        expect(new Set(seen).size).toBe(seen.length)
        const inside = offsets.flatMap((offset, index) => (offset >= from && offset <= from + span ? [String(index)] : []))
        expect(inside.every((id) => seen.includes(id))).toBe(true)
      },
    ),
  )
})

test('one event stands exactly at its time', () => {
  const { lanes } = layoutLanes([item('a', START + 250)], 0)
  expect(groupTrack(lanes[1]!.tracks[0]!, { from: START, to: START + 1000 }, 1000, 13).map((group) => group.x)).toEqual([250])
})

test('groups stay together while one pans', () => {
  const { lanes } = layoutLanes(
    Array.from({ length: 300 }, (_, index) => item(String(index), START + index * 37)),
    0,
  )
  const members = (shift: number): string[] =>
    groupTrack(lanes[1]!.tracks[0]!, { from: START + 3000 + shift, to: START + 6000 + shift }, 800, 13).map((group) =>
      group.points.map((point) => point.item.id).join(),
    )
  const before = members(0).slice(3, -3)
  expect(members(100)).toEqual(expect.arrayContaining(before.slice(5)))
})

test('a bar counts confidences, strongest first, and failures', () => {
  const none = { confidence: 'none' as const, basis: [], candidates: [], evidence: [] }
  const points = [item('a', 0, { attribution: none }), item('b', 0), item('c', 0, { outcome: 'failure' })].map((one) => ({ item: one, at: 0 }))
  expect(tally(points)).toEqual({
    byConfidence: [
      ['exact', 2],
      ['none', 1],
    ],
    failures: 1,
  })
})

test('zoom keeps the instant under the pointer where it is', () => {
  const extent = { from: 0, to: 100_000 }
  const view = zoom({ from: 20_000, to: 60_000 }, 30_000, 0.5, extent)
  expect(view).toEqual({ from: 25_000, to: 45_000 })
  expect((30_000 - view.from) / (view.to - view.from)).toBe(0.25)
})

test('no zoom or pan leaves the data or ends in an empty period', () => {
  const extent = { from: START, to: START + 100_000 }
  const limits = fit(extent)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.double({ min: 0.01, max: 5, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })), { maxLength: 40 }),
      (moves) => {
        let view = limits
        for (const [zooms, factor, share] of moves)
          view = zooms ? zoom(view, view.from + ((share + 1) / 2) * (view.to - view.from), factor, extent) : pan(view, share, extent)
        expect(view.to - view.from).toBeGreaterThan(3.9)
        expect(view.from).toBeGreaterThanOrEqual(limits.from - 1)
        expect(view.to).toBeLessThanOrEqual(limits.to + 1)
      },
    ),
  )
})
