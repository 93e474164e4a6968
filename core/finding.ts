/** How bad a finding is, the least first. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** MITRE ATT&CK techniques of the rules that have one; `correlate/findings/rules.test.ts` holds the rules to it. */
export const ATTACK: Readonly<Record<string, string>> = {
  'activity-after-revocation': 'T1078.004',
  'audience-trap': 'T1550.001',
  'blueprint-token-misuse': 'T1550.001',
  'credential-used-from-new-address': 'T1550',
  'exchange-without-issuance': 'T1550.001',
  'identity-claim-mismatch': 'T1036',
  'llm-probing': 'T1526',
  'logging-disabled': 'T1562.008',
  'secret-where-federation-expected': 'T1552.001',
  'tenant-wide-trust': 'T1199',
  'unknown-subject': 'T1199',
}
