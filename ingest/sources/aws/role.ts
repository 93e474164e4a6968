/** A role that is assumed for one client: how one identity reads many accounts. */
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import { z } from 'zod'
import { endpointUrl } from '../../engine/endpoint.ts'
import { ASSUMING, awsError } from './errors.ts'
import { HTTPS_ONLY, httpsOnly } from './plain-http.ts'

const arn = z
  .string('is no role: write its ARN, arn:aws:iam::<twelve digits>:role/<name>')
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'is no role: write its ARN, arn:aws:iam::<twelve digits>:role/<name>')

/** The ARN alone, or with what its trust policy asks for. Limits are those of STS AssumeRole. */
export const awsRole = z
  .union(
    [
      arn.transform((text) => ({ arn: text })),
      z.strictObject({
        arn,
        externalId: z
          .string()
          .regex(/^[\w+=,.@:/-]{2,1224}$/, 'is no external id: 2 to 1224 letters, digits and +=,.@:/-_')
          .optional(),
        sessionName: z
          .string()
          .regex(/^[\w+=,.@-]{2,64}$/, 'is no session name: 2 to 64 letters, digits and +=,.@-_')
          .optional(),
        /** Of STS, where it is not the region's own. */
        endpoint: endpointUrl.optional(),
      }),
    ],
    {
      error: 'is neither the ARN of a role (arn:aws:iam::<twelve digits>:role/<name>) nor {arn: …, externalId: …, sessionName: …, endpoint: …}',
    },
  )
  .optional()

export interface AwsRole {
  readonly arn: string
  readonly externalId?: string | undefined
  readonly sessionName?: string | undefined
  readonly endpoint?: string | undefined
}

/** What the role is assumed with: keys, a profile, or the SDK's default chain. */
export type BaseCredentials =
  | { readonly credentials: () => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration: Date }> }
  | { readonly profile: string }
  | { readonly profile?: never }

interface RoleClient {
  readonly region: string
  readonly requestHandler: { readonly requestTimeout: number }
  /** The source's name: CloudTrail shows who it was. */
  readonly source: string
}

const SESSION_NAME_LENGTH = 64

/** The account that a role belongs to. */
export const accountOfRole = (role: AwsRole): string => role.arn.split(':')[4] ?? ''

/**
 * A provider for an SDK client: asks STS of the client's region, and again before what it gave runs out (the SDK keeps it until then). What STS refuses
 * is a SourceError that names the role.
 */
export function roleCredentials(role: AwsRole, base: BaseCredentials, { region, requestHandler, source }: RoleClient) {
  const provide = fromTemporaryCredentials({
    masterCredentials:
      'credentials' in base
        ? base.credentials
        : fromNodeProviderChain({ clientConfig: { region }, ...(base.profile === undefined ? {} : { profile: base.profile }) }),
    params: {
      RoleArn: role.arn,
      RoleSessionName: role.sessionName ?? `trailjoin-${source}`.slice(0, SESSION_NAME_LENGTH),
      ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
    },
    clientConfig: { region, maxAttempts: 3, requestHandler, ...(role.endpoint === undefined ? {} : { endpoint: role.endpoint }) },
    clientPlugins: [{ applyToStack: (stack) => stack.add(httpsOnly as never, HTTPS_ONLY) }],
  })
  return async () => {
    try {
      return await provide()
    } catch (error) {
      throw awsError(error, `${ASSUMING}${role.arn}`)
    }
  }
}
