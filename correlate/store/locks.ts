/** Advisory lock of the deriver: conclusions are drawn by one process at a time (correlate/SPEC.md, I3). An arbitrary number, the same everywhere. */
export const DERIVE_LOCK = 7_241_001

/** Advisory lock of whoever computes findings: one process at a time replaces them. */
export const FINDINGS_LOCK = 7_241_002
