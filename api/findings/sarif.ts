/** Findings as a SARIF 2.1.0 log (OASIS), for code-scanning dashboards and whatever else collects results. */
import { ruleHead, type Severity } from '#core/finding.ts'
import type { Finding } from './contract.ts'

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = { critical: 'error', high: 'error', medium: 'warning', low: 'note', info: 'note' }
/** GitHub and others sort security results by this property: the middle of CVSS's range for the word. */
const SCORES: Readonly<Record<Severity, string>> = { critical: '9.5', high: '8.0', medium: '5.5', low: '2.5', info: '0.0' }

/** Messages may hold links and placeholders; names in them are an attacker's to choose (SARIF §3.11.5, §3.11.6). */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll(/[[\]]/g, String.raw`\$&`)
    .replaceAll('{', '{{')
    .replaceAll('}', '}}')

interface Rule {
  readonly id: string
  readonly index: number
  readonly finding: Finding
}

/** The log as JSON text, piece by piece, however many findings there are. */
export async function* sarifLog(findings: AsyncIterable<Finding> | Iterable<Finding>): AsyncGenerator<string> {
  const rules = new Map<string, Rule>()
  yield `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"columnKind":"utf16CodeUnits","results":[`
  let first = true
  for await (const finding of findings) {
    const rule = rules.get(finding.rule) ?? { id: finding.rule, index: rules.size, finding }
    rules.set(finding.rule, rule)
    yield `${first ? '' : ','}\n${JSON.stringify(resultOf(finding, rule.index))}`
    first = false
  }
  const driver = { name: 'trailjoin', rules: [...rules.values()].map(({ id, finding }) => ruleOf(id, finding)) }
  yield `\n],"tool":{"driver":${JSON.stringify(driver)}}}]}\n`
}

/** What is said of a rule is the rule's own, not that of the finding that comes first: one finding may be less grave than its rule. */
function ruleOf(id: string, finding: Finding): object {
  const { title, severity, attack } = ruleHead(id) ?? { ...finding, attack: undefined }
  const { remediation } = finding
  return {
    id,
    shortDescription: { text: plain(title) },
    help: { text: plain(remediation) },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: ['security', ...(attack ? [`external/mitre-attack/${attack}`] : [])], 'security-severity': SCORES[severity] },
  }
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const { id, rule, severity, confidence, tenantId, oids, evidence, firstSeen, lastSeen, explanation, details, acknowledgement } = finding
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: plain(explanation) },
    // An identity is no place in a file.
    ...(oids.length > 0
      ? { locations: [{ logicalLocations: oids.map((oid) => ({ name: oid, fullyQualifiedName: `${tenantId ?? 'unknown'}/${oid}`, kind: 'identity' })) }] }
      : {}),
    partialFingerprints: { 'trailjoinFinding/v1': id },
    ...(acknowledgement
      ? {
          suppressions: [
            {
              kind: 'external',
              status: 'accepted',
              justification: `${acknowledgement.reason} (${acknowledgement.byName ?? acknowledgement.by}, ${acknowledgement.at})`,
            },
          ],
        }
      : {}),
    properties: {
      findingId: id,
      severity,
      confidence,
      tenantId,
      oids,
      evidence,
      firstSeen,
      lastSeen,
      ...(details ? { details } : {}),
      ...(acknowledgement ? { acknowledgement } : {}),
    },
  }
}
