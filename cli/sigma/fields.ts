/** What a Sigma rule may ask of a linked event: the fields by name, and their values. docs/sigma.md lists them for people. */

/** A value of a field; a list matches when one of its values does. */
export type FieldValue = string | number | null | readonly string[]
/** Column (of `events e`, `conclusions c`) behind each field. */
const COLUMNS = {
  source: 'e.source::text',
  kind: 'e.kind::text',
  action: 'e.action',
  outcome: 'e.outcome::text',
  errorCode: 'e.error_code',
  errorMessage: 'e.error_message',
  tenantId: 'coalesce(c.tenant_id, e.tenant_id)::text',
  subjectOid: 'c.subject_oid::text',
  agentOid: 'c.agent_oid::text',
  onBehalfOf: 'c.on_behalf_of::text',
  confidence: `coalesce(c.confidence::text, 'none')`,
  basis: `coalesce(c.basis, '{}')`,
  candidates: `coalesce(c.candidates::text[], '{}')`,
  targets: `coalesce(e.targets::text[], '{}')`,
  sessionId: 'c.session_id::text',
  parentId: 'c.parent_id::text',
  account: 'e.account',
  region: 'e.region',
  ranRegion: 'e.ran_region',
  principal: 'e.principal',
  resource: 'e.resource',
  modelId: 'e.model_id',
  modelName: 'e.model_name',
  modelProvider: 'e.model_provider',
  inputTokens: 'e.input_tokens::float8',
  outputTokens: 'e.output_tokens::float8',
  sourceIp: 'e.source_ip',
  userAgent: 'e.user_agent',
  requestId: 'e.request_id',
  nativeId: 'e.native_id',
  federatedSubject: 'e.proof_subject',
  credential: 'e.uses',
  credentialType: 'e.credential_type',
  audience: 'e.audience',
  invokedBy: 'e.invoked_by',
  asserted: `coalesce(e.asserted, '{}')`,
} as const

export type FieldName = keyof typeof COLUMNS
export const FIELDS = Object.keys(COLUMNS) as readonly FieldName[]

export const isField = (name: string): name is FieldName => Object.hasOwn(COLUMNS, name)

/** The select list of these fields, each under its name. */
export const selectList = (fields: Iterable<FieldName>): string => [...new Set(fields)].map((name) => `${COLUMNS[name]} as "${name}"`).join(', ')
