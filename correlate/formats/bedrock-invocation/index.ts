import type { JsonObject } from '#core/record.ts'
import type { Format } from '../index.ts'
import { has, isObj, str } from '../read.ts'
import { normalise } from './normalise.ts'
import { spelling } from './vocabulary.ts'

/** Entries say `schemaType`; one published variant lacks it and is known by its call and its bodies. */
function recognise(value: JsonObject): boolean {
  if (value['schemaType'] === 'ModelInvocationLog') return true
  return (
    str(value['modelId']) !== null &&
    str(value['requestId']) !== null &&
    str(value['operation']) !== null &&
    !has(value, 'eventName') &&
    (isObj(value['input']) || isObj(value['output']))
  )
}

function rank(value: JsonObject, respelled = false): number {
  return (value['schemaType'] === 'ModelInvocationLog' ? 0 : 1) + (respelled ? 2 : 0)
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

export const format: Format = { normalise, recognise, rank, known, spelling }
