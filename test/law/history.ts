/** What happens to a directory later: trust that ends and begins again, agents that are deleted, restored, disabled. Made from a world's own audit records. */
import type { Random } from '../../simulate/random.ts'
import { setTime, timesIn } from './times.ts'

interface Audit {
  readonly [key: string]: unknown
}

interface Property {
  readonly displayName: string
  readonly oldValue: string | null
  readonly newValue: string | null
}

/** Further audit records for some of the world's federated credentials and agents, each at the instant of some other record. */
export function history(texts: readonly string[], random: Random): readonly string[] {
  const times = texts.flatMap((text) => timesIn(text).slice(0, 1))
  const later = (text: string, what: string): string => setTime(renamed(text, `${what}_${random.int(0, 1_000_000)}`), random.pick(times))
  return texts.flatMap((text) => {
    if (text.includes('FederatedIdentityCredentials') && random.chance(0.7)) {
      const ended = withProperties(text, (property) => ({ ...property, oldValue: property.newValue, newValue: property.oldValue }))
      return [later(ended, 'ended'), ...(random.chance(0.3) ? [later(text, 'again')] : [])]
    }
    if (text.includes('agenticAppInstance') && text.includes('Add service principal') && random.chance(0.5)) {
      const disabled = withProperties(text, (property) =>
        property.displayName === 'AccountEnabled' ? { ...property, oldValue: '[true]', newValue: '[false]' } : property,
      )
      const kinds = [
        text.replaceAll('Add service principal', 'Delete service principal'),
        text.replaceAll('Add service principal', 'Restore service principal'),
        disabled.replaceAll('Add service principal', 'Update service principal'),
      ]
      return [later(random.pick(kinds), 'fate'), ...(random.chance(0.4) ? [later(random.pick(kinds), 'fate')] : [])]
    }
    return []
  })
}

/** Another record: a changed one with the old id would only be another text of it. */
function renamed(text: string, suffix: string): string {
  return text.replaceAll(/"(id|Id)":\s?"(Directory_[^"]*)"/g, (_, field: string, id: string) => `"${field}":"${id}_${suffix}"`)
}

/** The record with each modified property of its targets changed; in a Log Analytics row they may be text in text. */
function withProperties(text: string, change: (property: Property) => Property): string {
  const audit = JSON.parse(text) as Audit
  const targets = (list: unknown): unknown => {
    if (typeof list === 'string') return JSON.stringify(targets(JSON.parse(list)))
    return (list as readonly { readonly modifiedProperties?: readonly Property[] }[]).map((target) => ({
      ...target,
      modifiedProperties: (target.modifiedProperties ?? []).map(change),
    }))
  }
  const inner = audit['properties'] as Audit | undefined
  if (inner?.['targetResources']) return JSON.stringify({ ...audit, properties: { ...inner, targetResources: targets(inner['targetResources']) } })
  return audit['TargetResources'] ? JSON.stringify({ ...audit, TargetResources: targets(audit['TargetResources']) }) : text
}
