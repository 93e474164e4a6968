/** How bad a finding is, the least first. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What a rule is called and how grave its findings are, unless one of them says otherwise. */
export interface RuleHead {
  /** The name of its file in `correlate/findings/`. */
  readonly id: string
  readonly title: string
  readonly severity: Severity
  /** MITRE ATT&CK technique, where one fits. */
  readonly attack?: string
}

/** The rules by id: here, and not in their files, because exports tell of them, too. */
export const RULES = {
  'activity-after-revocation': {
    id: 'activity-after-revocation',
    title: 'A deleted or disabled agent is still active',
    severity: 'critical',
    attack: 'T1078.004',
  },
  'audience-trap': {
    id: 'audience-trap',
    title: 'A token meant for another API opens the cloud',
    severity: 'high',
    attack: 'T1550.001',
  },
  'blueprint-token-misuse': {
    id: 'blueprint-token-misuse',
    title: "A Blueprint's token was used outside of Entra",
    severity: 'high',
    attack: 'T1550.001',
  },
  'credential-used-from-new-address': {
    id: 'credential-used-from-new-address',
    title: 'A cloud session is used from an address that its agent never used',
    severity: 'high',
    attack: 'T1550',
  },
  'entra-outage-coupling': {
    id: 'entra-outage-coupling',
    title: "An agent's cloud access depends on an Entra that failed",
    severity: 'info',
  },
  'exchange-without-issuance': {
    id: 'exchange-without-issuance',
    title: 'A token was exchanged that Entra did not issue in its lifetime',
    severity: 'high',
    attack: 'T1550.001',
  },
  'identity-claim-mismatch': {
    id: 'identity-claim-mismatch',
    title: 'A caller names another identity than the one that is proven',
    severity: 'medium',
    attack: 'T1036',
  },
  'llm-probing': {
    id: 'llm-probing',
    title: 'A credential is tried out on many models',
    severity: 'high',
    attack: 'T1526',
  },
  'logging-disabled': {
    id: 'logging-disabled',
    title: 'Logging was stopped, deleted or narrowed',
    severity: 'high',
    attack: 'T1562.008',
  },
  'orphaned-trust': {
    id: 'orphaned-trust',
    title: 'A managed identity was recreated and the trust still names the old one',
    severity: 'medium',
  },
  'revocation-incomplete': {
    id: 'revocation-incomplete',
    title: 'A cloud still lets the managed identity of a removed agent in',
    severity: 'high',
    attack: 'T1078.004',
  },
  'sami-anchor': {
    id: 'sami-anchor',
    title: 'A system-assigned managed identity anchors a federation',
    severity: 'medium',
  },
  'secret-where-federation-expected': {
    id: 'secret-where-federation-expected',
    title: 'A secret or static key is used where a federation is expected',
    severity: 'high',
    attack: 'T1552.001',
  },
  'shared-uami-unattributable': {
    id: 'shared-uami-unattributable',
    title: 'Several agents share the identity that the cloud sees',
    severity: 'medium',
  },
  'tenant-wide-trust': {
    id: 'tenant-wide-trust',
    title: 'A cloud trusts every identity of an Entra tenant',
    severity: 'high',
    attack: 'T1199',
  },
  'topology-drift': {
    id: 'topology-drift',
    title: 'An agent federates to one cloud both as itself and through its managed identity',
    severity: 'low',
  },
  'unknown-subject': {
    id: 'unknown-subject',
    title: "An identity that Entra's logs do not know federated to a cloud",
    severity: 'high',
    attack: 'T1199',
  },
} as const satisfies Readonly<Record<string, RuleHead>>

/** The rule of that id; undefined for one that is not known any more. */
export function ruleHead(id: string): RuleHead | undefined {
  return (RULES as Readonly<Record<string, RuleHead>>)[id]
}
