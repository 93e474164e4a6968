/**
 * Rules of the shapes that are published for these logs, over the fields that those ask for: our own, with what each must find among `RECORDS`. Field and event
 * names are the vendors'.
 */
export interface PublishedRule {
  readonly name: string
  /** product/service */
  readonly logsource: string
  /** YAML below `detection:`. */
  readonly detection: string
  /** Labels of the records. */
  readonly finds: readonly string[]
}

const rule = (logsource: string, name: string, finds: string, detection: string): PublishedRule => ({
  logsource,
  name,
  finds: finds === '' ? [] : finds.split(' '),
  detection: detection.replace(/^\n/, ''),
})
const aws = (...given: [name: string, finds: string, detection: string]): PublishedRule => rule('aws/cloudtrail', ...given)
const signIns = (...given: [name: string, finds: string, detection: string]): PublishedRule => rule('azure/signinlogs', ...given)
const audits = (...given: [name: string, finds: string, detection: string]): PublishedRule => rule('azure/auditlogs', ...given)
const gcp = (...given: [name: string, finds: string, detection: string]): PublishedRule => rule('gcp/gcp.audit', ...given)
/** One selection of these items. */
const all = (...items: readonly string[]): string => `selection:\n${items.map((item) => `  ${item}`).join('\n')}\ncondition: selection`

