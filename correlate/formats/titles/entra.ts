/** Rows of the tables that the Entra admin center hands out (sign-ins of the four kinds, audits), as the objects of Graph that they stand for. */
import { ENTRA_AUDIT_TITLES, ENTRA_SIGNIN_TITLES } from '#core/column-titles.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { str } from '../read.ts'
import type { Cells, Told } from './cells.ts'
import { renamed } from './cells.ts'
import { tableTime } from './time.ts'

/** A row of sign-ins; null when it is none. */
export function signinRow(cells: Cells): Told | null {
  const dated = cells.has('dateutc')
  if (!dated || cells.has('activity') || !['serviceprincipalid', 'userid', 'username', 'applicationid', 'managedidentityid'].some((title) => cells.has(title)))
    return null
  const { value, left } = renamed(cells, ENTRA_SIGNIN_TITLES)
  const status = statusOf(str(cells.get('status')), str(cells.get('signinerrorcode')))
  if (status === null) {
    const written = str(cells.get('status'))
    return {
      reject: `entra-signin: Status must be Success, Failure or Interrupted, or Sign-in error code a number, got ${written === null ? 'neither' : JSON.stringify(written.slice(0, 60))}`,
    }
  }
  const { associatedResourceId, managedIdentityType, ...rest } = value
  return {
    left,
    value: {
      // Without it, Graph's object is not known for a sign-in.
      appId: '',
      ...rest,
      createdDateTime: tableTime(value['createdDateTime']),
      status: { ...(rest['status'] as JsonObject | undefined), errorCode: status },
      ...identityOf(managedIdentityType, associatedResourceId),
    },
  }
}

/** Its number; where the row only says that it failed, that word. */
function statusOf(status: string | null, code: string | null): Json | null {
  if (code !== null && /^\d+$/.test(code) && (code !== '0' || !/^(?:failure|interrupted)$/i.test(status ?? ''))) return Number(code)
  if (status === null) return null
  if (/^success$/i.test(status)) return 0
  return /^(?:failure|interrupted)$/i.test(status) ? status : null
}

/** `User assigned` or `None`. */
function identityOf(type: Json | undefined, armId: Json | undefined): JsonObject {
  const kind = { userassigned: 'userAssigned', systemassigned: 'systemAssigned' }[(str(type) ?? '').replace(/[^A-Za-z]/g, '').toLowerCase()]
  return kind === undefined ? {} : { managedServiceIdentity: { msiType: kind, associatedResourceId: armId ?? null } }
}

/** A row of audits; null when it is none. */
export function auditRow(cells: Cells): Told | null {
  if (!cells.has('dateutc') || !cells.has('activity')) return null
  const { value, left } = renamed(cells, ENTRA_AUDIT_TITLES, /^(?:target\d+|additionaldetail\d+)/)
  const { actor, ...rest } = value
  const targets = numbered(cells, /^target(\d+)(.+)$/).map(targetOf)
  const details = numbered(cells, /^additionaldetail(\d+)(key|value)$/).map((detail) => ({
    key: detail.get('key') ?? null,
    value: detail.get('value') ?? null,
  }))
  return {
    left,
    value: {
      ...rest,
      activityDateTime: tableTime(value['activityDateTime']),
      initiatedBy: initiatorOf((actor ?? {}) as JsonObject),
      targetResources: targets,
      additionalDetails: details.filter(({ key }) => key !== null),
    },
  }
}

/** A user by the object id and name; an application by what only applications have. */
function initiatorOf(actor: JsonObject): JsonObject {
  const { servicePrincipalId = null, servicePrincipalName = null, appId = null, ...person } = actor
  const application = [servicePrincipalId, servicePrincipalName, appId].some((part) => str(part) !== null)
  const user = str(person['userPrincipalName']) !== null || (!application && str(person['id']) !== null)
  return {
    user: user ? person : null,
    app: application ? { servicePrincipalId: servicePrincipalId ?? null, displayName: servicePrincipalName ?? person['displayName'] ?? null, appId } : null,
  }
}

function targetOf(target: ReadonlyMap<string, Json>): JsonObject {
  const changes = numbered(target, /^modifiedproperty(\d+)(name|oldvalue|newvalue)$/)
  return {
    id: target.get('objectid') ?? target.get('id') ?? null,
    displayName: target.get('displayname') ?? null,
    type: target.get('type') ?? null,
    userPrincipalName: target.get('userprincipalname') ?? null,
    modifiedProperties: changes
      .map((change) => ({ displayName: change.get('name') ?? null, oldValue: change.get('oldvalue') ?? null, newValue: change.get('newvalue') ?? null }))
      .filter(({ displayName }) => displayName !== null),
  }
}

/** The numbered columns of one pattern, by their number, under the rest of their title; numbers without any cell are none. */
function numbered(cells: ReadonlyMap<string, Json>, pattern: RegExp): ReadonlyMap<string, Json>[] {
  const found = new Map<number, Map<string, Json>>()
  for (const [title, cell] of cells) {
    const [, number, name] = pattern.exec(title) ?? []
    if (number === undefined || name === undefined || cell === '') continue
    const one = found.get(Number(number)) ?? new Map<string, Json>()
    found.set(Number(number), one.set(name, cell))
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, one]) => one)
}
