/** Whom the server runs as: PostgreSQL refuses to run as root. Empty when the program itself is not root. */
export interface ServerUser {
  readonly uid?: number
  readonly gid?: number
}
