import { knownPaths } from '../entra/known.ts'
import { entraSpelling } from '../entra/vocabulary.ts'

const FIELDS = [
  // read
  'id',
  'activityDisplayName',
  'activityDateTime',
  'result',
  'resultReason',
  'resultType',
  'resultDescription',
  'correlationId',
  'initiatedBy',
  'targetResources',
  'additionalDetails',
  'userAgent',
  // left: the grouping of the portal, and what `activityDisplayName` says better
  'category',
  'loggedByService',
  'operationType',
  'operationName',
  'identity',
  'tenantId',
  'tenantGeo',
  'performedBy',
]

export const known: readonly string[] = knownPaths(FIELDS, ['AADOperationType'])

export const spelling = entraSpelling(FIELDS)
