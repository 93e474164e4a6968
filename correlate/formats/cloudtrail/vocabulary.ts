import { below, oneSpelling, vocabulary } from '../spelling/vocabulary.ts'

/** What the normaliser and the findings read, and the structures around it. Parameters and answers of other calls are left as they are. */
const PATHS = [
  ...below('', 'eventVersion eventSource eventName eventID eventTime eventType eventCategory apiVersion awsRegion recipientAccountId'),
  ...below('', 'requestID sharedEventID readOnly managementEvent errorCode errorMessage sourceIPAddress userAgent vpcEndpointId'),
  ...below('', 'vpcEndpointAccountId sessionCredentialFromConsole serviceEventDetails{} edgeDeviceDetails{} eventContext{} accountId'),
  ...below('tlsDetails', 'tlsVersion cipherSuite clientProvidedHostHeader keyExchange'),
  ...below('userIdentity!', 'type arn principalId accountId accessKeyId userName identityProvider invokedBy credentialId'),
  ...below('userIdentity', 'invokedByDelegate.accountId onBehalfOf.userId onBehalfOf.identityStoreArn inScopeOf{}'),
  ...below('userIdentity.sessionContext', 'sourceIdentity ec2RoleDelivery assumedRoot sessionIssuer.type sessionIssuer.principalId'),
  ...below('userIdentity.sessionContext.sessionIssuer', 'arn accountId userName'),
  ...below('userIdentity.sessionContext', 'attributes.creationDate attributes.mfaAuthenticated webIdFederationData.federatedProvider'),
  'userIdentity.sessionContext.webIdFederationData.attributes{}',
  ...below('requestParameters', 'roleArn roleSessionName sourceIdentity principalTags{} tags{} incomingTransitiveTags{} durationSeconds'),
  ...below('requestParameters', 'modelId model assumeRolePolicyDocument policyDocument openIDConnectProviderArn url clientIDList clientID'),
  ...below('requestParameters', 'name roleName callWithBearerToken trailName eventDataStore isMultiRegionTrail includeGlobalServiceEvents'),
  ...below('requestParameters', 'isOrganizationTrail multiRegionEnabled organizationEnabled advancedEventSelectors[].fieldSelectors[].field'),
  ...below('requestParameters.eventSelectors[]', 'includeManagementEvents readWriteType excludeManagementEventSources'),
  'requestParameters.advancedEventSelectors[].fieldSelectors[].equals',
  ...below('requestParameters.loggingConfig', 'textDataDeliveryEnabled s3Config{} cloudWatchConfig{}'),
  ...below('responseElements', 'subjectFromWebIdentityToken provider audience packedPolicySize sourceIdentity openIDConnectProviderArn'),
  ...below('responseElements', 'credentials.accessKeyId credentials.expiration credentials.sessionToken ConsoleLogin SwitchRole ExitRole'),
  ...below('responseElements', 'CheckMfa RenewRole assumedRoleUser.arn assumedRoleUser.assumedRoleId role.arn role.assumeRolePolicyDocument'),
  ...below('additionalEventData', 'callWithBearerToken inferenceRegion'),
  ...below('resources[]', 'ARN type accountId ARNPrefix'),
  ...below('insightDetails', 'eventSource eventName insightType state insightContext{}'),
  ...below('timeWindow', 'windowStart windowEnd'),
  ...below('summary.primaryDimension', 'dimension statistics[].name statistics[].value'),
  ...below('addendum', 'reason updatedFields originalRequestID originalEventID'),
]

/** Columns of Sentinel's `AWSCloudTrail` table that are not the member's name, nor the names of its path run together (Azure Monitor's table reference). */
const COLUMNS = {
  AwsEventId: 'eventID',
  AwsRequestId_: 'requestID',
  AwsRequestId: 'requestID',
  EventTypeName: 'eventType',
  TimeGenerated: 'eventTime',
  Category: 'eventCategory',
  SessionMfaAuthenticated: 'userIdentity.sessionContext.attributes.mfaAuthenticated',
  SessionCreationDate: 'userIdentity.sessionContext.attributes.creationDate',
  SessionIssuerType: 'userIdentity.sessionContext.sessionIssuer.type',
  SessionIssuerPrincipalId: 'userIdentity.sessionContext.sessionIssuer.principalId',
  SessionIssuerArn: 'userIdentity.sessionContext.sessionIssuer.arn',
  SessionIssuerAccountId: 'userIdentity.sessionContext.sessionIssuer.accountId',
  SessionIssuerUserName: 'userIdentity.sessionContext.sessionIssuer.userName',
  EC2RoleDelivery: 'userIdentity.sessionContext.ec2RoleDelivery',
  TlsVersion: 'tlsDetails.tlsVersion',
  CipherSuite: 'tlsDetails.cipherSuite',
  ClientProvidedHostHeader: 'tlsDetails.clientProvidedHostHeader',
}

export const spelling = oneSpelling(vocabulary(PATHS, { columns: COLUMNS }))
