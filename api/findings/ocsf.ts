/** Findings as OCSF 1.8 Detection Findings (class 2004), one JSON object a line. */
import type { Confidence } from '#core/event.ts'
import { ruleHead, type Severity } from '#core/finding.ts'
import { parseTime } from '#core/time.ts'
import type { Finding } from './contract.ts'

const CLASS = 2004
const SEVERITY: Readonly<Record<Severity, readonly [number, string]>> = {
  info: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
}
const CONFIDENCE: Readonly<Record<Confidence, readonly [number, string]>> = {
  exact: [3, 'High'],
  derived: [3, 'High'],
  probable: [2, 'Medium'],
  asserted: [1, 'Low'],
  ambiguous: [1, 'Low'],
  none: [0, 'Unknown'],
}

/** Milliseconds since 1970, rounded down. */
const millis = (time: string): number => Number((parseTime(time) ?? 0n) / 1_000_000n)

/** The OCSF event of a finding. Its time is the last event that the finding rests on: the same finding gives the same event, whenever it is asked for. */
export function ocsfFinding(finding: Finding): Readonly<Record<string, unknown>> {
  const { id, rule, severity, confidence, title, tenantId, oids, evidence, firstSeen, lastSeen, explanation, remediation, details, acknowledgement } = finding
  const [severityId, severityName] = SEVERITY[severity]
  const [confidenceId, confidenceName] = CONFIDENCE[confidence]
  const head = ruleHead(rule)
  const attack = head?.attack
  // Activity "Create" is also what OCSF's own examples give for a finding that is handed over whole.
  return {
    class_uid: CLASS,
    class_name: 'Detection Finding',
    category_uid: 2,
    category_name: 'Findings',
    activity_id: 1,
    activity_name: 'Create',
    type_uid: CLASS * 100 + 1,
    type_name: 'Detection Finding: Create',
    severity_id: severityId,
    severity: severityName,
    confidence_id: confidenceId,
    confidence: confidenceName,
    // "Suppressed" is OCSF's word for a finding that was reviewed and needs no more.
    status_id: acknowledgement ? 3 : 1,
    status: acknowledgement ? 'Suppressed' : 'New',
    ...(acknowledgement
      ? { status_detail: acknowledgement.evidenceChanged ? 'Acknowledged; the evidence has changed since' : 'Acknowledged', comment: acknowledgement.reason }
      : {}),
    time: millis(lastSeen),
    start_time: millis(firstSeen),
    end_time: millis(lastSeen),
    timezone_offset: 0,
    message: explanation,
    metadata: {
      version: '1.8.0',
      product: { name: 'trailjoin', vendor_name: 'trailjoin' },
      uid: id,
      event_code: rule,
      original_time: lastSeen,
      ...(tenantId === null ? {} : { tenant_uid: tenantId }),
    },
    finding_info: {
      uid: id,
      title,
      desc: explanation,
      types: [rule],
      analytic: { type_id: 1, type: 'Rule', uid: rule, name: head?.title ?? title },
      first_seen_time: millis(firstSeen),
      last_seen_time: millis(lastSeen),
      related_events_count: evidence.length,
      related_events: evidence.map((uid) => ({ uid })),
      ...(attack ? { attacks: [attackOf(attack)] } : {}),
    },
    remediation: { desc: remediation },
    ...(oids.length > 0
      ? {
          resources: oids.map((uid) => ({ uid, type: 'Entra identity' })),
          observables: oids.map((value) => ({ name: 'resources[].uid', type_id: 10, type: 'Resource UID', value })),
        }
      : {}),
    unmapped: { confidence, ...(details ? { details } : {}), ...(acknowledgement ? { acknowledgement } : {}) },
  }
}

/** `T1550.001` is a sub-technique of T1550. */
function attackOf(uid: string): object {
  const [technique] = uid.split('.')
  return { technique: { uid: technique }, ...(technique === uid ? {} : { sub_technique: { uid } }) }
}
