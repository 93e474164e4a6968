import type { JsonObject } from '#core/record.ts'
import { arr, at, str } from '../read.ts'
import type { Value } from '../read.ts'

/** Only where the name begins so: names of objects and of secrets hold whatever their owners like. Some services write the whole URL. */
const PARENT = String.raw`^(?:(?:https?:)?\/\/[^/]+\/(?:compute\/\w+\/)?)?(?:(?:projects|organizations|folders|billingAccounts)\/[^/]+\/)?`
const IN_NAME = new RegExp(String.raw`${PARENT}(?:locations|regions|zones)\/([^/]+)(?:\/|$)`)
const GLOBAL = new RegExp(String.raw`${PARENT}global\/`)
/** `us-central1-a` is a zone of `us-central1`. */
const ZONE = /^([a-z]+(?:-[a-z]+)+\d+)-[a-z]$/
/** Labels of monitored resources that hold a place, the most exact name first; services differ in which one they use. */
const LABELS = ['location', 'region', 'zone'] as const

/** A location as a region: zones become theirs, multi-regions (`us`, `eur4`) and `global` stay. Null for what is none. */
function region(value: Value): string | null {
  const place = str(value)?.toLowerCase() ?? null
  if (place === null || !/^[a-z][a-z0-9-]*$/.test(place)) return null
  return ZONE.exec(place)?.[1] ?? place
}

/**
 * Where something was done: from the resource's name (`…/locations/us-east5/…`, `…/zones/us-central1-a/…`), else from
 * `resourceLocation` (AuditLog; only where it is one place), else from the labels of the monitored resource.
 */
export function regionOf(resourceName: string | null, resourceLocation: Value, labels: JsonObject): string | null {
  const named = region(IN_NAME.exec(resourceName ?? '')?.[1])
  if (named !== null) return named
  const current = arr(at(resourceLocation, 'currentLocations'))
  const places = new Set((current.length > 0 ? current : arr(at(resourceLocation, 'originalLocations'))).map(region))
  const [only] = places
  if (places.size === 1 && only) return only
  for (const name of LABELS) {
    const labelled = region(at(labels, name))
    if (labelled !== null) return labelled
  }
  return GLOBAL.test(resourceName ?? '') ? 'global' : null
}
