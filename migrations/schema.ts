/**
 * The tables. Facts (what records say) are never changed by conclusions (what follows from the set of records), so that
 * conclusions can always be derived again. `events`, `conclusions` and `timeline` are range-partitioned by `time_ns`
 * (drizzle-kit does not know partitions: the clause is added by hand in 0000).
 */
export * from './schema/columns.ts'
export * from './schema/records.ts'
export * from './schema/events.ts'
export * from './schema/conclusions.ts'
export * from './schema/live.ts'
export * from './schema/digests.ts'
export * from './schema/findings.ts'
export * from './schema/sources.ts'
export * from './schema/usage.ts'
export * from './schema/access.ts'
