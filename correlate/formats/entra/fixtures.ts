/** For tests: the Entra records among the repository's fixtures, envelopes removed. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FormatModule } from '#core/event.ts'
import type { JsonObject, RecordContext } from '#core/record.ts'
import { normalised, ownSpelling, readRecord } from '../reading.ts'
import { format as audit } from '../entra-audit/index.ts'
import { format as graphActivity } from '../entra-graph-activity/index.ts'
import { format as signin } from '../entra-signin/index.ts'

const ROOT = join(import.meta.dirname, '../../../test/fixtures')
const FORMATS: readonly FormatModule[] = [signin, audit, graphActivity]

/** The formats that recognise a record, in its cloud's spelling: one, if all is well. */
export function recognisers(value: JsonObject): readonly FormatModule[] {
  const own = ownSpelling(value)
  return FORMATS.filter((format) => format.recognise(own))
}

/** The event of a record that must give one. */
export function eventOf(value: JsonObject, context: RecordContext = {}): Extract<ReturnType<FormatModule['normalise']>, { event: unknown }>['event'] {
  const reading = readRecord(value)
  const answer = reading && normalised(reading, context)
  if (!answer || !('event' in answer)) throw new Error(`no event: ${answer ? answer.reject : 'not recognised'}`)
  return answer.event
}

/** The lines of one sample file. */
export function sample(file: string): readonly JsonObject[] {
  return lines(readFileSync(join(ROOT, 'samples/entra', file), 'utf8'))
}

/** All Entra records of one worked case. */
export function scenarioRecords(name: string): readonly JsonObject[] {
  return globSync(join(ROOT, 'scenarios', name, 'records/{eventhub,graph,log-analytics}/*')).flatMap((file) => {
    const parsed = documentOrLines(readFileSync(file, 'utf8')) as JsonObject[] & {
      records?: JsonObject[]
      value?: JsonObject[]
    }
    return parsed.records ?? parsed.value ?? parsed
  })
}

/** What the worked case expects of its Entra records. */
export function expectedRecords(name: string): readonly ExpectedRecord[] {
  const { records } = JSON.parse(readFileSync(join(ROOT, 'scenarios', name, 'expected.json'), 'utf8')) as { records: ExpectedRecord[] }
  return records.filter((record) => record.source === 'entra')
}

export interface ExpectedRecord {
  readonly nativeId: string
  readonly source: string
  readonly kind: string
  readonly time: string
  readonly tenantId: string
  readonly subjectOid: string | null
  readonly onBehalfOf: string | null
  readonly targets: readonly string[]
  readonly skip: readonly string[]
}

function documentOrLines(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return lines(text)
  }
}

function lines(text: string): JsonObject[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject)
}
