/**
 * Seeded pseudo-random numbers: xoshiro128** (Blackman & Vigna, https://prng.di.unimi.it/), its state filled by splitmix32 from a
 * hash of seed and label. Pure: the same seed and label give the same sequence on every machine. Not for secrets.
 */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** An integer between both bounds, bounds included. */
  int(least: number, most: number): number
  chance(probability: number): boolean
  pick<Item>(list: readonly Item[]): Item
  /** Exponentially distributed with this mean. */
  exponential(mean: number): number
  /** A version-4 GUID, lower case. */
  guid(): string
  text(alphabet: string, length: number): string
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A generator of its own for every label, so that what one actor draws never depends on what another one drew. */
export function createRandom(seed: number | string, label = ''): Random {
  let mix = hash(`${seed}\u0000${label}`)
  const fill = () => {
    mix = (mix + 0x9e3779b9) | 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  let [a, b, c, d] = [fill(), fill(), fill(), fill()]
  const uint = () => {
    const rotated = Math.imul(b, 5)
    const result = Math.imul((rotated << 7) | (rotated >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  const next = () => uint() / 4294967296
  const int = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (list) => {
      const item = list[int(0, list.length - 1)]
      if (item === undefined) throw new RangeError('Cannot pick from an empty list')
      return item
    },
    exponential: (mean) => -Math.log(1 - next()) * mean,
    guid: () => {
      const [w, x, y, z] = [uint(), (uint() & 0xffff0fff) | 0x4000, (uint() & 0x3fffffff) | 0x80000000, uint()]
      return `${hex(w)}-${hex(x).slice(0, 4)}-${hex(x).slice(4)}-${hex(y).slice(0, 4)}-${hex(y).slice(4)}${hex(z)}`
    },
    text: (alphabet, length) => {
      let result = ''
      for (let index = 0; index < length; index++) result += alphabet[uint() % alphabet.length]
      return result
    },
  }
}

export const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
export const DIGITS = '0123456789'
export const HEX_DIGITS = '0123456789abcdef'
export const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'
export const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function hex(word: number): string {
  return `${HEX[(word >>> 24) & 255]}${HEX[(word >>> 16) & 255]}${HEX[(word >>> 8) & 255]}${HEX[word & 255]}`
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value | 0
}
