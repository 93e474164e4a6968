/** Cloud Audit Logs entries. */
import type { WrittenTime } from '../moments.ts'

export interface AuditEntry {
  readonly insertId: string
  readonly time: WrittenTime
  readonly received: string
  readonly log: 'activity' | 'data_access'
  readonly project: string
  readonly resource: object
  readonly service: string
  readonly method: string
  readonly resourceName: string
  readonly authentication: object
  readonly authorization: object
  readonly request?: object
  readonly metadata?: object
  readonly serviceData?: object
  readonly ip: string
  readonly userAgent: string
  readonly status: { readonly code: number; readonly message: string } | null
}

export function auditEntry(entry: AuditEntry): string {
  return JSON.stringify({
    insertId: entry.insertId,
    logName: `projects/${entry.project}/logs/cloudaudit.googleapis.com%2F${entry.log}`,
    timestamp: entry.time.text,
    receiveTimestamp: entry.received,
    severity: entry.status ? 'ERROR' : entry.log === 'activity' ? 'NOTICE' : 'INFO',
    resource: entry.resource,
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      serviceName: entry.service,
      methodName: entry.method,
      resourceName: entry.resourceName,
      authenticationInfo: entry.authentication,
      authorizationInfo: [entry.authorization],
      ...(entry.request ? { request: entry.request } : {}),
      ...(entry.metadata ? { metadata: entry.metadata } : {}),
      ...(entry.serviceData ? { serviceData: entry.serviceData } : {}),
      requestMetadata: {
        callerIp: entry.ip,
        callerSuppliedUserAgent: entry.userAgent,
        destinationAttributes: {},
        requestAttributes: { auth: {}, time: entry.time.text },
      },
      status: entry.status ?? {},
    },
  })
}

export const auditedResource = (project: string, service: string, method: string) => ({
  type: 'audited_resource',
  labels: { method, project_id: project, service },
})
export const poolName = (project: string, pool: string) => `projects/${project}/locations/global/workloadIdentityPools/${pool}`
export const principalUri = (projectNumber: string, pool: string, subject: string) =>
  `principal://iam.googleapis.com/${poolName(projectNumber, pool)}/subject/${subject}`
