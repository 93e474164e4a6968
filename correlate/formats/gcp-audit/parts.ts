import type { JsonObject } from '#core/record.ts'
import { at, bool, num, str } from '../read.ts'

/** Which request an entry belongs to, where it may be one of several entries of it, and whether it is a later part. */
export interface Part {
  readonly requestKey: string | null
  readonly secondary: boolean
}

/**
 * Long-running and streamed calls are logged when they begin (`operation.first`) and when they end (`operation.last`), with one
 * `operation.id` (LogEntryOperation: id and producer together are unique); an entry beyond the size limit is cut into parts with one
 * `split.uid`, of which all hold everything but parts of the bodies (cloud.google.com/logging/docs/audit/split-logs). An operation's entry may
 * itself be cut.
 */
export function partOf(entry: JsonObject): Part {
  const operation = at(entry, 'operation')
  const id = str(at(operation, 'id'))
  const uid = str(at(entry, 'split.uid'))
  const later = id !== null && bool(at(operation, 'first')) !== true
  // proto3 JSON leaves a zero out: the first part may have no index.
  const cut = uid !== null && (num(at(entry, 'split.index')) ?? 0) > 0
  const requestKey = id !== null ? `gcp:operation:${str(at(operation, 'producer')) ?? ''}:${id}` : uid !== null ? `gcp:split:${uid}` : null
  return { requestKey, secondary: later || cut }
}
