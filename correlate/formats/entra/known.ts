/** Envelope keys of diagnostic settings that say nothing more than the record, or that are read; forwarders lower-case them. */
export const ENVELOPE: readonly string[] = [
  'time',
  'resourceId',
  'operationName',
  'operationVersion',
  'category',
  'tenantId',
  'resultType',
  'resultSignature',
  'resultDescription',
  'durationMs',
  'callerIpAddress',
  'correlationId',
  'identity',
  'level',
  'location',
]

/** Columns that every Log Analytics table has. */
export const TABLE: readonly string[] = [
  'TenantId',
  'AADTenantId',
  'AadTenantId',
  'TimeGenerated',
  'SourceSystem',
  'Type',
  'Category',
  'Resource',
  'ResourceGroup',
  'ResourceId',
  'ResourceProvider',
  'Level',
  '_BilledSize',
  '_IsBillable',
  '_ResourceId',
  'OperationName',
  'OperationVersion',
  'ResultType',
  'ResultSignature',
  'ResultDescription',
  'DurationMs',
  'Identity',
  'Location',
  'CorrelationId',
]

/**
 * Paths that a format reads or knowingly leaves, in all shapes.
 * @param names fields by their Graph name
 * @param columns Log Analytics columns that are not the Graph name with a capital
 */
export function knownPaths(names: readonly string[], columns: readonly string[]): readonly string[] {
  const outer = ENVELOPE.flatMap((name) => [name, name.toLowerCase(), name[0]!.toUpperCase() + name.slice(1)])
  const inner = names.flatMap((name) => [name, `properties.${name}`, name[0]!.toUpperCase() + name.slice(1)])
  return [...new Set([...outer, ...TABLE, ...inner, ...columns])]
}
