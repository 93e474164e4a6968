import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { RULES, SEVERITIES } from '#core/finding.ts'
import { CONFIDENCES } from '#core/event.ts'
import { ocsfFaults } from '../../test/ocsf-schema.ts'
import type { Finding } from './contract.ts'
import { ocsfFinding } from './ocsf.ts'
import { sarifLog } from './sarif.ts'

const schema = z.fromJSONSchema(JSON.parse(readFileSync(join(import.meta.dirname, '../../test/fixtures/sarif/sarif-2.1.0-rtm.5.json'), 'utf8')))

const BASE: Finding = {
  id: '11111111-1111-8111-8111-111111111111',
  rule: 'activity-after-revocation',
  severity: 'critical',
  confidence: 'exact',
  title: 'A deleted agent is still active',
  tenantId: '22222222-2222-4222-8222-222222222222',
  oids: ['33333333-3333-4333-8333-333333333333', '44444444-4444-4444-8444-444444444444'],
  evidence: ['55555555-5555-8555-8555-555555555555'],
  firstSeen: '2026-09-01T10:00:00.123456789Z',
  lastSeen: '2026-09-01T11:00:00.000000000Z',
  explanation: 'It acted.',
  remediation: 'Stop it.',
  details: { verdict: 'broken' },
  status: 'open',
  acknowledgement: null,
}
const ACKNOWLEDGED: Finding = {
  ...BASE,
  status: 'acknowledged',
  acknowledgement: { by: 'local', byName: null, reason: 'Known [test](https://x.example) {0}', at: '2026-09-02T00:00:00.000Z', evidenceChanged: true },
}
const EVERY: readonly Finding[] = [
  ...SEVERITIES.map((severity) => ({ ...BASE, severity })),
  ...CONFIDENCES.map((confidence) => ({ ...BASE, confidence })),
  ...Object.keys(RULES).map((rule) => ({ ...BASE, rule })),
  { ...BASE, rule: 'topology-drift', tenantId: null, oids: [], details: null },
  ACKNOWLEDGED,
]

interface Log {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly message: { readonly text: string }
      readonly suppressions?: unknown
    }[]
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
  }[]
}

async function logOf(findings: readonly Finding[]): Promise<Log> {
  return JSON.parse((await Array.fromAsync(sarifLog(findings))).join('')) as Log
}

test('findings of every severity, confidence, rule and status are SARIF as its published schema has it', async () => {
  expect(schema.safeParse(await logOf(EVERY)).error?.issues ?? []).toEqual([])
  expect(schema.safeParse(await logOf([])).success).toBe(true)
})

test('the check against the schema can fail', async () => {
  const log = (await logOf([BASE])) as unknown as { runs: [{ results: [Record<string, unknown>] }] }
  log.runs[0].results[0]['level'] = 'critical'
  expect(schema.safeParse(log).success).toBe(false)
})

test('each result names its rule, and what was acknowledged is suppressed with the reason', async () => {
  const { runs } = await logOf([BASE, { ...BASE, rule: 'sami-anchor' }, ACKNOWLEDGED])
  const { results, tool } = runs[0]!
  expect(results.map((result) => tool.driver.rules[result.ruleIndex]!.id)).toEqual(results.map((result) => result.ruleId))
  expect(results.map((result) => result.suppressions !== undefined)).toEqual([false, false, true])
})

test("what is said of a rule is the rule's, whichever of its findings comes first", async () => {
  const mild = { ...BASE, severity: 'high', title: 'This one only' } as const
  for (const findings of [
    [mild, BASE],
    [BASE, mild],
  ]) {
    const [rule] = (await logOf(findings)).runs[0]!.tool.driver.rules
    expect(rule).toMatchObject({
      shortDescription: { text: 'A deleted or disabled agent is still active' },
      defaultConfiguration: { level: 'error' },
      properties: { 'security-severity': '9.5', tags: ['security', 'external/mitre-attack/T1078.004'] },
    })
  }
  expect(ocsfFinding(mild)).toMatchObject({ finding_info: { title: 'This one only', analytic: { name: 'A deleted or disabled agent is still active' } } })
})

test('names that an attacker chose make no links or placeholders', async () => {
  const { runs } = await logOf([{ ...BASE, explanation: 'as [click](https://evil.example) {0} \\[' }])
  expect(runs[0]!.results[0]!.message.text).toBe(String.raw`as \[click\](https://evil.example) {{0}} \\\[`)
})

test('findings of every severity, confidence, rule and status are OCSF Detection Findings as its published schema has them', () => {
  for (const finding of EVERY) expect(ocsfFaults(ocsfFinding(finding))).toEqual([])
  expect(ocsfFaults({ ...ocsfFinding(BASE), severity_id: 7 })).not.toEqual([])
})
