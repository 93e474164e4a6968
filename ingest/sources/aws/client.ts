/** What the AWS sources share: settings of a client, and the client's configuration made from them. */
import { z } from 'zod'
import { endpointUrl, isLoopback } from '../../engine/endpoint.ts'
import { secretReference } from '../../engine/secret.ts'
import { SourceError } from '../../engine/source.ts'
import type { SourceContext } from '../../engine/source.ts'

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
        'are neither {profile: NAME}, a profile of the AWS configuration file (also the way to assume a role: role_arn there), ' +
        'nor {accessKeyId: …, secretAccessKey: …} with references to secrets ({env: NAME} or {file: path})',
    },
  )
  .optional()

export interface AwsSettings {
  readonly region: string
  readonly credentials?: z.output<typeof awsCredentials>
  readonly endpoint?: string | undefined
  readonly timeoutSeconds: number
}

export const endpoint = endpointUrl.optional()
/** An answer takes seconds; a connection that gives none for so long is dead. */
export const timeoutSeconds = z.number().positive().max(600).default(60)

/** Secrets are read again after this, so that a rotated file counts. */
const CREDENTIALS_LIFE_MS = 5 * 60_000

/** The configuration of an SDK client. `maxAttempts` are the SDK's own quick attempts; the engine's back-off comes after them. */
export function clientConfig({ region, credentials, endpoint: address, timeoutSeconds: seconds }: AwsSettings, context: SourceContext) {
  return {
    region,
    maxAttempts: 3,
    ...(address === undefined ? {} : { endpoint: address }),
    ...credentialsOf(credentials, context),
    requestHandler: { connectionTimeout: 5000, requestTimeout: seconds * 1000, throwOnRequestTimeout: true, socketTimeout: seconds * 1000 },
  }
}

function credentialsOf(credentials: AwsSettings['credentials'], context: SourceContext) {
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

/** The part of a client that `refusePlainHttp` needs; the clients' own types differ in their inputs only. */
interface WithMiddleware {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => Promise<never>) => (args: never) => Promise<never>,
      options: { readonly step: 'finalizeRequest'; readonly name: string; readonly priority: 'high' },
    ): void
  }
}

/** An address can also come from the environment (AWS_ENDPOINT_URL…), past the configuration's check: signed requests leave this machine by https only. */
export function refusePlainHttp<Client>(client: Client): Client {
  const { middlewareStack } = client as WithMiddleware
  middlewareStack.add(
    (next) => async (args) => {
      const { protocol, hostname } = (args as { readonly request: { readonly protocol: string; readonly hostname: string } }).request
      if (protocol === 'http:' && !isLoopback(`http://${hostname}`)) {
        throw new SourceError(
          'SOURCE_MISCONFIGURED',
          `the AWS endpoint http://${hostname} is plain http, which is allowed only to this machine: write https:// (is AWS_ENDPOINT_URL set?)`,
        )
      }
      return next(args)
    },
    { step: 'finalizeRequest', name: 'refusePlainHttp', priority: 'high' },
  )
  return client
}
