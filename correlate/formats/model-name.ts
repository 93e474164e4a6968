import type { Model } from '#core/event.ts'

/**
 * Model ids as callers write them, brought to one plain name per model. The id itself is always kept: price and data
 * residency depend on the geography prefix and the scope that the name drops.
 */

/** Geography or global inference profile: `us.`, `eu.`, `us-gov.`, `apac.`, `global.`, but only before another `provider.`. */
const GEOGRAPHY = /^(?:[a-z]{2}|us-gov|apac|global)\.(?=[a-z0-9-]+\.)/

/** Only these two kinds of ARN name their model; the others (application profiles, provisioned, custom, imported, prompts, routers) are opaque. */
const NAMING_ARN = /^arn:[^:]+:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)\/([^/]+)$/

/**
 * The model behind a Bedrock `modelId` (or a bedrock-mantle `model`).
 * `us.anthropic.claude-sonnet-4-5-20250929-v1:0` → name `claude-sonnet-4-5-20250929-v1`, provider `anthropic`.
 * Name and provider are null where the id is opaque: it cannot be resolved from the log alone.
 */
export function bedrockModel(id: string): Model {
  const base = id.startsWith('arn:') ? NAMING_ARN.exec(id)?.[1] : id
  if (base === undefined || base.includes('/')) return { id, name: null, provider: null }
  const plain = base.replace(GEOGRAPHY, '')
  const dot = plain.indexOf('.')
  if (dot <= 0 || dot === plain.length - 1) return { id, name: null, provider: null }
  return { id, name: withoutContext(plain.slice(dot + 1)), provider: plain.slice(0, dot) }
}

/** Drops the context suffix (`:300k`) and revision `:0`; `:1` and up stay, since `claude-v2` and `claude-v2:1` are two models. */
function withoutContext(name: string): string {
  const [stem = name, revision] = name.split(':')
  return revision !== undefined && /^[1-9]\d*$/.test(revision) ? `${stem}:${revision}` : stem
}

/**
 * The model behind a Vertex AI publisher model: `publisher` as in `publishers/<publisher>/models/<model>`, `model` with or
 * without `@version`. `id` is what the caller wrote (the model part when not given); the name drops the version.
 */
export function publisherModel(publisher: string | null, model: string, id: string = model): Model {
  const at = model.indexOf('@')
  return { id, name: at > 0 ? model.slice(0, at) : model, provider: publisher }
}
