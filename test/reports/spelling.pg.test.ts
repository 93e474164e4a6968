/** Reports of records that were half read: another spelling, JSON in cells, other tables, other forms of times, accounts and addresses. */
import { describe, expect, test } from 'vitest'
import { resolve } from '#api/read-models/resolve.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { type Study, study } from './study.ts'

const TENANT = '5d0f7c1a-0b2e-4c3d-9e4f-aa11bb22cc33'
const AGENT = '7a6b5c4d-1111-4222-8333-94a5b6c7d8e9'
const ROLE_SESSION = 'arn:aws:sts::012345678901:assumed-role/weather-agent/weather-1'

/** Looks at a report, or at one of its files. */
async function look<Answer>(path: string, see: (report: Study) => Answer | Promise<Answer>, options: Parameters<typeof study>[1] = {}): Promise<Answer> {
  const report = await study([path], options)
  try {
    return await see(report)
  } finally {
    await report.close()
  }
}
const reasonsOf = ({ summary }: Study): string[] => summary.rejections.map(({ reason }) => reason).toSorted()
/** What was acted on, which the export leaves out. */
const resourcesOf = async ({ pool }: Study): Promise<unknown[]> =>
  (await pool.query<{ resource: string | null }>('select resource from events order by time_ns, event_id')).rows.map(({ resource }) => resource)
const rules = ({ findings }: Study): string[] => findings.map(({ rule }) => rule)

describe('Times', () => {
  test('02-ps51-dates: dates of PowerShell and epochs are instants, and what names no one instant is rejected with its value', () =>
    look('02-ps51-dates', (report) => {
      expect(report.events.map(({ time }) => time.slice(17, 23))).toEqual(['00.000', '00.111', '00.123', '00.222', '00.456', '00.789'])
      expect(new Set(report.events.map(({ time }) => time.slice(0, 17)))).toEqual(new Set(['2026-11-10T10:00:']))
      expect(reasonsOf(report)).toEqual(['entra-signin: createdDateTime must be an instant (ISO 8601 or since 1970), got "11/10/2026 10:00:00 AM"'])
    }))

  test('77-bad-time: a bad time is rejected and shown; "no event time" is only where there is none', () =>
    look('77-bad-time', (report) => {
      expect(report.events).toEqual([])
      const got = (name: string, value: string): string => `${name} must be an instant (ISO 8601 or since 1970), got ${value}`
      expect(reasonsOf(report)).toEqual(
        [
          `api-access: ${got('time', '"yesterday"')}`,
          `bedrock-invocation: ${got('timestamp', '"10/11/2026"')}`,
          `cloudtrail: ${got('eventTime', '"0000-00-00T00:00:00.000Z"')}`,
          `cloudtrail: ${got('eventTime', '"0001-01-01T00:00:00Z"')}`,
          'cloudtrail: no event time (eventTime)',
          `entra-signin: ${got('createdDateTime', '"0000-00-00T00:00:00Z"')}`,
          'entra-signin: no event time (createdDateTime, timeGenerated)',
          `entra-signin: ${got('properties.createdDateTime', '"1601-01-01"')}`,
          `gcp-audit: ${got('timestamp', '"0000-00-00T00:00:00.000Z"')}`,
          `gcp-audit: ${got('timestamp', '{"seconds":"never"}')}`,
          'gcp-audit: no event time (timestamp)',
        ].toSorted(),
      )
    }))
})

