import { describe } from 'vitest'
import { transportContract } from './contract.ts'
import { createMemoryTransport } from './memory.ts'

describe('in one process', () => {
  transportContract({
    open: () => {
      const transport = createMemoryTransport({ retryPause: { first: 5, longest: 50 } })
      // Nothing but the object itself: another one knows nothing of it.
      return { transport, again: () => transport }
    },
    durable: false,
    patience: 2000,
  })
})
