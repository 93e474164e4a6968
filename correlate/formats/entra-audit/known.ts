import { knownPaths } from '../entra/known.ts'

export const known: readonly string[] = knownPaths(
  [
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
  ],
  ['AADOperationType'],
)
