/** Records of the clouds for rules to find, each under a label that is its own id. Made up; addresses are of documentation. */

type Fields = Readonly<Record<string, unknown>>

let second = 0
const time = (): string => new Date(Date.UTC(2026, 4, 1, 10, 0, second++)).toISOString().replace('.000', '')

const TENANT = '7c5e1f0a-3b2d-4c6e-8f9a-0b1c2d3e4f50'
const USER = {
  type: 'IAMUser',
  principalId: 'AIDAMADEUP7QX2LZKWEV4',
  arn: 'arn:aws:iam::444455556666:user/dev',
  accountId: '444455556666',
  accessKeyId: 'AKIAQ3EGMADEUP7KXJ2L',
  userName: 'dev',
}
const ROLE = {
  type: 'AssumedRole',
  principalId: 'AROAMADEUP7QX2LZKWEV4:i-0abc',
  arn: 'arn:aws:sts::444455556666:assumed-role/app/s',
  accountId: '444455556666',
  accessKeyId: 'ASIAQ3EGMADEUP7KXJ2L',
  sessionContext: { sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::444455556666:role/app', userName: 'app' } },
}

/** A CloudTrail record. */
const aws = (label: string, service: string, eventName: string, more: Fields = {}): Fields => ({
  eventVersion: '1.11',
  eventTime: time(),
  eventSource: `${service}.amazonaws.com`,
  eventName,
  awsRegion: 'eu-west-1',
  sourceIPAddress: '192.0.2.10',
  userAgent: 'aws-cli/2.27',
  userIdentity: USER,
  requestParameters: null,
  responseElements: null,
  requestID: `request-${label}`,
  eventID: label,
  eventType: 'AwsApiCall',
  recipientAccountId: '444455556666',
  ...more,
})

/** A sign-in as a diagnostic setting writes it. */
const signIn = (label: string, more: Fields = {}, envelope: Fields = {}): Fields => {
  const at = time()
  return {
    time: at,
    resourceId: `/tenants/${TENANT}/providers/Microsoft.aadiam`,
    operationName: 'Sign-in activity',
    category: 'SignInLogs',
    tenantId: TENANT,
    resultType: '0',
    callerIpAddress: '192.0.2.20',
    location: 'NL',
    ...envelope,
    properties: {
      id: label,
      createdDateTime: at,
      userPrincipalName: 'ada@contoso.example',
      userId: '9a1b2c3d-0000-4000-8000-00000000000a',
      appId: '1b730954-1685-4b74-9bfd-dac224a7b894',
      appDisplayName: 'Azure Active Directory PowerShell',
      ipAddress: '192.0.2.20',
      clientAppUsed: 'Browser',
      userAgent: 'Mozilla/5.0',
      conditionalAccessStatus: 'notApplied',
      authenticationRequirement: 'multiFactorAuthentication',
      authenticationProtocol: 'none',
      isInteractive: true,
      autonomousSystemNumber: 1136,
      riskLevelDuringSignIn: 'none',
      riskState: 'none',
      riskEventTypes_v2: [],
      crossTenantAccessType: 'none',
      homeTenantId: TENANT,
      resourceTenantId: TENANT,
      resourceDisplayName: 'Microsoft Graph',
      status: { errorCode: 0 },
      deviceDetail: { deviceId: 'd1', displayName: 'pc', operatingSystem: 'Windows', isCompliant: true, trustType: 'Hybrid Azure AD joined' },
      location: { city: 'Utrecht', countryOrRegion: 'NL' },
      networkLocationDetails: [{ networkType: 'trustedNamedLocation', networkNames: ['office'] }],
      ...more,
    },
  }
}
const failed = (errorCode: number, failureReason: string, more: Fields = {}): Fields => ({ status: { errorCode, failureReason, ...more } })

const modified = (displayName: string, oldValue: unknown, newValue: unknown): Fields => ({
  displayName,
  oldValue: JSON.stringify(oldValue),
  newValue: JSON.stringify(newValue),
})

/** An audit record as a diagnostic setting writes it. */
const audit = (label: string, activity: string, category: string, more: Fields = {}): Fields => {
  const at = time()
  return {
    time: at,
    resourceId: `/tenants/${TENANT}/providers/Microsoft.aadiam`,
    operationName: activity,
    category: 'AuditLogs',
    tenantId: TENANT,
    properties: {
      id: label,
      activityDateTime: at,
      activityDisplayName: activity,
      category,
      loggedByService: 'Core Directory',
      operationType: 'Update',
      result: 'success',
      resultReason: '',
      initiatedBy: { user: { id: '9a1b2c3d-0000-4000-8000-00000000000b', userPrincipalName: 'admin@contoso.example', ipAddress: '192.0.2.30' } },
      targetResources: [{ id: '9a1b2c3d-0000-4000-8000-00000000000c', displayName: 'thing', type: 'Application', modifiedProperties: [] }],
      additionalDetails: [],
      ...more,
    },
  }
}
const target = (type: string, properties: readonly Fields[], more: Fields = {}): Fields => ({
  targetResources: [{ id: '9a1b2c3d-0000-4000-8000-00000000000c', displayName: 'thing', type, modifiedProperties: properties, ...more }],
})

/** An entry of Cloud Audit Logs. */
const gcp = (label: string, serviceName: string, methodName: string, payload: Fields = {}, entry: Fields = {}): Fields => {
  const at = time()
  return {
    insertId: label,
    logName: 'projects/shop/logs/cloudaudit.googleapis.com%2Factivity',
    timestamp: at,
    receiveTimestamp: at,
    severity: 'NOTICE',
    resource: { type: 'project', labels: { project_id: 'shop' } },
    protoPayload: {
      '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
      serviceName,
      methodName,
      resourceName: 'projects/shop',
      authenticationInfo: { principalEmail: 'dev@contoso.example' },
      requestMetadata: { callerIp: '192.0.2.40', callerSuppliedUserAgent: 'gcloud' },
      status: {},
      ...payload,
    },
    ...entry,
  }
}

export const RECORDS: readonly Fields[] = [
  aws('stop-logging', 'cloudtrail', 'StopLogging', { requestParameters: { name: 'main' } }),
  aws('describe-trails', 'cloudtrail', 'DescribeTrails'),
  aws('root', 'iam', 'ListUsers', { userIdentity: { type: 'Root', arn: 'arn:aws:iam::444455556666:root', accountId: '444455556666' } }),
  aws('root-by-service', 'iam', 'ListUsers', {
    userIdentity: { type: 'Root', accountId: '444455556666', invokedBy: 'support.amazonaws.com' },
    eventType: 'AwsServiceEvent',
  }),
  aws('login-without-mfa', 'signin', 'ConsoleLogin', { responseElements: { ConsoleLogin: 'Success' }, additionalEventData: { MFAUsed: 'No' } }),
  aws('login-with-mfa', 'signin', 'ConsoleLogin', { responseElements: { ConsoleLogin: 'Success' }, additionalEventData: { MFAUsed: 'Yes' } }),
  aws('login-failed', 'signin', 'ConsoleLogin', {
    responseElements: { ConsoleLogin: 'Failure' },
    errorMessage: 'Failed authentication',
    additionalEventData: { MFAUsed: 'No' },
  }),
  aws('instance-abroad', 's3', 'ListBuckets', { userIdentity: { ...ROLE, arn: 'arn:aws:sts::444455556666:assumed-role/aws:ec2-instance/i-0abc' } }),
  aws('instance-inside', 'ssm', 'UpdateInstanceInformation', {
    userIdentity: { ...ROLE, arn: 'arn:aws:sts::444455556666:assumed-role/aws:ec2-instance/i-0abc' },
  }),
  aws('key-for-another', 'iam', 'CreateAccessKey', {
    requestParameters: { userName: 'bob' },
    responseElements: { accessKey: { userName: 'bob', status: 'Active' } },
  }),
  aws('key-for-oneself', 'iam', 'CreateAccessKey', {
    requestParameters: { userName: 'dev' },
    responseElements: { accessKey: { userName: 'dev', status: 'Active' } },
  }),
  aws('inline-admin', 'iam', 'PutUserPolicy', {
    requestParameters: {
      userName: 'bob',
      policyName: 'p',
      policyDocument: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
    },
  }),
  aws('inline-small', 'iam', 'PutUserPolicy', {
    requestParameters: {
      userName: 'bob',
      policyName: 'p',
      policyDocument: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}',
    },
  }),
  aws('placeholder-policy', 'iam', 'PutUserPolicy', {
    userAgent: '[S3 Browser 9.5.5]',
    requestParameters: { policyDocument: '{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::<YOUR-BUCKET-NAME>/*"}]}' },
  }),
  aws('attach-admin', 'iam', 'AttachUserPolicy', { requestParameters: { policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess', userName: 'bob' } }),
  aws('attach-read', 'iam', 'AttachUserPolicy', { requestParameters: { policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess', userName: 'bob' } }),
  aws('open-group', 'ec2', 'AuthorizeSecurityGroupIngress', {
    requestParameters: {
      groupId: 'sg-1',
      ipPermissions: { items: [{ ipProtocol: 'tcp', fromPort: 22, toPort: 22, ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] },
    },
  }),
  aws('narrow-group', 'ec2', 'AuthorizeSecurityGroupIngress', {
    requestParameters: {
      groupId: 'sg-1',
      ipPermissions: { items: [{ ipProtocol: 'tcp', fromPort: 22, toPort: 22, ipRanges: { items: [{ cidrIp: '198.51.100.0/24' }] } }] },
    },
  }),
  aws('task-reads-credentials', 'ecs', 'RegisterTaskDefinition', {
    requestParameters: {
      containerDefinitions: [
        { name: 'a', command: ['true'] },
        { name: 'b', command: ['sh', '-c', 'curl 169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] },
      ],
    },
  }),
  aws('task-plain', 'ecs', 'RegisterTaskDefinition', { requestParameters: { containerDefinitions: [{ name: 'a', command: ['true'] }] } }),
  aws('command-succeeded', 'ssm', 'SendCommand', { responseElements: { command: { status: 'Success', documentName: 'AWS-RunShellScript' } } }),
  aws('command-pending', 'ssm', 'SendCommand', { responseElements: { command: { status: 'Pending' } } }),
  aws('public-access-opened', 's3', 'PutBucketPublicAccessBlock', {
    requestParameters: {
      bucketName: 'b',
      PublicAccessBlockConfiguration: { RestrictPublicBuckets: false, BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true },
    },
  }),
  aws('public-access-closed', 's3', 'PutBucketPublicAccessBlock', {
    requestParameters: {
      bucketName: 'b',
      PublicAccessBlockConfiguration: { RestrictPublicBuckets: true, BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true },
    },
  }),
  aws('user-data-changed', 'ec2', 'ModifyInstanceAttribute', { requestParameters: { instanceId: 'i-1', attribute: 'userData' } }),
  aws('type-changed', 'ec2', 'ModifyInstanceAttribute', { requestParameters: { instanceId: 'i-1', attribute: 'instanceType' } }),
  aws('export-failed', 'ec2', 'CreateInstanceExportTask', {
    errorMessage: 'no permission',
    errorCode: 'UnauthorizedOperation',
    eventName: 'CreateInstanceExportTask',
  }),
  aws('export-began', 'ec2', 'CreateInstanceExportTask', { responseElements: { exportTask: { state: 'active' } } }),
  aws('public-database', 'rds', 'RestoreDBInstanceFromDBSnapshot', { responseElements: { publiclyAccessible: true } }),
  aws('private-database', 'rds', 'RestoreDBInstanceFromDBSnapshot', { responseElements: { publiclyAccessible: false } }),
  aws('snapshot-shared', 'rds', 'ModifyDBSnapshotAttribute', { requestParameters: { attributeName: 'restore', valuesToAdd: ['999988887777'] } }),
  aws('unlocked', 'route53domains', 'DisableDomainTransferLock'),
  aws('model-agreement', 'bedrock', 'CreateFoundationModelAgreement', { requestParameters: { modelId: 'amazon.nova-lite-v1:0' } }),
  aws('model-agreement-by-role', 'bedrock', 'CreateFoundationModelAgreement', { userIdentity: ROLE }),
  aws('model-call', 'bedrock-runtime', 'Converse', {
    eventSource: 'bedrock-runtime.amazonaws.com',
    userIdentity: ROLE,
    requestParameters: { modelId: 'amazon.nova-lite-v1:0' },
  }),
  aws('model-refused', 'bedrock-runtime', 'InvokeModel', {
    userIdentity: ROLE,
    errorCode: 'AccessDenied',
    errorMessage: 'not authorized',
    requestParameters: { modelId: 'amazon.nova-lite-v1:0' },
  }),
  aws('secret-a', 'secretsmanager', 'GetSecretValue', { requestParameters: { secretId: 'a' } }),
  aws('secret-b', 'secretsmanager', 'GetSecretValue', { requestParameters: { secretId: 'b' } }),
  aws('secret-c', 'secretsmanager', 'GetSecretValue', { requestParameters: { secretId: 'c' } }),
  aws('by-terraform', 'ec2', 'CreateVpc', { userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9' }),
  aws('by-hand', 'ec2', 'CreateVpc'),
  aws('from-inside', 'sts', 'GetCallerIdentity', { sourceIPAddress: '10.1.2.3' }),
  aws('from-outside', 'sts', 'GetCallerIdentity', { sourceIPAddress: '203.0.113.5', userAgent: 'TruffleHog' }),
  aws('saml-provider', 'iam', 'UpdateSAMLProvider'),
  aws('role-updated', 'iam', 'UpdateAssumeRolePolicy', {
    requestParameters: { roleName: 'app', policyDocument: '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}' },
  }),
  // A record that an exporter wrote with JSON in text.
  aws('text-members', 'lambda', 'UpdateFunctionConfiguration20150331v2', {
    requestParameters: '{"layers":["arn:aws:lambda:eu-west-1:999988887777:layer:x:1"]}',
  }),

  signIn('signed-in'),
  signIn('single-factor', { authenticationRequirement: 'singleFactorAuthentication' }),
  signIn('risky-stranger', {
    authenticationRequirement: 'singleFactorAuthentication',
    riskState: 'atRisk',
    riskLevelDuringSignIn: 'high',
    riskEventTypes_v2: ['anonymizedIPAddress'],
    deviceDetail: { deviceId: '', trustType: '' },
  }),
  signIn('hosting', { autonomousSystemNumber: 14061, riskLevelDuringSignIn: 'medium' }),
  signIn('hosting-quiet', { autonomousSystemNumber: 14061 }),
  signIn('locked', failed(50053, 'Account is locked because the user tried to sign in too many times'), { resultType: '50053' }),
  signIn('disabled', failed(50057, 'User account is disabled'), { resultType: '50057', resultDescription: 'User account is disabled' }),
  signIn(
    'mfa-refused',
    failed(500121, 'Authentication failed during strong authentication request.', { additionalDetails: 'MFA denied; user declined the authentication' }),
    { resultType: '500121' },
  ),
  signIn('blocked-by-policy', { ...failed(53003, 'Blocked by Conditional Access'), conditionalAccessStatus: 'failure' }, { resultType: '53003' }),
  signIn('device-code', { authenticationProtocol: 'deviceCode', deviceDetail: { isCompliant: false } }),
  signIn('device-code-compliant', { authenticationProtocol: 'deviceCode' }),
  signIn('ropc', { authenticationProtocol: 'ropc' }),
  signIn('azurehound', { userAgent: 'azurehound/2.0' }),
  signIn('guest', { crossTenantAccessType: 'b2bCollaboration', resourceTenantId: '00000000-0000-4000-8000-0000000000ff' }),
  signIn('imap', { clientAppUsed: 'IMAP4' }),
  signIn('abroad', { location: { city: 'Lagos', countryOrRegion: 'NG' } }, { location: 'NG' }),
  signIn('registering', {
    resourceDisplayName: 'Device Registration Service',
    conditionalAccessStatus: 'success',
    authenticationRequirement: 'singleFactorAuthentication',
  }),
  {
    // A row of Log Analytics: JSON in text, capitals.
    Type: 'SigninLogs',
    Id: 'row',
    TimeGenerated: '2026-05-01T11:00:00Z',
    CreatedDateTime: '2026-05-01T11:00:00Z',
    AADTenantId: TENANT,
    Category: 'SignInLogs',
    OperationName: 'Sign-in activity',
    ResultType: '50126',
    ResultDescription: 'Invalid username or password',
    UserPrincipalName: 'eve@contoso.example',
    AppId: '1b730954-1685-4b74-9bfd-dac224a7b894',
    AppDisplayName: 'Azure Portal',
    IPAddress: '203.0.113.9',
    Status: '{"errorCode":50126,"failureReason":"Invalid username or password"}',
    DeviceDetail: '{"operatingSystem":"Linux"}',
    UserId: '9a1b2c3d-0000-4000-8000-00000000000d',
    ResourceIdentity: '00000003-0000-0000-c000-000000000000',
  },

  audit('user-added', 'Add user', 'UserManagement', target('User', [], { userPrincipalName: 'new@contoso.example' })),
  audit('user-not-added', 'Add user', 'UserManagement', { ...target('User', []), result: 'failure' }),
  audit(
    'role-global-admin',
    'Add member to role',
    'RoleManagement',
    target('User', [modified('Role.TemplateId', null, '62e90394-69f5-4237-9190-012177145e10')]),
  ),
  audit('role-reader', 'Add member to role', 'RoleManagement', target('User', [modified('Role.TemplateId', null, '88d8e3e3-8f55-4a1e-953a-9b9898b8876b')])),
  audit(
    'consent-user',
    'Consent to application',
    'ApplicationManagement',
    target('ServicePrincipal', [
      modified('ConsentContext.IsAdminConsent', null, 'False'),
      modified('ConsentAction.Permissions', null, 'Scope: Mail.Read offline_access'),
    ]),
  ),
  audit(
    'consent-admin',
    'Consent to application',
    'ApplicationManagement',
    target('ServicePrincipal', [
      modified('ConsentContext.IsAdminConsent', null, 'True'),
      modified('ConsentAction.Permissions', null, 'Scope: Directory.ReadWrite.All'),
    ]),
  ),
  audit(
    'federated',
    'Update application',
    'ApplicationManagement',
    target('Application', [
      modified(
        'FederatedIdentityCredentials',
        [],
        [{ Name: 'x', Issuer: 'https://token.actions.example', Subject: 'repo:x', Audiences: ['api://AzureADTokenExchange'] }],
      ),
    ]),
  ),
  audit('renamed', 'Update application', 'ApplicationManagement', target('Application', [modified('DisplayName', 'a', 'b')])),
  audit('guest-to-member', 'Update user', 'UserManagement', target('User', [modified('UserType', ['Guest'], ['Member'])])),
  audit('laps', 'Recover device local administrator password', 'Device', {
    loggedByService: 'Device Registration Service',
    additionalDetails: [
      { key: 'Additional Info', value: 'none' },
      { key: 'additionalInfo', value: 'Successfully recovered local credential by device id' },
    ],
  }),
  audit('security-info', 'User registered security info', 'UserManagement', {
    loggedByService: 'Authentication Methods',
    resultReason: 'User registered Authenticator App',
  }),
  audit('invited', 'Invite external user', 'UserManagement', { initiatedBy: { user: { userPrincipalName: 'mallory@contoso.example' } } }),
  audit('invited-by-approved', 'Invite external user', 'UserManagement', { initiatedBy: { user: { userPrincipalName: 'inviter@contoso.example' } } }),
  audit('policy-deleted', 'Delete conditional access policy', 'Policy', { loggedByService: 'Conditional Access' }),
  audit('pim-alerts-off', 'Disable PIM alert', 'RoleManagement', { loggedByService: 'PIM' }),
  audit(
    'secret-added',
    'Update application – Certificates and secrets management ',
    'ApplicationManagement',
    target('Application', [modified('KeyDescription', [], ['[KeyIdentifier=k,KeyType=Password]'])]),
  ),
  audit('owner-added', 'Add owner to service principal', 'ApplicationManagement'),

  gcp('bucket-listed', 'storage.googleapis.com', 'storage.buckets.list'),
  gcp('bucket-deleted', 'storage.googleapis.com', 'storage.buckets.delete'),
  gcp('policy-access-deleted', 'accesscontextmanager.googleapis.com', 'google.identity.accesscontextmanager.v1.AccessContextManager.DeleteAccessPolicy', {
    authorizationInfo: [{ permission: 'accesscontextmanager.accessPolicies.delete', granted: true }],
  }),
  gcp('policy-access-refused', 'accesscontextmanager.googleapis.com', 'google.identity.accesscontextmanager.v1.AccessContextManager.DeleteAccessPolicy', {
    authorizationInfo: [{ permission: 'accesscontextmanager.accessPolicies.delete', granted: false }],
    status: { code: 7, message: 'PERMISSION_DENIED' },
  }),
  gcp('ssh-for-all', 'compute.googleapis.com', 'v1.compute.firewalls.insert', {
    request: { direction: 'INGRESS', sourceRanges: ['0.0.0.0/0'], alloweds: [{ IPProtocol: 'tcp', ports: ['22'] }] },
  }),
  gcp('https-for-all', 'compute.googleapis.com', 'v1.compute.firewalls.insert', {
    request: { direction: 'INGRESS', sourceRanges: ['0.0.0.0/0'], alloweds: [{ IPProtocol: 'tcp', ports: ['443'] }] },
  }),
  gcp('firewall-deleted', 'compute.googleapis.com', 'v1.compute.firewalls.delete'),
  gcp('instance-deleted', 'compute.googleapis.com', 'v1.compute.instances.delete'),
  gcp('webhook-created', 'k8s.io', 'io.k8s.admissionregistration.v1.mutatingwebhookconfigurations.create'),
  gcp('webhook-read', 'k8s.io', 'io.k8s.admissionregistration.v1.mutatingwebhookconfigurations.get'),
  gcp(
    'break-glass',
    'k8s.io',
    'io.k8s.core.v1.pods.create',
    { request: { metadata: { labels: { 'image-policy.k8s.io/break-glass': 'true' } } } },
    { resource: { type: 'k8s_cluster', labels: { project_id: 'shop', cluster_name: 'c' } } },
  ),
  gcp(
    'pod',
    'k8s.io',
    'io.k8s.core.v1.pods.create',
    { request: { metadata: { labels: { app: 'x' } } } },
    { resource: { type: 'k8s_cluster', labels: { project_id: 'shop' } } },
  ),
  gcp('impersonated', 'iamcredentials.googleapis.com', 'GenerateAccessToken', { methodName: 'google.iam.credentials.v1.IAMCredentials.GenerateAccessToken' }),
  gcp('owner-granted', 'cloudresourcemanager.googleapis.com', 'SetIamPolicy', {
    serviceData: { policyDelta: { bindingDeltas: [{ action: 'ADD', role: 'roles/owner', member: 'user:eve@contoso.example' }] } },
  }),
  gcp('viewer-granted', 'cloudresourcemanager.googleapis.com', 'SetIamPolicy', {
    serviceData: { policyDelta: { bindingDeltas: [{ action: 'ADD', role: 'roles/viewer', member: 'user:eve@contoso.example' }] } },
  }),
  gcp('key-created', 'iam.googleapis.com', 'google.iam.admin.v1.CreateServiceAccountKey'),
  gcp('sink-deleted', 'logging.googleapis.com', 'google.logging.v2.ConfigServiceV2.DeleteSink'),
  gcp(
    'model-generated',
    'aiplatform.googleapis.com',
    'google.cloud.aiplatform.v1.PredictionService.GenerateContent',
    {},
    { logName: 'projects/shop/logs/cloudaudit.googleapis.com%2Fdata_access' },
  ),
  gcp('domain-access', 'admin.googleapis.com', 'google.admin.AdminService.authorizeApiClientAccess', {
    metadata: { event: [{ eventType: 'DOMAIN_SETTINGS', eventName: 'AUTHORIZE_API_CLIENT_ACCESS', parameter: [{ name: 'API_CLIENT_NAME', value: '1234' }] }] },
  }),
  gcp('domain-name', 'admin.googleapis.com', 'google.admin.AdminService.changeOrganizationName', {
    metadata: {
      event: [{ eventType: 'DOMAIN_SETTINGS', eventName: 'CHANGE_ORGANIZATION_NAME', parameter: [{ name: 'NEW_VALUE', value: 'ContextAwareAccess' }] }],
    },
  }),
]
