import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import type { LookupAttribute } from '@aws-sdk/client-cloudtrail'
import type { Finding } from '../../engine/source.ts'
import { adviceFor, awsError } from '../aws/errors.ts'
import { recipientOf } from './poll.ts'
import type { LookupPart } from './poll.ts'

const DAY_MS = 24 * 3_600_000

/** Reachable and permitted? Does the history hold federation and model calls? Three requests. */
export async function checkLookup(part: LookupPart, signal: AbortSignal): Promise<readonly Finding[]> {
  const { account, region, client, pacer, context } = part
  const end = new Date(context.now())
  const any = async (attribute: LookupAttribute | null, days: number): Promise<string | null> => {
    await pacer(signal)
    const answer = await client.send(
      new LookupEventsCommand({
        StartTime: new Date(end.getTime() - days * DAY_MS),
        EndTime: end,
        MaxResults: 1,
        ...(attribute === null ? {} : { LookupAttributes: [attribute] }),
      }),
      { abortSignal: signal },
    )
    return answer.Events?.[0]?.CloudTrailEvent ?? null
  }
  try {
    const newest = await any(null, 7)
    const found = recipientOf(newest ?? undefined)
    if (found !== null && found !== account) {
      return [
        {
          check: 'account',
          level: 'problem',
          message: `the credentials belong to the account ${found}, not to ${account}`,
          next: 'Correct "account" or "credentials" in the configuration.',
        },
      ]
    }
    const findings: Finding[] = [
      newest === null
        ? {
            check: 'reachable',
            level: 'warning',
            message: `LookupEvents answers, but ${account}/${region} has no event of the last 7 days`,
            next: 'Check that this is an account and region in use.',
          }
        : { check: 'reachable', level: 'ok', message: `LookupEvents answers for ${account}/${region}`, next: null },
    ]
    const federation = await any({ AttributeKey: 'EventName', AttributeValue: 'AssumeRoleWithWebIdentity' }, 30)
    findings.push(
      federation === null
        ? {
            check: 'federation',
            level: 'warning',
            message: 'no AssumeRoleWithWebIdentity in the last 30 days',
            // STS logs where the endpoint is; the global one in us-east-1 (facts: AWS, "STS regions").
            next: 'Agents that use the global STS endpoint are logged in us-east-1: add that region, and every region whose STS endpoint they use.',
          }
        : { check: 'federation', level: 'ok', message: 'AssumeRoleWithWebIdentity is logged here', next: null },
    )
    const models = await any({ AttributeKey: 'EventSource', AttributeValue: 'bedrock.amazonaws.com' }, 30)
    findings.push({
      check: 'model calls',
      level: 'ok',
      message: models === null ? 'no Bedrock call in the last 30 days' : 'Bedrock calls are logged here',
      next: null,
    })
    return findings
  } catch (error) {
    signal.throwIfAborted()
    const failure = awsError(error, `CloudTrail LookupEvents in ${account}/${region}`)
    return [{ check: 'reachable', level: 'problem', message: failure.message, next: adviceFor(failure, 'cloudtrail:LookupEvents') }]
  }
}
