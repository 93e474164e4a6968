/**
 * What happens to a directory later: trust that ends and begins again; agents that come, are deleted, restored, disabled; Blueprints that go. Made from a world's own audit
 * records, and most of it while sessions are open.
 */
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

/** Further audit records for some of the world's federated credentials, agents and Blueprints, each at the instant of some other record or a moment after an exchange. */
export function history(texts: readonly string[], random: Random): readonly string[] {
  const times = texts.flatMap((text) => timesIn(text).slice(0, 1))
  const exchanges = texts.filter((text) => EXCHANGE.test(text)).flatMap((text) => timesIn(text).slice(0, 1))
  const moment = (): string =>
    exchanges.length > 0 && random.chance(0.7)
      ? new Date(Date.parse(random.pick(exchanges)) + random.pick([0, 500, 1_500, 6_000, 20_000, 90_000, 600_000, 2_400_000])).toISOString()
      : random.pick(times)
  const later = (text: string, what: string): string => setTime(renamed(text, `${what}_${random.int(0, 1_000_000)}`), moment())
  return texts.flatMap((text) => {
    if (text.includes('FederatedIdentityCredentials') && random.chance(0.7)) {
      const ended = withProperties(text, (property) => ({ ...property, oldValue: property.newValue, newValue: property.oldValue }))
      return [later(ended, 'ended'), ...(random.chance(0.3) ? [later(text, 'again')] : [])]
    }
    if (text.includes('"agenticApp"') && text.includes('Add application') && random.chance(0.2)) {
      const gone = later(text.replaceAll('Add application', 'Delete application'), 'gone')
      return [gone, ...(random.chance(0.4) ? [later(text.replaceAll('Add application', 'Restore application'), 'back')] : [])]
    }
    if (text.includes('agenticAppInstance') && text.includes('Add service principal') && random.chance(0.6)) {
      const newcomer = random.chance(0.4) ? text.replaceAll(agentOf(text), random.guid()) : null
      const one = newcomer !== null && random.chance(0.5) ? newcomer : text
      const disabled = withProperties(one, (property) =>
        property.displayName === 'AccountEnabled' ? { ...property, oldValue: '[true]', newValue: '[false]' } : property,
      )
      const kinds = [
        one.replaceAll('Add service principal', 'Delete service principal'),
        one.replaceAll('Add service principal', 'Restore service principal'),
        disabled.replaceAll('Add service principal', 'Update service principal'),
      ]
      return [
        ...(newcomer === null ? [] : [later(newcomer, 'came')]),
        later(random.pick(kinds), 'fate'),
        ...(random.chance(0.4) ? [later(random.pick(kinds), 'fate')] : []),
      ]
    }
    return []
  })
}

const EXCHANGE = /"(AssumeRoleWithWebIdentity|google\.identity\.sts\.v1\.SecurityTokenService\.ExchangeToken)"/

/** The oid of the one agent that a record of the directory is about. */
function agentOf(text: string): string {
  return /"id":\s?"([0-9a-f-]{36})",\s?"displayName":\s?"[^"]*",\s?"type":\s?"ServicePrincipal"/.exec(text)![1]!
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
