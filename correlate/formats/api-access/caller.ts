import type { DirectoryFact, Proof } from '#core/event.ts'
import { appId, oid } from '#core/keys.ts'
import type { AppId, Oid } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { arr, str } from '../read.ts'

/** Who called, by the claims of a validated Entra token. */
export interface Caller {
  readonly proof: Proof
  /** The user of a delegated (OBO) token. */
  readonly onBehalfOf: Oid | null
  readonly seen: readonly DirectoryFact[]
}

/**
 * Reads the caller; null where neither oid nor client is named. v2 tokens name the client in `azp`, v1 tokens in `appid`.
 *
 * In a user's token `oid` is the user and only the client is the agent (DESIGN §4.1); in an application's own token `oid` is the
 * application's principal. An agent's own token has oid = appid, so where `idtyp` is not logged two different values mean a user.
 */
export function readCaller(claims: JsonObject): Caller | null {
  const principal = oid(claims['oid'])
  const client = appId(claims['appid']) ?? appId(claims['azp'])
  if (principal === null && client === null) return null
  const delegated = isDelegated(claims, principal, client)
  const seen = delegated ? [] : parentOf(claims, principal, client)
  if (delegated && client !== null) return { proof: { by: 'application', appId: client }, onBehalfOf: principal, seen }
  if (principal === null) return { proof: { by: 'application', appId: client! }, onBehalfOf: null, seen }
  return { proof: { by: 'principal', oid: principal, appId: client, kind: delegated ? 'user' : null }, onBehalfOf: null, seen }
}

function isDelegated(claims: JsonObject, principal: Oid | null, client: AppId | null): boolean {
  const type = str(claims['idtyp'])?.toLowerCase()
  if (type === 'app') return false
  if (type === 'user' || str(claims['scp']) !== null || arr(claims['scp']).length > 0) return true
  return principal !== null && client !== null && String(principal) !== String(client)
}

/** `xms_par_app_azp` is the Blueprint's appId: only an agent's token has it. */
function parentOf(claims: JsonObject, principal: Oid | null, client: AppId | null): DirectoryFact[] {
  const blueprint = appId(claims['xms_par_app_azp'])
  if (blueprint === null || principal === null) return []
  return [
    { type: 'seen', oid: principal, kind: 'agent', appId: client, name: null, blueprintAppId: blueprint, blueprintObjectId: null, msiType: null, armId: null },
  ]
}
