import type { Model } from '#core/event.ts'
import { publisherModel } from '../model-name.ts'

const PUBLISHED = /(?:^|\/)publishers\/([^/]+)\/models\/([^/:]+)/
const OPAQUE = /(?:^|\/)((?:endpoints|reasoningEngines)\/[^/:]+)/

/**
 * The model that a call's resource name holds: `…/publishers/<publisher>/models/<model>[@version]`. An endpoint
 * (`endpoints/<number>`, `endpoints/openapi`) or an agent engine hides the model behind it: known by its id only.
 */
export function modelOf(resourceName: string | null): Model | null {
  const published = PUBLISHED.exec(resourceName ?? '')
  if (published) return publisherModel(published[1]!, published[2]!)
  const opaque = OPAQUE.exec(resourceName ?? '')
  return opaque ? { id: opaque[1]!, name: null, provider: null } : null
}

/** The location of a resource name, `global` included, or null. */
export function regionOf(resourceName: string | null): string | null {
  return /(?:^|\/)locations\/([^/]+)(?:\/|$)/.exec(resourceName ?? '')?.[1] ?? null
}
