import { expect, test } from 'vitest'
import { RULES, SEVERITIES } from '#core/finding.ts'
import { pinsSubject } from './engine/cel.ts'
import { rules } from './index.ts'

/** DESIGN §5.3. */
const CONTRACT = [
  'activity-after-revocation',
  'audience-trap',
  'blueprint-token-misuse',
  'credential-used-from-new-address',
  'entra-outage-coupling',
  'exchange-without-issuance',
  'identity-claim-mismatch',
  'llm-probing',
  'logging-disabled',
  'orphaned-trust',
  'revocation-incomplete',
  'sami-anchor',
  'secret-where-federation-expected',
  'shared-uami-unattributable',
  'tenant-wide-trust',
  'topology-drift',
  'unknown-subject',
]

test('every rule of the contract exists, under the name of its file', () => {
  expect(rules.map((rule) => rule.id)).toEqual(CONTRACT)
})

test('every rule says why it matters, what to do and when it is wrong', () => {
  for (const rule of rules) {
    expect(SEVERITIES, rule.id).toContain(rule.severity)
    expect(
      [rule.title, rule.why, rule.remediation].every((text) => text.length > 20),
      rule.id,
    ).toBe(true)
    expect(rule.falsePositives.length, rule.id).toBeGreaterThan(0)
    expect(rule.attack ?? 'T1000', rule.id).toMatch(/^T\d{4}(\.\d{3})?$/)
  }
})

test('exports know every rule, and no other', () => {
  expect(Object.keys(RULES)).toEqual(CONTRACT)
})

test('the documentation of the findings is what the rules say', async () => {
  const sections = rules.map((rule) =>
    [
      `## ${rule.id}`,
      '',
      `**${rule.title}.** Severity: ${rule.severity}${rule.attack ? `. ATT&CK: ${rule.attack}` : ''}.`,
      '',
      rule.why,
      '',
      `What to do: ${rule.remediation}`,
      '',
      'It may be wrong about:',
      '',
      ...rule.falsePositives.map((one) => `- ${one}`),
      '',
    ].join('\n'),
  )
  await expect(`${INTRODUCTION}\n${sections.join('\n')}`).toMatchFileSnapshot('../../docs/findings.md')
})

const INTRODUCTION = `# Findings

A finding is a conclusion that follows from the set of stored records: the same records give the same findings, in whatever order they came. It lists
the events that it rests on, and its id stays the same when more evidence comes. \`trailjoin findings\` and \`/v1/findings\` show them.

The confidence says what the conclusion rests on: \`exact\`, the records say it; \`derived\`, it follows from a log that is complete for the time in question; \`probable\`, that log does not
reach back far enough or has not come far enough, and the explanation says so.

## Working with findings

\`\`\`
trailjoin findings --status open --severity high,critical
trailjoin findings acknowledge <id> --reason "the weather API is ours"
trailjoin findings reopen <id>
trailjoin findings --format sarif > findings.sarif      # or ocsf: Detection Findings (class 2004), one a line
\`\`\`

- **Acknowledged** means that somebody (role \`responder\` or \`compliance\` at the API) said why nothing more needs to be done: \`POST\` and \`DELETE /v1/findings/{id}/acknowledgement\`. It survives every recomputation, also when the
  finding goes and comes again. \`evidenceChanged\` (an asterisk in the table) says that evidence, severity, confidence or oids are not what they were then. Every decision is kept with who, when and why (table \`finding_decisions\`). Decisions
  follow from no record, so the canonical export does not have them.
- **Absence** counts only where the log covers the time: its first record lies before the longest life of a token, and its last one after the event. Both are read from the records themselves, because findings are a function of them: a gap
  in the middle of a log that a collector reports (\`trailjoin doctor\`, \`/v1/coverage\`) does not change a finding.
- **Revocation** is a proof: \`/v1/oids/{oid}\` shows for every agent that was deleted or disabled what succeeded after that on each cloud, which credentials outlived it and until when, what the managed identities that it could use still exchanged
  (\`identities\`), and a verdict: \`quiet\`, \`running-out\`, \`incomplete\` (revocation-incomplete), \`doubtful\`, \`broken\` (activity-after-revocation, with the proof in \`details\`).
- \`/v1/oids/{oid}\` also shows how an agent federated to each cloud over time (\`topologyOverTime\`).
- Being told: [webhooks](findings-webhooks.md). Rules of your own: [Sigma](sigma.md).
- **What a refresh costs**: it reads the events of the days on which something changed, and adds up the sums of all days, which are far fewer than the events but grow with the store. A finding lists its first thousand events; rules that look at each event of what they find (activity-after-revocation, audience-trap on Google Cloud, blueprint-token-misuse,
  entra-outage-coupling, exchange-without-issuance, llm-probing, orphaned-trust) read all of those, the others a thousand of each group. After an update that changes what is summed up, or that ran beside an older version, the next refresh reads everything once, without
  waiting for a record. Nothing needs to be emptied by hand; for a recount: \`delete from progress where name in ('digests', 'findings')\`.
- Precision and recall of each rule over simulated worlds with planted cases: \`npx vitest run correlate/findings/precision\`.

Each rule is one file under \`correlate/findings/\`; its tests, firing and silent, stand in \`correlate/findings/*.pg.test.ts\`. This page is written from those files (\`npx vitest run correlate/findings/rules.test.ts -u\`).
`

test.each([
  [`assertion.sub == 'x'`, true],
  [`'x' == google.subject`, true],
  [`assertion["oid"] in ['a', 'b']`, true],
  [`assertion.sub.startsWith('agent-') && assertion.tid == 't'`, true],
  [`(assertion.tid == 't') && (assertion.sub == 'a' || assertion.azp == 'b')`, true],
  [`!(assertion.sub != 'a')`, true],
  [`assertion.groups.exists(group, group == 'g')`, true],
  ['', false],
  ['true', false],
  [`assertion.tid == 't' && assertion.iss == 'i' && assertion.aud == 'a'`, false],
  [`assertion.sub == 'a' || assertion.tid == 't'`, false],
  [`assertion.sub != 'a'`, false],
  [`assertion.sub != ''`, false],
  [`assertion.sub.matches('.*')`, false],
  [`assertion.sub.startsWith('')`, false],
  [`has(assertion.sub) && assertion.tid == 't'`, false],
  [`assertion.idtyp == 'app'`, false],
  [`assertion.sub == assertion.oid`, false],
])('the condition %s pins the subject: %s', (condition, pinned) => {
  expect(pinsSubject(condition, (name) => name.startsWith('google.'))).toBe(pinned)
})
