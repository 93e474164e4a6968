/** Where pushed records go: what the routes know of it. The command line wires ingest and the correlator (or Kafka) to it. */
import type { Fate } from '#core/sink.ts'
import type { Scope } from './access/caller.ts'

export interface PushedLine {
  /** From 1. A line that holds several records gives as many results. */
  readonly line: number
  readonly status: Fate
  /** Why it was rejected; null for all others. */
  readonly reason: string | null
}

export interface Push {
  /** NDJSON, inflated. */
  readonly bytes: Buffer
  /** Who pushed, as evidence names the place that the records came from. */
  readonly from: string
  /** Tenant of records that do not name their own; null: none. */
  readonly tenantId: string | null
  /** Whose records may be written. */
  readonly scope: Scope
}

/** Resolves when everything is durable, with a result for each record in order; a rejected promise means that nothing may be counted on, and pushing again does no harm. */
export type Intake = (push: Push) => Promise<readonly PushedLine[]>