describe('Entra', () => {
  test('05-adfs-and-string-lines: AD FS sign-ins are read, with and without a client', async () => {
    const [event] = await look('05-adfs-and-string-lines/plain.ndjson', ({ events }) => events)
    expect(event).toMatchObject({ action: 'entra:SignIn', outcome: 'success', subjectOid: '1fe68e72-aa00-4abc-8def-000000000018', tenantId: TENANT })
    await look('05-adfs-and-string-lines/own-adfs-row.ndjson', (report) => {
      expect(report.events.map(({ action, outcome, error }) => [action, outcome, error?.code])).toEqual([
        ['entra:SignIn', 'success', undefined],
        ['entra:SignIn', 'failure', '50126'],
      ])
      expect(new Set(report.events.map(({ subjectOid }) => subjectOid))).toEqual(new Set(['1fe68e72-aa00-4abc-8def-000000000018']))
    })
  })

  test('13-powershell-pascal: sign-ins and audits with capitals at every depth are read whole', async () => {
    await look(
      '13-powershell-pascal/utf16.json',
      ({ events }) =>
        expect(events.map(({ action, subjectOid, sourceIp }) => `${action} ${subjectOid} ${sourceIp}`).toSorted()).toEqual([
          'entra:NonInteractiveUserSignIn 886b67c5-aa00-4abc-8def-000000000085 203.0.113.7',
          `entra:ServicePrincipalSignIn ${AGENT} 203.0.113.7`,
        ]),
      { tenantId: TENANT },
    )
    await look(
      '13-powershell-pascal/audit.json',
      async (report) => {
        expect(report.events.map(({ kind, targets, sourceIp }) => [kind, targets, sourceIp])).toEqual([
          ['identity.changed', [AGENT], '203.0.113.8'],
          ['identity.changed', [AGENT], '203.0.113.8'],
        ])
        // Both say that the principal was disabled: the second in the form in which PowerShell cuts what lies deeper.
        expect((await report.dump()).filter((line) => line.startsWith('directory_facts:') && line.includes('disabled'))).toHaveLength(2)
      },
      { tenantId: TENANT },
    )
  })

  test('13-powershell-pascal: what PowerShell cut off is missed, named, and not read as if it had said nothing', () =>
    look('13-powershell-pascal/own-depth-2.json', (report) => {
      expect(report.events).toEqual([])
      expect(reasonsOf(report)).toEqual([
        'entra-audit: initiatedBy must be an object or a list, got "System.Collections.Hashtable"',
        'entra-audit: targetResources[] must be an object or a list, got "Microsoft.Graph.PowerShell.Models.MicrosoftGraphTargetResource"',
      ])
    }))

  test('13-powershell-pascal: members that the module does not know, and rows of Defender tables, are read', async () => {
    await look('13-powershell-pascal/own-beta.json', ({ events }) =>
      expect(events).toMatchObject([{ action: 'entra:ServicePrincipalSignIn', agentOid: AGENT, tenantId: TENANT, attribution: { confidence: 'exact' } }]),
    )
    await look(
      '13-powershell-pascal/own-defender.ndjson',
      ({ events }) =>
        expect(events).toMatchObject([
          { nativeId: 'own-def-1', action: 'entra:ServicePrincipalSignIn', outcome: 'success', subjectOid: AGENT },
          { nativeId: 'own-def-2', action: 'graph:GET /v1.0/users', outcome: 'failure', subjectOid: AGENT },
        ]),
      { tenantId: TENANT },
    )
  })

  test.each(['in.ndjson', 'own-deleted.ndjson', 'own-cells.ndjson'])('13d-revocation-pascal/%s: activity-after-revocation fires', (file) =>
    look(`13d-revocation-pascal/${file}`, (report) => expect(rules(report)).toContain('activity-after-revocation'), { tenantId: TENANT }),
  )

  test('24-properties-string: properties as JSON text, also encoded twice, are read; cut ones are rejected', () =>
    look('24-properties-string', (report) => {
      expect(report.events.map(({ action, agentOid, targets }) => `${action} ${agentOid} ${targets.join(',')}`).toSorted()).toEqual([
        `entra:ManagedIdentitySignIn ${AGENT} `,
        `entra:ServicePrincipalSignIn ${AGENT} `,
        `entra:ServicePrincipalSignIn ${AGENT} `,
        `entra:ServicePrincipalSignIn ${AGENT} `,
        `entra:Update service principal null ${AGENT}`,
      ])
      expect(reasonsOf(report)).toEqual([expect.stringMatching(/^entra-signin: properties must be an object or a list, got "\{/)])
    }))

  test('43-agent-variants: the agent is known from every form of the column', async () => {
    await look('43-agent-variants/in.ndjson', async (report) => {
      expect(report.summary.rejected).toBe(0)
      const known = report.events.map(({ subjectOid, agentOid }) => `${subjectOid!.slice(-2)} ${agentOid !== null}`).toSorted()
      // A number for a type is documented nowhere: no agent, and what was not understood is named.
      expect(known).toEqual(['a1 true', 'a2 true', 'a3 true', 'a4 true', 'a5 false'])
      expect((await report.dump()).filter((line) => line.includes('Agent.agentType'))).not.toEqual([])
    })
    await look('43-agent-variants/own-variants.ndjson', ({ events }) => {
      expect(events).toHaveLength(5)
      for (const { subjectOid, agentOid } of events) expect(agentOid).toBe(subjectOid)
    })
    await look('43-agent-variants/own-unreadable.ndjson', (report) => {
      expect(report.events).toHaveLength(1)
      expect(reasonsOf(report)).toEqual(['entra-signin: Agent must be an object or a list, got "agenticAppInstance"'])
    })
  })

  test('81-audit-type-capital: the kind of a target is read as with `type`', () =>
    look('81-audit-type-capital', ({ events }) => {
      expect(events).toHaveLength(4)
      for (const { kind, targets } of events) expect([kind, targets]).toEqual(['identity.changed', ['99999999-aaaa-4bbb-8ccc-000000000004']])
    }))
})

describe('AWS', () => {
  test.each(['in.ndjson', 'own-floats.ndjson', 'own-spreadsheet.ndjson'])(
    '06-leading-zero/%s: the account has its twelve digits, and calls meet their tokens',
    (file) =>
      look(`06-leading-zero/${file}`, ({ events, usage }) => {
        const calls = file === 'in.ndjson' ? 2 : 1
        expect(new Set(events.filter(({ source }) => source === 'aws').map(({ cloud }) => cloud.account))).toEqual(new Set(['012345678901']))
        expect(usage).toMatchObject([{ account: '012345678901', agentOid: AGENT, calls, inputTokens: 100 * calls, outputTokens: 50 * calls }])
      }),
  )

  test.each(['in.ndjson', 'own-structs.ndjson', 'own-snake.ndjson', 'own-sentinel.ndjson', 'own-python-and-flattened.ndjson'])(
    '18-athena-strings/%s: the key is issued, and the call is exact with its model and principal',
    (file) =>
      look(`18-athena-strings/${file}`, ({ events, summary }) => {
        expect(summary.rejected).toBe(0)
        const [exchange, call] = events.filter(({ source }) => source === 'aws')
        expect(exchange).toMatchObject({ kind: 'token.exchanged', subjectOid: AGENT, tenantId: TENANT, attribution: { confidence: 'exact' } })
        expect(call).toMatchObject({
          kind: 'llm.invoked',
          agentOid: AGENT,
          parentId: exchange!.id,
          sessionId: exchange!.sessionId,
          attribution: { confidence: 'exact' },
          model: { name: 'claude-sonnet-4-5-20250929-v1' },
          cloud: { principal: ROLE_SESSION },
        })
      }),
  )

  test("78-containers: a row of Sentinel's AWSCloudTrail table with few columns is read", () =>
    look('78-containers/sentinel-awscloudtrail-row.ndjson', ({ events }) =>
      expect(events).toMatchObject([
        {
          nativeId: 'bbbbbbbb-0000-4000-8000-000000000001',
          action: 's3:ListBuckets',
          cloud: { account: '444455556666', principal: 'arn:aws:iam::444455556666:user/mallory' },
        },
      ]),
    ))

  test('80-lowercase-arn: the principal is its ARN, and that of a resource stays a resource', async () => {
    await look('80-lowercase-arn/in.ndjson', ({ events }) => expect(events).toMatchObject([{ cloud: { principal: 'arn:aws:iam::444455556666:user/mallory' } }]))
    for (const file of ['own-resources.ndjson', 'own-capitals.ndjson'])
      await look(`80-lowercase-arn/${file}`, async (report) => {
        expect(report.events).toMatchObject([{ cloud: { principal: 'arn:aws:sts::444455556666:assumed-role/weather-agent/weather-1' } }])
        expect(await resourcesOf(report)).toEqual(['arn:aws:iam::444455556666:role/next'])
      })
  })
})

describe('Google Cloud', () => {
  test('25-keycloak-guid: a GUID of another issuer is no target; one of Entra is', async () => {
    for (const file of ['in.ndjson', 'own-other-issuers.ndjson'])
      await look(`25-keycloak-guid/${file}`, ({ events }) => {
        expect(events).toHaveLength(3)
        expect(events.flatMap(({ targets, subjectOid }) => [...targets, ...(subjectOid === null ? [] : [subjectOid])])).toEqual([])
      })
    await look('25-keycloak-guid/own-entra.ndjson', ({ events }) => expect(events).toMatchObject([{ kind: 'trust.changed', targets: [AGENT] }]))
  })

  test.each(['bq-sink.ndjson', 'log-analytics.ndjson', 'own-sentinel.ndjson', 'own-bigquery-rest.ndjson', 'own-log-analytics.ndjson'])(
    '29-gcp-shapes/%s: rows of BigQuery, Log Analytics and Sentinel are calls, and a null member is no payload',
    (file) =>
      look(`29-gcp-shapes/${file}`, ({ events, summary }) => {
        expect(summary.rejected).toBe(0)
        expect(events.length).toBeGreaterThan(0)
        for (const event of events) {
          expect(event).toMatchObject({ kind: 'llm.invoked', action: 'aiplatform.googleapis.com:GenerateContent', time: '2026-11-10T10:05:00.500000000Z' })
          if (file === 'log-analytics.ndjson') continue
          expect(event).toMatchObject({ subjectOid: AGENT, model: { name: 'gemini-2.5-flash' }, cloud: { account: 'acme-agents-prod', region: 'us-central1' } })
        }
      }),
  )

  test('29-gcp-shapes: an entry and its row in Sentinel are one event, and the entry speaks for it', () =>
    look('29-gcp-shapes/own-sentinel.ndjson', async ({ events, summary, pool }) => {
      expect([events.length, summary.variants]).toEqual([1, 1])
      expect((await pool.query('select rank from heads')).rows).toEqual([{ rank: 0 }])
    }))
})

describe('Addresses', () => {
  test.each([
    ['in.ndjson', '2001:db8::10', '2001:DB8:0:0:0:0:0:10'],
    ['own-wrapped.ndjson', '2001:db8::10', '[2001:0db8::0010]:443'],
    ['own-mapped.ndjson', '203.0.113.7', '::ffff:203.0.113.7'],
  ])('12-ipv6-forms/%s: one address in several spellings is one, found however it is asked for', (file, address, asked) =>
    look(`12-ipv6-forms/${file}`, async (report) => {
      expect(new Set(report.events.flatMap(({ sourceIp }) => sourceIp ?? []))).toEqual(new Set([address]))
      expect(rules(report)).not.toContain('credential-used-from-new-address')
      const answer = await resolve(wholeStore(report.pool), asked)
      expect(answer).toMatchObject({ looksLike: ['IP address'], occurrences: [{ field: 'sourceIp', events: 3 }] })
      // The evidence keeps what was written.
      const written =
        file === 'in.ndjson' ? '2001:DB8:0000:0000:0000:0000:0000:0010' : file === 'own-wrapped.ndjson' ? '[2001:db8::10]:51234' : '::FFFF:cb00:7107'
      expect((await report.dump()).some((line) => line.includes(written))).toBe(true)
    }),
  )

  test('12-ipv6-forms: another address is still another one', () =>
    look('12-ipv6-forms/own-other-address.ndjson', (report) => expect(rules(report)).toContain('credential-used-from-new-address')))

  test.each(['in.ndjson', 'own-mapped.ndjson', 'own-zone.ndjson'])(
    '50-near-ipv6/%s: a mint meets its exchange by the address that both spell differently',
    (file) =>
      look(`50-near-ipv6/${file}`, ({ events }) => {
        const [, exchange, mint] = events
        expect(mint).toMatchObject({ kind: 'credential.minted', agentOid: AGENT, parentId: exchange!.id, attribution: { confidence: 'probable' } })
      }),
  )
})
