/** Which vocabulary a rule's logsource asks for. */
import { z } from 'zod'
import { SOURCES } from '#core/event.ts'
import { refuse } from '../fault.ts'
import type { PlaceOf } from '../rule.ts'
import { cloudtrail } from './aws.ts'
import { activityLogs, auditLogs, privilegedIdentities, riskDetection, signInLogs } from './entra.ts'
import { gcpAudit, googleWorkspace } from './gcp.ts'
import { isSource, trailjoin } from './trailjoin.ts'
import type { Vocabulary } from './vocabulary.ts'

const SERVICES: Readonly<Record<string, Readonly<Record<string, Vocabulary>>>> = {
  aws: { cloudtrail },
  azure: {
    signinlogs: signInLogs,
    auditlogs: auditLogs,
    activitylogs: activityLogs,
    riskdetection: riskDetection,
    pim: privilegedIdentities,
  },
  gcp: {
    'gcp.audit': gcpAudit,
    'google_workspace.admin': googleWorkspace('google_workspace.admin'),
    'google_workspace.login': googleWorkspace('google_workspace.login'),
  },
}
/** Every logsource that rules may name. */
const LOGSOURCES: readonly string[] = [
  'trailjoin',
  ...Object.entries(SERVICES).flatMap(([product, services]) => Object.keys(services).map((service) => `${product}/${service}`)),
]

const Logsource = z.looseObject({ product: z.string(), service: z.string().nullish() })

/** @throws SigmaError for logs that are not read, with the reason */
export function readLogsource(value: unknown, place: PlaceOf): Vocabulary {
  const read = Logsource.safeParse(value)
  if (!read.success) return refuse(place('logsource'), `the logsource must name a product. These are read: ${LOGSOURCES.join(', ')}`)
  const { product, service, definition: _definition, ...more } = read.data
  const services = Object.hasOwn(SERVICES, product) ? SERVICES[product] : undefined
  if (product !== 'trailjoin' && !services)
    return refuse(place('logsource'), `logs of the product "${product}" are not read. These are: ${LOGSOURCES.join(', ')}`)
  const extra = Object.keys(more)[0]
  if (extra !== undefined) return refuse(place('logsource', extra), `"${extra}" of a logsource is not supported: write service, or a field in the detection`)
  if (!services) {
    if (service === undefined || service === null) return trailjoin(null)
    return isSource(service) ? trailjoin(service) : refuse(place('logsource', 'service'), `the service is none of ${SOURCES.join(', ')}`)
  }
  // Older rules repeat the product (`azure.signinlogs`).
  const name = (service ?? '').replace(new RegExp(`^${product}\\.(?=${product === 'gcp' ? 'gcp\\.' : ''})`), '')
  const vocabulary = Object.hasOwn(services, name) ? services[name] : undefined
  if (vocabulary) return vocabulary
  return refuse(
    place('logsource', service === undefined ? 'product' : 'service'),
    `${service ? `records of ${product}/${service}` : `"product: ${product}" without a service`} ${service ? 'are' : 'is'} not read. Of ${product} these are: ${Object.keys(services).join(', ')}`,
  )
}
