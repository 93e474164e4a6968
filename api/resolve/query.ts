import { z } from 'zod'

/** One identifier, without blanks around it. */
export const ResolveQuery = z.strictObject({
  q: z
    .string({ error: 'is missing: give one identifier' })
    .trim()
    .min(1, 'is empty')
    // Longer ones are in no index (migrations/schema.ts).
    .max(512, 'is longer than 512 characters')
    // PostgreSQL keeps no NUL.
    .refine((text) => !text.includes('\0'), 'holds a NUL character')
    .meta({ description: 'One identifier.' }),
  records: z.enum(['auto', 'true', 'false']).default('auto').meta({
    description: 'Whether to look inside the records of the latest events, too. `auto`: where no index has such an identifier, or none of them has it.',
  }),
})
