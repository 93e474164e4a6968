import type { Open } from './envelope.ts'

/**
 * An item of CloudTrail LookupEvents. `CloudTrailEvent` holds the record verbatim as a string; the members beside it are a digest of it
 * (with times in the caller's own zone) and are not needed. lowerCamel: some SDK wrappers print it so.
 */
export const openLookupEvents: Open = (value) => {
  const inner = value.CloudTrailEvent ?? value.cloudTrailEvent
  return typeof inner === 'string' ? [{ text: inner.trim(), value: null }] : null
}
