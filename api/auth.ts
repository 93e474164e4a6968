export { bearerToken, localToken } from './access/local-token.ts'
export type { Authenticate } from './access/check.ts'
