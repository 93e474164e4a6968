import { ENTRA_NAMES, EXCHANGES, REFUSED_SIGN_INS, SECRET_SIGN_INS, SIGN_IN_LOGS } from './identity-topics.ts'
import type { Topic } from './topic.ts'
import { APIS, API_CALLERS, CLAIMS, FEDERATED_USES, HOMES, KEY_USES, PROBES, SHARED, STATIC_CALLS, USES } from './use-topics.ts'

/** Each is another type; what sums them up reads their columns only. */
export const TOPICS: readonly Topic<object>[] = [
  EXCHANGES,
  REFUSED_SIGN_INS,
  SIGN_IN_LOGS,
  APIS,
  API_CALLERS,
  ENTRA_NAMES,
  USES,
  HOMES,
  CLAIMS,
  SHARED,
  PROBES,
  SECRET_SIGN_INS,
  STATIC_CALLS,
  KEY_USES,
  FEDERATED_USES,
]
