import type { Model } from '#core/event.ts'
import { publisherModel } from '../model-name.ts'

const PUBLISHED = /(?:^|\/)publishers\/([^/]+)\/models\/([^/:]+)/
/** Anthropic's token counter is a publisher model by name: `…/publishers/anthropic/models/count-tokens:rawPredict`; others are asked by `<model>:countTokens`. */
const COUNTER = /\/models\/count-?tokens(?:[@:/]|$)|:count-?tokens$/i
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

/** True where the resource is no model but a counter of tokens. */
export function isTokenCounter(resourceName: string | null): boolean {
  return COUNTER.test(resourceName ?? '')
}
