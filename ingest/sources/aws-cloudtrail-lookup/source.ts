import { CloudTrailClient } from '@aws-sdk/client-cloudtrail'
import { z } from 'zod'
import type { Source } from '../../engine/source.ts'
import { awsAccount, awsCredentials, awsRegion, clientConfig, endpoint, timeoutSeconds } from '../aws/client.ts'
import { awsError } from '../aws/errors.ts'
import { sharedPacer } from '../aws/pacer.ts'
import { refusePlainHttp } from '../aws/plain-http.ts'
import { accountOfRole, awsRole } from '../aws/role.ts'
import { checkLookup } from './check.ts'
import { HISTORY_DAYS, pollLookup } from './poll.ts'
import type { LookupPart } from './poll.ts'

const settings = z
  .strictObject({
    accounts: z
      .array(z.strictObject({ account: awsAccount, regions: z.array(awsRegion).min(1, 'names no region'), credentials: awsCredentials, role: awsRole }))
      .min(1, 'names no account'),
    /** How far back the first poll reaches. */
    startDays: z.number().positive().max(HISTORY_DAYS, `is more than the ${HISTORY_DAYS} days that CloudTrail's event history keeps`).default(7),
    /** The quota is 2 a second for an account and region, everybody's requests together; it cannot be raised. */
    requestsPerSecond: z.number().positive().max(1000).default(1.8),
    timeoutSeconds,
    endpoint,
  })
  .superRefine(({ accounts }, context) => {
    const seen = new Set<string>()
    accounts.forEach(({ account, regions, role }, at) => {
      if (role !== undefined && accountOfRole(role) !== account)
        context.addIssue({ code: 'custom', path: ['accounts', at, 'role'], message: `belongs to the account ${accountOfRole(role)}, not to ${account}` })
      regions.forEach((region, index) => {
        const pair = `${account}/${region}`
        if (seen.has(pair)) context.addIssue({ code: 'custom', path: ['accounts', at, 'regions', index], message: `repeats ${pair}` })
        seen.add(pair)
      })
    })
  })

const source: Source<z.output<typeof settings>> = {
  kind: 'aws-cloudtrail-lookup',
  description: "CloudTrail's event history (management events of the last 90 days) by LookupEvents, account by account and region by region",
  settings,
  open({ accounts, startDays, requestsPerSecond, endpoint: address, timeoutSeconds: seconds }, context) {
    return accounts.flatMap(({ account, regions, credentials, role }) =>
      regions.map((region) => {
        const client = refusePlainHttp(new CloudTrailClient(clientConfig({ region, credentials, role, endpoint: address, timeoutSeconds: seconds }, context)))
        const part: LookupPart = {
          account,
          region,
          client,
          startMs: startDays * 24 * 3_600_000,
          pacer: sharedPacer(`cloudtrail ${account} ${region}`, 1000 / requestsPerSecond),
          context,
        }
        return {
          part: `${account}/${region}`,
          poll: (cursor, signal) => pollLookup(part, cursor, signal),
          check: (signal) => checkLookup(part, signal),
          classify: (error) => awsError(error, `CloudTrail LookupEvents in ${account}/${region}`),
          close: () => client.destroy(),
        }
      }),
    )
  },
}

export default source
