import type { Outcome, TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { arr, at, num, obj, str } from '../read.ts'
import type { Value } from '../read.ts'

/** How something ended, with the error where it failed. */
export type Ending = Pick<TrailEvent, 'outcome' | 'error'>

const SUCCESS: Ending = { outcome: 'success', error: null }
const UNKNOWN: Ending = { outcome: 'unknown', error: null }
const failure = (code: string, message: string | null): Ending => ({ outcome: 'failure', error: { code, message } })

/**
 * How an audited call ended. `status` decides (google.rpc.Status; `authorizationInfo.granted` is false on successful token exchanges), an
 * empty or absent one means success (facts/gcp.md c) unless the entry says otherwise: by its HTTP status, by its severity, or because the
 * "call" is a sign-in event of Google Workspace, which has no status at all.
 */
export function endingOfCall(entry: JsonObject, payload: JsonObject): Ending {
  const status = at(payload, 'status')
  const code = codeOf(at(status, 'code'))
  const message = str(at(status, 'message'))
  if (code !== null && code !== '0') return failure(code, message)
  // A message without a code is an error of which an exporter lost the number.
  if (code === null && message !== null && !/^ok$/i.test(message)) return failure(message, message)
  const signIn = workspaceEnding(payload)
  if (signIn !== null) return signIn
  if (status !== undefined && status !== null) return SUCCESS
  const answered = codeOf(at(payload, 'response.error.code'))
  if (answered !== null && answered !== '0') return failure(answered, str(at(payload, 'response.error.message')))
  return httpEnding(entry) ?? severityEnding(entry) ?? SUCCESS
}

/** How what a plain entry (no audit record) tells of ended: by its HTTP status or an error's severity; most say nothing of the kind. */
export function endingOfEntry(entry: JsonObject): Ending {
  return httpEnding(entry) ?? severityEnding(entry) ?? UNKNOWN
}

/** A code as a number (also in text) or by its name (`PERMISSION_DENIED`), as text. `OK` is 0. */
function codeOf(value: Value): string | null {
  const number = num(value)
  if (number !== null) return String(number)
  const name = str(value)
  return name !== null && /^ok$/i.test(name) ? '0' : name
}

function httpEnding(entry: JsonObject): Ending | null {
  const status = num(at(entry, 'httpRequest.status'))
  if (status === null || status < 100) return null
  return status >= 400 ? failure(String(status), str(at(entry, 'jsonPayload.statusDetails'))) : SUCCESS
}

/** Google's LogSeverity: ERROR is 500, what is graver is more. Below nothing is said: a warning may be about a success. */
function severityEnding(entry: JsonObject): Ending | null {
  const severity = at(entry, 'severity')
  const name = str(severity)?.toUpperCase() ?? null
  const grave = (num(severity) ?? 0) >= 500 || name === 'ERROR' || name === 'CRITICAL' || name === 'ALERT' || name === 'EMERGENCY'
  return grave ? failure(String(num(severity) ?? name), null) : null
}

/**
 * Sign-in and account events that Google Workspace and Cloud Identity share with Cloud Logging
 * (cloud.google.com/logging/docs/audit/gsuite-login-samples): what happened stands in the method's name and in
 * `metadata.event[].eventName` (`login_failure`), the result of a challenge in a parameter. Null for everything else.
 */
function workspaceEnding(payload: JsonObject): Ending | null {
  const method = str(at(payload, 'methodName'))
  const service = str(at(payload, 'serviceName'))
  const events = arr(at(payload, 'metadata.event')).map(obj)
  const signIn = service === 'login.googleapis.com' || /^google\.(?:login|apps\.login)\./.test(method ?? '')
  if (!signIn && events.length === 0) return null
  const names = [...(signIn ? [method?.split('.').at(-1) ?? null] : []), ...events.map((event) => str(at(event, 'eventName')))].filter((name) => name !== null)
  const parameters = events.flatMap((event) => arr(at(event, 'parameter')))
  const challenge = parameter(parameters, 'login_challenge_status')
  const endings = names.map((name) => namedOutcome(name, challenge))
  if (endings.includes('failure')) {
    const why = parameter(parameters, 'login_failure_type') ?? parameter(parameters, 'failure_type') ?? challenge
    return failure(str(at(events[0], 'eventName')) ?? names[0]!, why)
  }
  if (endings.includes('success')) return SUCCESS
  // Other changes that Workspace shares are made when they are logged; a sign-in event of another name says nothing.
  return signIn ? UNKNOWN : null
}

function parameter(parameters: readonly Value[], name: string): string | null {
  const found = parameters.find((one) => str(at(one, 'name')) === name)
  return str(at(found, 'value')) ?? str(at(found, 'multiStrValue.0')) ?? str(at(found, 'multiValue.0'))
}

/** From an event's name in either spelling: `loginFailure`, `login_failure`, `SamlLoginFailed`. */
function namedOutcome(name: string, challenge: string | null): Outcome {
  if (/(?:failure|failed|denied|blocked|rejected)$/i.test(name)) return 'failure'
  if (/challenge|verification$/i.test(name)) return /passed/i.test(challenge ?? '') ? 'success' : /failed/i.test(challenge ?? '') ? 'failure' : 'unknown'
  if (/(?:success|succeeded|allowed|logout|enroll|edit|disable|turn_?o(?:n|ff))$/i.test(name)) return 'success'
  return 'unknown'
}
