/** Many event ids in little memory: 16 bytes each, where a text takes about 80. */
export interface IdList {
  readonly push: (ids: readonly string[]) => void
  readonly length: () => number
  /** In the order in which they were pushed, in pages as they were pushed. */
  readonly pages: () => Generator<readonly string[]>
}

/** An empty list. The ids are UUIDs in lower case. */
export function createIdList(): IdList {
  const packed: Buffer[] = []
  let length = 0
  return {
    push: (ids) => {
      if (ids.length === 0) return
      packed.push(Buffer.from(ids.join('').replaceAll('-', ''), 'hex'))
      length += ids.length
    },
    length: () => length,
    *pages() {
      for (const page of packed) {
        const hex = page.toString('hex')
        yield Array.from({ length: page.length / 16 }, (_, index) => {
          const id = hex.slice(index * 32, index * 32 + 32)
          return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`
        })
      }
    },
  }
}
