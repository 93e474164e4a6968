import { z } from 'zod'

const count = z.int().nonnegative()

export const PushAnswer = z
  .object({
    read: count.meta({ description: 'Always stored + duplicates + rejected + accepted.' }),
    stored: count,
    duplicates: count,
    rejected: count,
    accepted: count.meta({ description: 'Durable in Kafka; only the correlators learn whether they are new.' }),
    results: z
      .array(
        z.object({
          line: count.meta({ description: 'Counted from 1. A line that holds several records gives as many results.' }),
          status: z.enum(['stored', 'duplicate', 'rejected', 'accepted']),
          reason: z.string().nullable().meta({ description: 'Why it was rejected. What is rejected is kept, with this reason.' }),
        }),
      )
      .meta({ description: 'In the order of the body; blank lines have none.' }),
  })
  .meta({ id: 'PushAnswer' })
export type PushAnswer = z.infer<typeof PushAnswer>
