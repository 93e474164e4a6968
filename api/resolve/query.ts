import { z } from 'zod'

/** One identifier, without blanks around it. */
export const ResolveQuery = z.strictObject({
  q: z
    .string({ error: 'is missing: give one identifier' })
    .trim()
    .min(1, 'is empty')
    .max(2048, 'is longer than 2048 characters')
    // PostgreSQL keeps no NUL.
    .refine((text) => !text.includes('\0'), 'holds a NUL character')
    .meta({ description: 'One identifier.' }),
})