export const PUBLISHED: readonly PublishedRule[] = [
  aws('trail stopped', 'stop-logging', all('eventSource: cloudtrail.amazonaws.com', 'eventName: [StopLogging, UpdateTrail, DeleteTrail]')),
  aws('event name in another case', 'stop-logging', all('eventName: stoplogging')),
  aws('root', 'root', 'by_root:\n  userIdentity.type: Root\nby_service:\n  eventType: AwsServiceEvent\ncondition: by_root and not by_service'),
  aws(
    'login without MFA',
    'login-without-mfa',
    all("eventName: 'ConsoleLogin'", "responseElements.ConsoleLogin: 'Success'", "additionalEventData.MFAUsed: 'No'"),
  ),
  aws('login failed', 'login-failed', all('eventName: ConsoleLogin', 'errorMessage: Failed authentication')),
  aws('login failed by answer', 'login-failed', all('eventSource: signin.amazonaws.com', 'responseElements.ConsoleLogin|contains: fail')),
  aws(
    'instance credentials abroad',
    'instance-abroad',
    "selection:\n  userIdentity.arn|re: '.+:assumed-role/aws:.+'\nfilter_main_generic:\n  - eventSource: 'ssm.amazonaws.com'\n  - eventName: 'RegisterManagedInstance'\n  - sourceIPAddress: 'AWS Internal'\ncondition: selection and not 1 of filter_main_*",
  ),
  aws(
    'key for somebody',
    'key-for-another key-for-oneself',
    'selection_source:\n  eventSource: iam.amazonaws.com\n  eventName: CreateAccessKey\nfilter:\n  userIdentity.arn|contains: responseElements.accessKey.userName\ncondition: selection_source and not filter',
  ),
  aws(
    'key for somebody else',
    'key-for-another',
    'made:\n  eventName: CreateAccessKey\nown:\n  userIdentity.arn|fieldref|endswith: responseElements.accessKey.userName\ncondition: made and not own',
  ),
  // A star between quotes is any text, as everywhere in Sigma: the rule that means a star must escape it.
  aws(
    'inline policy with a star for any text',
    'inline-admin inline-small',
    all(
      'eventName: [PutUserPolicy, PutRolePolicy]',
      `requestParameters.policyDocument|contains|all: ['"Effect": "Allow"', '"Action": "*"', '"Resource": "*"']`,
    ),
  ),
  aws(
    'inline policy of everything',
    'inline-admin',
    all('eventName: [PutUserPolicy, PutRolePolicy]', String.raw`requestParameters.policyDocument|contains|all: ['"Action": "\*"', '"Resource": "\*"']`),
  ),
  aws(
    'placeholder in a policy',
    'placeholder-policy',
    all("userAgent|contains: 'S3 Browser'", `requestParameters|contains|all: ['arn:aws:s3:::<YOUR-BUCKET-NAME>/*', 's3:GetObject']`),
  ),
  aws('administrator attached', 'attach-admin', all('eventName|startswith: Attach', "requestParameters.policyArn|endswith: ':policy/AdministratorAccess'")),
  aws(
    'open to the world',
    'open-group',
    all(
      'eventName: AuthorizeSecurityGroupIngress',
      "requestParameters.ipPermissions.items.ipRanges.items.cidrIp: '0.0.0.0/0'",
      'requestParameters.ipPermissions.items.toPort: 22',
    ),
  ),
  aws('port as text', 'open-group narrow-group', all("requestParameters.ipPermissions.items.fromPort: '22'")),
  aws('ranges of a network', 'narrow-group', all("requestParameters.ipPermissions.items.ipRanges.items.cidrIp|startswith: '198.51.100.'")),
  aws(
    'task reads credentials',
    'task-reads-credentials',
    all(
      'eventSource: ecs.amazonaws.com',
      'eventName: [RegisterTaskDefinition, RunTask]',
      "requestParameters.containerDefinitions.command|contains: '$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'",
    ),
  ),
  aws(
    'command succeeded',
    'command-succeeded',
    all("eventName: 'SendCommand'", "eventSource: 'ssm.amazonaws.com'", "responseElements.command.status: 'Success'"),
  ),
  aws(
    'public access opened',
    'public-access-opened',
    "name:\n  eventName: PutBucketPublicAccessBlock\nweaker_a:\n  requestParameters.PublicAccessBlockConfiguration.RestrictPublicBuckets: 'false'\nweaker_b:\n  requestParameters.PublicAccessBlockConfiguration.BlockPublicAcls: 'false'\ncondition: name and 1 of weaker_*",
  ),
  aws('public access opened, as a boolean', 'public-access-opened', all('requestParameters.PublicAccessBlockConfiguration.RestrictPublicBuckets: false')),
  aws(
    'startup script',
    'user-data-changed',
    all('eventSource: ec2.amazonaws.com', 'requestParameters.attribute: userData', 'eventName: ModifyInstanceAttribute'),
  ),
  aws(
    'export without failure',
    'export-began',
    "made:\n  eventName: CreateInstanceExportTask\nfailed_1:\n  errorMessage|contains: '*'\nfailed_2:\n  errorCode|contains: '*'\nfailed_3:\n  responseElements|contains: Failure\ncondition: made and not 1 of failed_*",
  ),
  aws('public restore', 'public-database', all("responseElements.publiclyAccessible: 'true'", 'eventName: RestoreDBInstanceFromDBSnapshot')),
  aws(
    'snapshot shared',
    'snapshot-shared',
    all('eventName: ModifyDBSnapshotAttribute', 'requestParameters.attributeName: restore', 'requestParameters.valuesToAdd|exists: true'),
  ),
  aws('keyword', 'unlocked', 'keywords:\n  - DisableDomainTransferLock\ncondition: keywords'),
  aws('all keywords', 'task-reads-credentials', "keywords:\n  '|all':\n    - RegisterTaskDefinition\n    - '169.254.170.2'\ncondition: keywords"),
  aws('keyword and selection', 'attach-read', 'selection:\n  eventSource: iam.amazonaws.com\nkeywords:\n  - ReadOnlyAccess\ncondition: selection and keywords'),
  aws(
    'uncommon calls by long-lived keys',
    'model-agreement',
    all('eventName: [CreateFoundationModelAgreement, PutUseCaseForModelAccess]', 'userIdentity.accessKeyId|startswith: AKIA'),
  ),
  aws('model calls', 'model-call model-refused', all('eventSource: bedrock-runtime.amazonaws.com', 'eventName: [InvokeModel, Converse]')),
  aws('refused', 'model-refused', all("errorCode|re: '^(AccessDenied|Client\\.Unauthorized)'", 'eventSource|startswith: bedrock')),
  aws(
    'by a role',
    'model-agreement-by-role model-call model-refused instance-abroad instance-inside',
    all('userIdentity.sessionContext.sessionIssuer.arn|endswith: role/app'),
  ),
  aws(
    'written by hand',
    'by-hand',
    'selection:\n  eventSource: ec2.amazonaws.com\n  eventName|startswith: [Create, Delete]\nfilter_gitops:\n  userAgent|contains: terraform\nfilter_export:\n  eventName|contains: Export\ncondition: selection and not 1 of filter_*',
  ),
  aws(
    'from outside',
    'from-outside',
    'selection:\n  eventName: GetCallerIdentity\nfilter:\n  sourceIPAddress|cidr: [10.0.0.0/8, 192.168.0.0/16]\ncondition: selection and not filter',
  ),
  aws('tool', 'from-outside', all('userAgent: trufflehog')),
  aws('no parameters', 'saml-provider', all('eventSource: iam.amazonaws.com', "eventName: '*SAMLProvider'", 'requestParameters: null')),
  aws('trust of everybody', 'role-updated', all('eventName: UpdateAssumeRolePolicy', `requestParameters.policyDocument|contains: '"AWS":"*"'`)),
  aws('JSON in text', 'text-members', all('eventName|startswith: UpdateFunctionConfiguration', "requestParameters.layers|contains: '999988887777'")),
  aws('several conditions', 'stop-logging unlocked', 'a:\n  eventName: StopLogging\nb:\n  eventName: DisableDomainTransferLock\ncondition:\n  - a\n  - b'),
  aws(
    'selection as a list',
    'stop-logging saml-provider',
    'selection:\n  - eventName: StopLogging\n  - eventName: UpdateSAMLProvider\n    eventSource: iam.amazonaws.com\ncondition: selection',
  ),
  aws(
    'secrets by the dozen',
    'secret-a secret-b secret-c',
    'selection:\n  eventName: GetSecretValue\ntimeframe: 10m\ncondition: selection | count(requestParameters.secretId) by userIdentity.arn > 2',
  ),
  aws('at an hour', 'stop-logging', all('eventTime|hour: 10', 'eventName: StopLogging')),
  aws('beside a conclusion', 'model-call', all('eventName: Converse', 'trailjoin.confidence: none', 'trailjoin.kind: llm.invoked')),

  signIns('locked', 'locked', all('ResultType: 50053')),
  signIns('disabled', 'disabled', all("ResultType: '50057'", "ResultDescription: 'User account is disabled'")),
  signIns(
    'strong authentication failed',
    'mfa-refused',
    "selection_1:\n  ResultType: 50074\n  ResultDescription|contains: 'Strong Auth required'\nselection_2:\n  ResultType: 500121\n  ResultDescription|contains: 'Authentication failed during strong'\ncondition: 1 of selection_*",
  ),
  signIns('MFA denied', 'mfa-refused', all("AuthenticationRequirement: 'multiFactorAuthentication'", "Status|contains: 'MFA Denied'")),
  signIns(
    'risky stranger',
    'risky-stranger',
    all("Status: 'Success'", "AuthenticationRequirement: 'singleFactorAuthentication'", "DeviceDetail.trusttype: ''", "RiskState: 'atRisk'"),
  ),
  signIns(
    'risky and hosted',
    'hosting',
    'selection_success:\n  ResultType: 0\n  IsInteractive: true\nselection_asn:\n  AutonomousSystemNumber: [16509, 14061]\nselection_risk:\n  RiskLevelDuringSignIn: [low, medium, high]\ncondition: all of selection_*',
  ),
  signIns('blocked by policy', 'blocked-by-policy', all('ResultType: 53003', "ResultDescription: 'Blocked by Conditional Access'")),
  signIns('policy failed', 'blocked-by-policy', all('conditionalAccessStatus: failure')),
  signIns('device code', 'device-code device-code-compliant', all('properties.message: Device Code')),
  signIns(
    'device code from elsewhere',
    'device-code',
    "selection:\n  AuthenticationProtocol: deviceCode\n  ResultType: '0'\nfilter_compliant:\n  DeviceDetail.isCompliant: 'True'\ncondition: selection and not filter_compliant",
  ),
  signIns('ROPC', 'ropc', all('properties.message: ROPC')),
  signIns('tool', 'azurehound', all("userAgent|contains: 'azurehound'", 'ResultType: 0')),
  signIns('from another tenant', 'guest', all('CrossTenantAccessType: "b2bCollaboration"')),
  signIns('legacy client', 'imap', all('ActivityDetails: Sign-ins', 'ClientApp: [IMAP4, POP3, SMTP]', 'Username: ada@contoso.example')),
  signIns('abroad', 'abroad', "selection:\n  Status: Success\n  Location|contains: '*'\nfilter:\n  Location|contains: NL\ncondition: selection and not filter"),
  signIns('country', 'abroad', all('Location.countryOrRegion: NG')),
  signIns('failures', 'locked disabled mfa-refused blocked-by-policy row', all('Status: failure')),
  signIns(
    'registering without MFA',
    'registering',
    "selection:\n  ResourceDisplayName: 'Device Registration Service'\n  conditionalAccessStatus: 'success'\nfilter_mfa:\n  AuthenticationRequirement: 'multiFactorAuthentication'\ncondition: selection and not filter_mfa",
  ),
  signIns('application and user of a row', 'row', all('AppDisplayName: Azure Portal', 'UserPrincipalName|startswith: eve@', 'IPAddress|cidr: 203.0.113.0/24')),
  signIns(
    'network',
    'signed-in',
    'selection:\n  Status: Success\n  networkLocationDetails|contains: trustedNamedLocation\n  AuthenticationRequirement: multiFactorAuthentication\n  AuthenticationProtocol: none\n  AutonomousSystemNumber: 1136\n  ClientAppUsed: Browser\n  UserAgent: Mozilla/5.0\n  CrossTenantAccessType: none\n  RiskLevelDuringSignIn: none\nabroad:\n  Location.countryOrRegion: NG\ncondition: selection and not abroad',
  ),
  rule('azure/riskdetection', 'anonymous address', 'risky-stranger', all('riskEventType: anonymizedIPAddress')),

  audits('user added', 'user-added', all('properties.message: [Add user, Delete user]', 'Status: Success')),
  audits('user not added', 'user-not-added', all('OperationName: Add user', 'Result: failure')),
  audits(
    'global administrator',
    'role-global-admin',
    all(
      'Category: RoleManagement',
      'OperationName|contains|all: [Add, member to role]',
      'TargetResources|contains: [7698a772-787b-4ac8-901f-60d6b08affd2, 62e90394-69f5-4237-9190-012177145e10]',
    ),
  ),
  audits('end user consents', 'consent-user', all("ConsentContext.IsAdminConsent: 'false'")),
  audits(
    'end user consents to mail',
    'consent-user',
    "consent:\n  properties.message: 'Consent to application'\nenduser:\n  ConsentContext.IsAdminConsent: 'false'\nmail:\n  TargetResources.modifiedProperties.newValue|contains: [Mail.Read, Mail.Send]\noffline:\n  TargetResources.modifiedProperties.newValue|contains: 'offline_access'\ncondition: consent and enduser and mail and offline",
  ),
  audits(
    'high permission',
    'consent-admin',
    "a:\n  OperationName: 'Consent to application'\nb:\n  TargetResources|contains: [Directory.ReadWrite.All, Application.ReadWrite.All]\ncondition: a and b",
  ),
  audits(
    'federated credential added',
    'federated',
    all('OperationName: [Update application, Update service principal]', "TargetResources.modifiedProperties|contains: 'FederatedIdentityCredentials'"),
  ),
  audits(
    'guest becomes member',
    'guest-to-member',
    "a:\n  OperationName: 'Update user'\nb:\n  TargetResources|contains|all: [UserType, Guest, Member]\ncondition: a and b",
  ),
  audits(
    'guest becomes member, as a quotation',
    'guest-to-member',
    all('OperationName: Update user', String.raw`properties.message: '"displayName":"UserType","oldValue":"[\"Guest\"]","newValue":"[\"Member\"]"'`),
  ),
  audits(
    'local password read',
    'laps',
    all(
      "category: 'Device'",
      "activityType|contains: 'Recover device local administrator password'",
      "additionalDetails.additionalInfo|contains: 'Successfully recovered local credential'",
    ),
  ),
  audits(
    'security info',
    'security-info',
    all(
      "LoggedByService: 'Authentication Methods'",
      "Category: 'UserManagement'",
      "OperationName: 'User registered security info'",
      'ResultReason|contains: Authenticator',
    ),
  ),
  audits(
    'invited by others',
    'invited',
    "selection:\n  Category: 'UserManagement'\n  OperationName: 'Invite external user'\nfilter:\n  InitiatedBy|contains: 'inviter@contoso.example'\ncondition: selection and not filter",
  ),
  audits('initiated by a path', 'invited', all('InitiatedBy.user.userPrincipalName: mallory@contoso.example')),
  audits('policy deleted', 'policy-deleted', all('properties.message: Delete conditional access policy')),
  audits('secret added', 'secret-added', all("OperationName|contains: 'Certificates and secrets management'")),
  audits('owner added', 'owner-added', all('properties.message: [Add owner to application, Add owner to service principal]')),
  rule('azure/activitylogs', 'service principal of the directory', 'owner-added', all('properties.message: Add owner to service principal')),
  rule('azure/pim', 'alerts off', 'pim-alerts-off', all('OperationName: Disable PIM alert')),

  gcp('buckets listed', 'bucket-listed', all('gcp.audit.method_name: [storage.buckets.list, storage.buckets.listChannels]')),
  gcp('bucket deleted', 'bucket-deleted', all('gcp.audit.method_name: storage.buckets.delete')),
  gcp(
    'access policy deleted',
    'policy-access-deleted',
    all(
      'data.protoPayload.authorizationInfo.permission: accesscontextmanager.accessPolicies.delete',
      "data.protoPayload.authorizationInfo.granted: 'true'",
      "data.protoPayload.serviceName: 'accesscontextmanager.googleapis.com'",
    ),
  ),
  gcp('refused', 'policy-access-refused', all('gcp.audit.status.code: 7')),
  gcp(
    'SSH for all',
    'ssh-for-all',
    "method:\n  gcp.audit.method_name|endswith: ['.firewalls.insert', '.firewalls.patch']\nconfig:\n  gcp.audit.request.source_ranges: '0.0.0.0/0'\n  gcp.audit.request.alloweds.ports: 22\n  gcp.audit.request.direction: 'INGRESS'\ncondition: method and config",
  ),
  gcp('firewall changed', 'ssh-for-all https-for-all firewall-deleted', all("gcp.audit.method_name: 'v*.Compute.Firewalls.*'")),
  gcp(
    'admission webhooks',
    'webhook-created',
    all(
      'gcp.audit.method_name|startswith: io.k8s.admissionregistration',
      "gcp.audit.method_name|contains: ['.mutatingwebhookconfigurations.']",
      'gcp.audit.method_name|endswith: [create, patch]',
    ),
  ),
  gcp(
    'break glass',
    'break-glass',
    "selection:\n  data.protoPayload.resource.type: 'k8s_cluster'\n  data.protoPayload.logName: ['cloudaudit.googleapis.com/activity', 'cloudaudit.googleapis.com%2Factivity']\n  data.protoPayload.methodName: 'io.k8s.core.v1.pods.create'\nkeywords:\n  - 'image-policy.k8s.io/break-glass'\ncondition: selection and keywords",
  ),
  gcp('break glass by its label', 'break-glass', all("gcp.audit.request.metadata.labels.image-policy.k8s.io/break-glass: 'true'")),
  gcp('impersonated', 'impersonated', all('gcp.audit.method_name: google.iam.credentials.v1.IAMCredentials.GenerateAccessToken')),
  gcp('policy set', 'owner-granted viewer-granted', all("gcp.audit.method_name|endswith: 'SetIamPolicy'")),
  gcp(
    'owner granted',
    'owner-granted',
    all(
      'data.protoPayload.serviceData.policyDelta.bindingDeltas.action: ADD',
      'data.protoPayload.serviceData.policyDelta.bindingDeltas.role: [roles/owner, roles/editor]',
    ),
  ),
  gcp('key created', 'key-created', all('gcp.audit.service_name: iam.googleapis.com', 'gcp.audit.method_name|endswith: CreateServiceAccountKey')),
  gcp('sink deleted', 'sink-deleted', all('protoPayload.methodName|contains: DeleteSink', 'severity: NOTICE')),
  gcp(
    'caller',
    'model-generated',
    all(
      'gcp.audit.authentication_info.principal_email|endswith: "@contoso.example"',
      'gcp.audit.request_metadata.caller_ip|cidr: 192.0.2.0/24',
      'gcp.audit.service_name: aiplatform.googleapis.com',
    ),
  ),
  rule('gcp/google_workspace.admin', 'domain access', 'domain-access', all('eventService: admin.googleapis.com', 'eventName: AUTHORIZE_API_CLIENT_ACCESS')),
  rule('gcp/google_workspace.admin', 'new value', 'domain-name', all('eventService: admin.googleapis.com', 'new_value|contains: ContextAware')),
]
