import type { Spelling } from '../spelling/vocabulary.ts'
import { below, vocabulary } from '../spelling/vocabulary.ts'

/** Requests are logged in camelCase by newer IAM methods and in snake_case by older ones: both are Google's own. */
const PROVIDER =
  'name oidc.issuerUri oidc.issuer_uri oidc.allowedAudiences oidc.allowed_audiences attributeCondition attribute_condition attributeMapping{} attribute_mapping{} aws{} saml{} x509{}'

const PATHS = [
  ...below('', 'insertId logName timestamp receiveTimestamp severity trace traceSampled spanId textPayload jsonPayload{}.statusDetails'),
  ...below('', 'operation.id operation.producer operation.first operation.last split.uid split.index split.totalSplits labels.agent_oid'),
  ...below('resource', 'type labels.project_id labels.service labels.method labels.email_id labels.unique_id labels.location'),
  ...below('resource.labels', 'zone region'),
  ...below('', 'httpRequest.status httpRequest.requestMethod httpRequest.requestUrl httpRequest.remoteIp httpRequest.userAgent'),
  ...below('protoPayload!', '@type serviceName methodName resourceName numResponseItems response{}.error.code response.error.message resourceOriginalState{}'),
  ...below('protoPayload', 'policyViolationInfo{} resourceLocation.currentLocations[] resourceLocation.originalLocations[]'),
  ...below('protoPayload', 'status.code status.message status.details{} authorizationInfo[].permission authorizationInfo[].resource'),
  ...below('protoPayload.authorizationInfo[]', 'granted permissionType resourceAttributes{}'),
  ...below('protoPayload.authenticationInfo!', 'principalEmail principalSubject authoritySelector serviceAccountKeyName oauthInfo{}'),
  ...below('protoPayload.authenticationInfo', 'loggableShortLivedCredential{} thirdPartyPrincipal{}'),
  ...below('protoPayload.authenticationInfo.serviceAccountDelegationInfo[]', 'principalSubject firstPartyPrincipal.principalEmail thirdPartyPrincipal{}'),
  ...below('protoPayload.requestMetadata', 'callerIp callerSuppliedUserAgent callerNetwork requestAttributes{} destinationAttributes{}'),
  ...below(
    'protoPayload.metadata',
    '@type mapped_principal mappedPrincipal event[].eventName event[].parameter[].name event[].parameter[].value event[].parameter[].multiStrValue{} event[].parameter[].multiValue{}',
  ),
  ...below('protoPayload.serviceData', '@type policyDelta.bindingDeltas[].action policyDelta.bindingDeltas[].role policyDelta.bindingDeltas[].member'),
  ...below('protoPayload.serviceData.policyDelta.auditConfigDeltas[]', 'action service exemptedMember logType'),
  ...below('protoPayload.request', '@type name parent audience lifetime labels{} updateMask{} update_mask{} workloadIdentityPoolProviderId'),
  ...below('protoPayload.request', 'workload_identity_pool_provider_id policy.bindings[].role policy.bindings[].members exclusion.disabled'),
  ...below('protoPayload.request', 'sink.disabled sink.exclusions[].disabled settings.disableDefaultSink'),
  ...below('protoPayload.request.workloadIdentityPoolProvider', PROVIDER),
  ...below('protoPayload.request.workload_identity_pool_provider', PROVIDER),
]

/** A BigQuery sink renames the payload and writes what has no schema as JSON text; Log Analytics of Google Cloud puts the audit log one level down (facts/gcp.md). */
const RENAMED = {
  protopayload_auditlog: 'protoPayload',
  'protoPayload.audit_log': 'protoPayload',
  'protoPayload.type': 'protoPayload.@type',
  'protoPayload.at_sign_type': 'protoPayload.@type',
  'protoPayload.requestJson': 'protoPayload.request',
  'protoPayload.responseJson': 'protoPayload.response',
  'protoPayload.metadataJson': 'protoPayload.metadata',
  'protoPayload.servicedata_v1_iam': 'protoPayload.serviceData',
  'protoPayload.servicedata_v1_iam_admin': 'protoPayload.serviceData',
  'protoPayload.resourceOriginalStateJson': 'protoPayload.resourceOriginalState',
}

const entries = vocabulary(PATHS, { columns: RENAMED })

/** Sentinel's `GCPAuditLogs` table (Azure Monitor's table reference): the audit log's members are columns of their own. */
const sentinel = vocabulary(PATHS, {
  requires: ['InsertId', 'ServiceName', 'MethodName'],
  columns: {
    PayloadType: 'protoPayload.@type',
    ProjectId: 'resource.labels.project_id',
    GCPResourceType: 'resource.type',
    GCPResourceName: 'protoPayload.resourceName',
    ResourceName: 'protoPayload.resourceName',
    PrincipalEmail: 'protoPayload.authenticationInfo.principalEmail',
    StatusMessage: 'protoPayload.status.message',
    TimeGenerated: 'timestamp',
    ...Object.fromEntries(
      ['ServiceName', 'MethodName', 'NumResponseItems', 'Status', 'AuthenticationInfo', 'AuthorizationInfo', 'RequestMetadata', 'Request', 'Response'].map(
        (column) => [column, `protoPayload.${column[0]!.toLowerCase()}${column.slice(1)}`],
      ),
    ),
    Metadata: 'protoPayload.metadata',
    ServiceData: 'protoPayload.serviceData',
    ResourceLocation: 'protoPayload.resourceLocation',
    ResourceOriginalState: 'protoPayload.resourceOriginalState',
    PolicyViolationInfo: 'protoPayload.policyViolationInfo',
  },
})

export const spelling: Spelling = { of: () => entries, all: [entries, sentinel] }
