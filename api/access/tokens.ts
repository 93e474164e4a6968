/**
 * Tokens for machines. Of a token only its SHA-256 is stored: it is 256 random bits, which nobody can guess from a hash, however fast that is; slow hashes protect
 * words that people choose, and would cost their time with every request.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Queries } from '../read-models/store.ts'
import { ACCESS_ROLES } from './caller.ts'
import type { AccessRole, Caller, Scope } from './caller.ts'
import { Refused } from './check.ts'
import type { TokenCheck } from './check.ts'

const SHAPE = /^tj_[\w-]{43}$/
/** `tj_` and eight characters: enough to find a token again in the list, and 208 secret bits are left. */
const SHOWN = 11

/** A token as lists show it. */
export interface ApiToken {
  readonly id: string
  readonly name: string
  /** How it begins. */
  readonly prefix: string
  readonly roles: readonly AccessRole[]
  readonly scope: Scope
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly revokedAt: Date | null
  /** To the minute. */
  readonly lastUsedAt: Date | null
}

interface TokenRow {
  id: string
  name: string
  prefix: string
  roles: string[]
  /** Null: everything. */
  tenants: string[] | null
  created_at: Date
  expires_at: Date
  revoked_at: Date | null
  last_used_at: Date | null
}

const COLUMNS = 'id, name, prefix, roles, tenants, created_at, expires_at, revoked_at, last_used_at'

const toToken = (row: TokenRow): ApiToken => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  // A role that this release does not know gives nothing.
  roles: ACCESS_ROLES.filter((role) => row.roles.includes(role)),
  scope: row.tenants ?? 'everything',
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  lastUsedAt: row.last_used_at,
})

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/**
 * Makes a token.
 * @returns what the list will show, and the token itself, which is nowhere else: show it once
 */
export async function createToken(
  db: Queries,
  wanted: { readonly name: string; readonly roles: readonly AccessRole[]; readonly scope: Scope; readonly expiresAt: Date },
): Promise<{ readonly token: string; readonly entry: ApiToken }> {
  const token = `tj_${randomBytes(32).toString('base64url')}`
  const { rows } = await db.query<TokenRow>(
    `insert into api_tokens (name, hash, prefix, roles, tenants, expires_at) values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
    [wanted.name, hashOf(token), token.slice(0, SHOWN), wanted.roles, wanted.scope === 'everything' ? null : wanted.scope, wanted.expiresAt],
  )
  return { token, entry: toToken(rows[0]!) }
}

/** All tokens that there ever were, the latest first. */
export async function listTokens(db: Queries): Promise<readonly ApiToken[]> {
  const { rows } = await db.query<TokenRow>(`select ${COLUMNS} from api_tokens order by created_at desc, id`)
  return rows.map(toToken)
}

/**
 * Ends a token from its next request on.
 * @param name id, prefix as the list shows it, or name
 * @returns the tokens that it names; none is revoked unless it is exactly one
 */
export async function revokeToken(db: Queries, name: string): Promise<readonly ApiToken[]> {
  const { rows } = await db.query<TokenRow>(
    `with named as (select id from api_tokens where revoked_at is null and ($1 in (id::text, prefix, name))),
     ended as (update api_tokens t set revoked_at = now() from named where t.id = named.id and (select count(*) from named) = 1 returning t.*)
     select ${COLUMNS} from ended
     union all select ${COLUMNS} from api_tokens where id in (select id from named) and (select count(*) from named) <> 1`,
    [name],
  )
  return rows.map(toToken)
}

/** How many tokens let somebody in at this moment. */
export async function countUsableTokens(db: Queries): Promise<number> {
  const { rows } = await db.query<{ usable: number }>('select count(*)::int as usable from api_tokens where revoked_at is null and expires_at > now()')
  return rows[0]?.usable ?? 0
}

/** Accepts these tokens. Nothing is remembered between requests: a revoked token is refused from the next request on, in every process. */
export function apiTokens(db: Queries): TokenCheck {
  return async (token) => {
    if (!token.startsWith('tj_')) return null
    if (!SHAPE.test(token)) throw new Refused('This is no whole token of this server.')
    const { rows } = await db.query<TokenRow & { expired: boolean; stale: boolean }>(
      `select ${COLUMNS}, expires_at <= now() as expired, last_used_at is null or last_used_at < now() - interval '1 minute' as stale from api_tokens where hash = $1`,
      [hashOf(token)],
    )
    const row = rows[0]
    if (!row) throw new Refused('This server knows no such token.')
    if (row.revoked_at !== null) throw new Refused('The token was revoked.')
    if (row.expired) throw new Refused('The token has expired.')
    // Not with every request: a busy token would write all the time. Whether it was written is no reason to keep anybody out.
    if (row.stale) db.query('update api_tokens set last_used_at = now() where id = $1', [row.id]).catch(() => undefined)
    return callerOf(toToken(row))
  }
}

const callerOf = ({ id, name, roles, scope }: ApiToken): Caller => ({ id: `token:${id}`, name, roles, scope })
