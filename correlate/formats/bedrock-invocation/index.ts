import type { FormatModule } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { isObj, str } from '../read.ts'
import { normalise } from './normalise.ts'

/** Entries say `schemaType`; one published variant lacks it and is known by its call and its bodies. */
function recognise(value: JsonObject): boolean {
  if (value['schemaType'] === 'ModelInvocationLog') return true
  return (
    str(value['modelId']) !== null &&
    str(value['requestId']) !== null &&
    str(value['operation']) !== null &&
    !Object.hasOwn(value, 'eventName') &&
    (isObj(value['input']) || isObj(value['output']))
  )
}

function rank(value: JsonObject): number {
  return value['schemaType'] === 'ModelInvocationLog' ? 0 : 1
}

/** Bodies are never kept: only their counts are read. */
const known = [
  'schemaType',
  'schemaVersion',
  'timestamp',
  'accountId',
  'region',
  'requestId',
  'operation',
  'modelId',
  'errorCode',
  'errorMessage',
  'status',
  'inferenceRegion',
  'identity.arn',
  'performanceConfig',
  'requestMetadata',
  'input.inputContentType',
  'input.inputBodyJson',
  'input.inputBodyS3Path',
  'input.inputTokenCount',
  'input.cacheReadInputTokenCount',
  'input.cacheWriteInputTokenCount',
  'output.outputContentType',
  'output.outputBodyJson',
  'output.outputBodyS3Path',
  'output.outputTokenCount',
]

export const format: FormatModule = { normalise, recognise, rank, known }
