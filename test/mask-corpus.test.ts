import { describe, expect, test } from 'vitest'
import { knows as known } from '#correlate/accept.ts'
import { recordsIn, keptText } from '#ingest/records-in.ts'
import { mask } from '#ingest/mask/mask.ts'
import type { JsonObject } from '#core/record.ts'
import { INNOCENT, INNOCENT_PLACES, corpus } from './mask-corpus.ts'

/** What is kept of a line, as a reader of lines would have it. */
function keptOf(line: string): string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return keptText(line)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return keptText(line)
  return recordsIn(line, value as JsonObject, known)
    .map((found) => ('reject' in found ? `${found.reject} ${keptText(found.text)}` : found.text + JSON.stringify(found.value) + found.masked.join('\n')))
    .join('\n')
}

const { lines, planted } = corpus()

test('the corpus holds more than four hundred marked values, each of its own, and each is found before masking', () => {
  expect(planted.length).toBeGreaterThan(400)
  expect(new Set(planted.flatMap(({ needles }) => needles)).size).toBeGreaterThan(planted.length)
})

test('no marked value is left', () => {
  const left = planted.flatMap(({ where, needles }, index) => {
    const kept = keptOf(lines[index]!)
    return needles.some((needle) => kept.includes(needle)) ? [`${where}: ${kept.slice(0, 400)}`] : []
  })
  expect(left).toEqual([])
})

test('masking twice changes nothing', () => {
  for (const line of lines) {
    if (!line.startsWith('{')) continue
    let value: JsonObject
    try {
      value = JSON.parse(line) as JsonObject
    } catch {
      continue
    }
    const once = mask(value, line)
    expect(mask(once.value, once.text).text).toBe(once.text)
    expect(once.value).toEqual(JSON.parse(once.text))
  }
})

describe('innocent values stay as they were written', () => {
  for (const [place, put] of Object.entries(INNOCENT_PLACES)) {
    test(place, () => {
      const changed = INNOCENT.flatMap((value) => {
        const record = put(value) as JsonObject
        const { text } = mask(record, JSON.stringify(record))
        return text === JSON.stringify(record) ? [] : [`${value} → ${text.slice(-300)}`]
      })
      expect(changed).toEqual([])
    })
  }

  test('there are more than two hundred', () => expect(INNOCENT.length * Object.keys(INNOCENT_PLACES).length).toBeGreaterThan(200))
})
