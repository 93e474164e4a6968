import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from './heap.ts'
import { createRandom } from './random.ts'

const drawn = (seed: number, label?: string) => {
  const random = createRandom(seed, label)
  return [random.next(), random.int(1, 1000), random.guid(), random.text('abc', 5)]
}

test('the same seed and label give the same sequence, another seed or label another one', () => {
  expect(drawn(7, 'a')).toEqual(drawn(7, 'a'))
  expect(drawn(7, 'a')).not.toEqual(drawn(8, 'a'))
  expect(drawn(7, 'a')).not.toEqual(drawn(7, 'b'))
})

test('the sequence is fixed for ever: worlds of old seeds stay what they were', () => {
  expect(drawn(1)).toMatchInlineSnapshot(`
    [
      0.765637782169506,
      435,
      "4fcf9112-45ee-4596-b977-1e05ea7543e8",
      "bccac",
    ]
  `)
})

test('guids are version 4 and numbers keep their bounds', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 50 }), (seed, width) => {
      const random = createRandom(seed)
      expect(random.guid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      for (let count = 0; count < 20; count++) {
        const value = random.int(5, 5 + width)
        expect(value).toBeGreaterThanOrEqual(5)
        expect(value).toBeLessThanOrEqual(5 + width)
      }
    }),
  )
})

test('a heap gives its items back in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a < b)
      for (const number of numbers) heap.push(number)
      const out: number[] = []
      for (let next = heap.pop(); next !== undefined; next = heap.pop()) out.push(next)
      expect(out).toEqual(numbers.toSorted((a, b) => a - b))
    }),
  )
})
