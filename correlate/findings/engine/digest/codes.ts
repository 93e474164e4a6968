/** Entra's error codes that findings ask for. */

/** Entra's own faults by its published list: token issuance failed (50000), external or internal server to be tried again (90006, 90025), time or budget used up (90012, 90024), directory unavailable (90033, 90036). */
export const OWN_FAULTS: ReadonlySet<string> = new Set(['50000', '90006', '90012', '90024', '90025', '90033', '90036'])

/** Wrong secret, no credential, expired secret (facts/entra.md d): each of them only where a secret is in use. */
export const SECRET_ERRORS: ReadonlySet<string> = new Set(['7000215', '7000218', '7000222'])

/** No federated credential matches (facts/entra.md d). */
export const NO_MATCHING_CREDENTIAL: ReadonlySet<string> = new Set(['70021', '700211', '700212', '700213', '700214', '7002137', '7002138'])
