/** Entra audit records as diagnostic settings and Log Analytics write them. */
import type { WrittenTime } from '../moments.ts'

export interface Audit {
  readonly id: string
  readonly time: WrittenTime
  readonly stamped: string
  readonly activity: string
  readonly tenantId: string
  readonly workspaceId: string
  readonly correlationId: string
  readonly initiator: { readonly user: { readonly id: string; readonly name: string; readonly ip: string } } | { readonly app: string }
  readonly target: {
    readonly id: string
    readonly name: string
    readonly type: 'Application' | 'ServicePrincipal'
    readonly agentType?: string
    readonly blueprintId?: string
    /** name → old and new value, each already JSON text. */
    readonly modified: readonly (readonly [name: string, oldValue: string | null, newValue: string | null])[]
  }
  readonly details: readonly (readonly [key: string, value: string])[]
}

function auditParts(audit: Audit) {
  const { target, initiator } = audit
  const app = 'app' in initiator
  return {
    identity: app ? initiator.app : initiator.user.name,
    ip: app ? '' : initiator.user.ip,
    operationType: audit.activity.split(' ')[0] ?? '',
    initiatedBy: app
      ? {
          app: {
            appId: null,
            displayName: initiator.app,
            servicePrincipalId: null,
            servicePrincipalName: null,
          },
        }
      : {
          user: {
            id: initiator.user.id,
            displayName: null,
            userPrincipalName: initiator.user.name,
            ipAddress: initiator.user.ip,
            userType: null,
            roles: [],
          },
        },
    targetResources: [
      {
        id: target.id,
        displayName: target.name,
        type: target.type,
        userPrincipalName: null,
        groupType: null,
        ...(target.agentType ? { agentType: target.agentType } : {}),
        ...(target.blueprintId ? { blueprintId: target.blueprintId } : {}),
        modifiedProperties: target.modified.map(([displayName, oldValue, newValue]) => ({
          displayName,
          oldValue,
          newValue,
        })),
        administrativeUnits: [],
      },
    ],
    additionalDetails: audit.details.map(([key, value]) => ({ key, value })),
  }
}

export function diagnosticAudit(audit: Audit): string {
  const parts = auditParts(audit)
  return JSON.stringify({
    time: audit.stamped,
    resourceId: `/tenants/${audit.tenantId}/providers/Microsoft.aadiam`,
    operationName: audit.activity,
    operationVersion: '1.0',
    category: 'AuditLogs',
    tenantId: audit.tenantId,
    resultSignature: 'None',
    durationMs: 0,
    callerIpAddress: parts.ip,
    correlationId: audit.correlationId,
    identity: parts.identity,
    Level: 4,
    properties: {
      id: audit.id,
      category: 'ApplicationManagement',
      correlationId: audit.correlationId,
      result: 'success',
      resultReason: '',
      activityDisplayName: audit.activity,
      activityDateTime: `${audit.time.text}+00:00`,
      loggedByService: 'Core Directory',
      operationType: parts.operationType,
      initiatedBy: parts.initiatedBy,
      targetResources: parts.targetResources,
      additionalDetails: parts.additionalDetails,
    },
  })
}

export function logAnalyticsAudit(audit: Audit): string {
  const parts = auditParts(audit)
  const time = `${audit.time.text}Z`
  return JSON.stringify({
    TenantId: audit.workspaceId,
    TimeGenerated: time,
    ActivityDateTime: time,
    AADTenantId: audit.tenantId,
    Type: 'AuditLogs',
    Category: 'ApplicationManagement',
    ActivityDisplayName: audit.activity,
    OperationName: audit.activity,
    OperationVersion: '1.0',
    AADOperationType: parts.operationType,
    Id: audit.id,
    CorrelationId: audit.correlationId,
    Result: 'success',
    ResultReason: '',
    ResultType: '',
    ResultSignature: 'None',
    ResultDescription: '',
    LoggedByService: 'Core Directory',
    Identity: parts.identity,
    Level: '4',
    Resource: 'Microsoft.aadiam',
    ResourceId: `/tenants/${audit.tenantId}/providers/Microsoft.aadiam`,
    InitiatedBy: parts.initiatedBy,
    TargetResources: parts.targetResources,
    AdditionalDetails: parts.additionalDetails,
    SourceSystem: 'Azure AD',
    DurationMs: 0,
  })
}
