/** What the AWS sources share: settings of a client, and the client's configuration made from them. */
import { z } from 'zod'
import { endpointUrl } from '../../engine/endpoint.ts'
import { secretReference } from '../../engine/secret.ts'
import type { SourceContext } from '../../engine/source.ts'
import { roleCredentials } from './role.ts'
import type { AwsRole, BaseCredentials } from './role.ts'

export const awsRegion = z.string().regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/, 'is no AWS region: write one like eu-central-1')
export const awsAccount = z
  .string('is no AWS account: write its twelve digits in quotes')
  .regex(/^\d{12}$/, 'is no AWS account: write its twelve digits in quotes')

/** Where credentials come from. Absent: the SDK's default chain (environment, container, instance, web identity). */
export const awsCredentials = z
  .union(
    [
      z.strictObject({ profile: z.string().min(1) }),
      z.strictObject({ accessKeyId: secretReference, secretAccessKey: secretReference, sessionToken: secretReference.optional() }),
    ],
    {
      error:
        'are neither {profile: NAME}, a profile of the AWS configuration file, ' +
        'nor {accessKeyId: …, secretAccessKey: …} with references to secrets ({env: NAME} or {file: path})',
    },
  )
  .optional()

export interface AwsSettings {
  readonly region: string
  /** With a role: those that it is assumed with. */
  readonly credentials?: z.output<typeof awsCredentials>
  readonly role?: AwsRole | undefined
  readonly endpoint?: string | undefined
  readonly timeoutSeconds: number
}

export const endpoint = endpointUrl.optional()
/** An answer takes seconds; a connection that gives none for so long is dead. */
export const timeoutSeconds = z.number().positive().max(600).default(60)

/** Secrets are read again after this, so that a rotated file counts. */
const CREDENTIALS_LIFE_MS = 5 * 60_000

/** The configuration of an SDK client. `maxAttempts` are the SDK's own quick attempts; the engine's back-off comes after them. */
export function clientConfig({ region, credentials, role, endpoint: address, timeoutSeconds: seconds }: AwsSettings, context: SourceContext) {
  const own = credentialsOf(credentials, context)
  const requestHandler = { connectionTimeout: 5000, requestTimeout: seconds * 1000, throwOnRequestTimeout: true, socketTimeout: seconds * 1000 }
  return {
    region,
    maxAttempts: 3,
    ...(address === undefined ? {} : { endpoint: address }),
    ...(role === undefined ? own : { credentials: roleCredentials(role, own, { region, requestHandler, source: context.name }) }),
    requestHandler,
  }
}

function credentialsOf(credentials: AwsSettings['credentials'], context: SourceContext): BaseCredentials {
  if (credentials === undefined) return {}
  if ('profile' in credentials) return { profile: credentials.profile }
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return {
    credentials: async () => ({
      accessKeyId: await context.secret(accessKeyId),
      secretAccessKey: await context.secret(secretAccessKey),
      ...(sessionToken === undefined ? {} : { sessionToken: await context.secret(sessionToken) }),
      expiration: new Date(Date.now() + CREDENTIALS_LIFE_MS),
    }),
  }
}
