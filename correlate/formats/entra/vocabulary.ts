/** How the three shapes of an Entra record, and the tables of Defender, spell what is in it. What lies below a member is spelled alike in all of them. */
import type { JsonObject } from '#core/record.ts'
import type { Spelling, Vocabulary } from '../spelling/vocabulary.ts'
import { below, vocabulary } from '../spelling/vocabulary.ts'
import { ENVELOPE, TABLE } from './known.ts'
import { classify, columnOf, type Shape } from './view.ts'

/** Members that are objects or lists, in their Graph spelling; of these the normalisers read. */
const STRUCTURES: Readonly<Record<string, readonly string[]>> = {
  status: below('status!', 'errorCode failureReason additionalDetails'),
  agent: below('agent!', 'agentType$ parentAppId agentSubjectType agentSubjectParentId'),
  managedServiceIdentity: below('managedServiceIdentity', 'msiType associatedResourceId federatedTokenId federatedTokenIssuer'),
  signInEventTypes: ['signInEventTypes[]'],
  initiatedBy: [
    ...below('initiatedBy!.user', 'id displayName userPrincipalName ipAddress userType homeTenantId homeTenantName'),
    ...below('initiatedBy.app', 'appId displayName servicePrincipalId servicePrincipalName agentType blueprintId'),
  ],
  targetResources: [
    ...below('targetResources![]', 'id displayName type userPrincipalName groupType agentType blueprintId administrativeUnits'),
    ...below('targetResources[].modifiedProperties![]', 'displayName oldValue newValue'),
  ],
  additionalDetails: below('additionalDetails[]', 'key value'),
}

/** The paths of a shape: each field with what lies below it. `named` gives the field's name there, `prefix` where fields are. */
function pathsOf(fields: readonly string[], named: (field: string) => string, prefix = ''): string[] {
  return fields.flatMap((field) => (STRUCTURES[field] ?? [field]).map((path) => prefix + named(field) + path.slice(field.length)))
}

const same = (field: string): string => field

/** A table of Defender's advanced hunting: what tells it, and its columns by the fields that they are. */
export interface DefenderTable {
  readonly requires: readonly string[]
  readonly columns: Readonly<Record<string, string>>
}

/** The spelling of a family of Entra records with these fields. */
export function entraSpelling(fields: readonly string[], defender?: DefenderTable): Spelling {
  // Graph's PowerShell modules put members that they do not know under this name.
  const spread = ['AdditionalProperties']
  const byShape: Readonly<Record<Shape, Vocabulary>> = {
    diagnostic: vocabulary([...ENVELOPE, 'Level', 'properties!', ...pathsOf(fields, same, 'properties.')]),
    'log-analytics': vocabulary([...TABLE, ...pathsOf(fields, columnOf)], { textCells: true }),
    graph: vocabulary(pathsOf(fields, same), { spread }),
  }
  return {
    of: (value: JsonObject) => byShape[classify(value)?.shape ?? 'graph'],
    // A table that says what it needs comes first: its rows would be half read in the others.
    all: [...(defender ? [vocabulary(pathsOf(fields, same), defender)] : []), ...Object.values(byShape)],
  }
}
