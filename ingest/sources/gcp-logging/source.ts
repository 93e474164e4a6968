import { Logging } from '@google-cloud/logging'
import { OAuth2Client } from 'google-auth-library'
import { z } from 'zod'
import { MINUTE } from '#core/time.ts'
import { endpointUrl } from '../../engine/endpoint.ts'
import { secretReference } from '../../engine/secret.ts'
import type { Source, SourceContext } from '../../engine/source.ts'
import { createDelivered } from '../overlap/delivered.ts'
import { checkResources } from './check.ts'
import { googleError } from '../google/errors.ts'
import { AUDIT_FILTER } from './list.ts'
import type { LogReader } from './list.ts'
import { createPacer } from './pacer.ts'
import { pollEntries } from './poll.ts'
import type { ResourcePart } from './poll.ts'

const GOOGLE = 'https://logging.googleapis.com'
/** The filter may have 20,000 characters, our own part and the times included. */
const MAX_FILTER = 18_000

const resourceName = z
  .string()
  .regex(
    /^(projects|folders|organizations|billingAccounts)\/[\w.:-]+(\/locations\/[\w-]+\/buckets\/[\w.-]+\/views\/[\w.-]+)?$/,
    'is no resource: write projects/ID, folders/NUMBER, organizations/NUMBER or …/locations/L/buckets/B/views/V',
  )

const group = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,100}$/, 'is no name: letters, digits, . _ -'),
  resources: z.array(resourceName).min(1, 'names no resource').max(100, 'has more than the 100 resources of one request'),
})

const resource = z.union([resourceName, group], {
  error:
    'is neither a resource (projects/ID, folders/NUMBER, organizations/NUMBER, …/buckets/B/views/V) nor a group {name: NAME, resources: [up to 100 resources]}',
})

const partOf = (item: z.output<typeof resource>): string => (typeof item === 'string' ? item : item.name)

const settings = z.strictObject({
  /** Each is a part of its own, with a cursor of its own; a group `{name, resources}` is read with one request, which saves reads. */
  resources: z
    .array(resource)
    .min(1, 'names no resource')
    .refine((list) => new Set(list.map(partOf)).size === list.length, 'names a resource twice'),
  /** Absent: application default credentials. */
  credentials: z
    .union([z.strictObject({ keyFile: z.string().min(1) }), z.strictObject({ token: secretReference })], {
      error: 'is neither {keyFile: path of a credential configuration} nor {token: …} with a reference to a secret ({env: NAME} or {file: path})',
    })
    .optional(),
  /** In the place of the audit filter of ours: for organisations that log other services through their own sinks. No times in it. */
  filter: z
    .string()
    .min(1)
    .max(MAX_FILTER)
    .refine((text) => !/\btimestamp\b/i.test(text), 'must not restrict timestamp: the collector does')
    .default(AUDIT_FILTER),
  startDays: z.number().positive().max(400, 'is more than the 400 days that Admin Activity logs are kept').default(30),
  /** Entries keep their own time and may be shown later than younger ones: what lies so far back is asked for again at each poll. */
  overlapMinutes: z.number().min(1).max(1440).default(10),
  /** The quota of a project, folder or organisation is 60, not raisable; everybody's reads together. */
  readsPerMinute: z.number().int().min(1).max(60, 'is more than the 60 reads a minute that Google allows').default(50),
  timeoutSeconds: z.number().positive().max(600).default(60),
  endpoint: endpointUrl.optional(),
})

type Settings = z.output<typeof settings>

function clientOf(credentials: Settings['credentials'], context: SourceContext): Logging {
  if (credentials === undefined) return new Logging()
  if ('keyFile' in credentials) return new Logging({ keyFilename: credentials.keyFile })
  const authClient = new OAuth2Client()
  // Out of date at once: so it is read anew for each request, and a rotated file counts.
  authClient.refreshHandler = async () => ({ access_token: await context.secret(credentials.token), expiry_date: Date.now() + 1000 })
  // A project is wanted by the client, and used by calls that are not made here.
  return new Logging({ projectId: 'unused', authClient })
}

const source: Source<Settings> = {
  kind: 'gcp-logging',
  description: 'Google Cloud audit logs from Cloud Logging: projects, folders, organisations or bucket views',
  settings,
  open({ resources, credentials, filter, startDays, overlapMinutes, readsPerMinute, timeoutSeconds, endpoint }, context) {
    const reader: LogReader = {
      auth: clientOf(credentials, context).auth,
      base: (endpoint ?? GOOGLE).replace(/\/+$/, ''),
      pacer: createPacer(readsPerMinute),
      timeoutMs: timeoutSeconds * 1000,
    }
    return resources.map((item) => {
      const part: ResourcePart = {
        name: partOf(item),
        resourceNames: typeof item === 'string' ? [item] : item.resources,
        filter,
        start: BigInt(Math.round(startDays * 1440)) * MINUTE,
        overlap: BigInt(Math.round(overlapMinutes)) * MINUTE,
        pageSize: 1000,
        reader,
        delivered: createDelivered(),
        context,
      }
      return {
        part: part.name,
        poll: (cursor, signal) => pollEntries(part, cursor, signal),
        check: (signal) => checkResources(part, signal),
        classify: (error) => googleError(error, `entries:list of ${part.name}`),
      }
    })
  },
}

export default source
