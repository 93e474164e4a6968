/**
 * Traps of the sample records (test/fixtures/samples/TRAPS.md, last four sections): missing, empty and strange values; casing and renaming;
 * meaning; containers. Each test is named after its row; what it needs beyond the samples is made by hand.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import {
  SAMPLES,
  type StoredEvent,
  events,
  eventsAt,
  importInto,
  importRecords,
  inOwnStore,
  rawTexts,
  reasons,
  rejected,
  sampleRecord,
  sampleRecords,
} from './samples.ts'

const PANTHER = 'aws/panther-cloudtrail.half.ndjson'
const STRATUS = 'aws/stratus-detonation.ndjson'
const C7N = 'aws/c7n-eventbridge.ndjson'
const OPENSHIFT = 'aws/openshift-cad.ndjson'
const LOOKUPS = 'aws/plaso-lookupevents.ndjson'
const DOCS = 'gcp/google-docs-federation.ndjson'
const GCP_STRATUS = 'gcp/stratus-docs.ndjson'
const PLASO = 'gcp/plaso-gcp-logging.ndjson'
const ANALYTICS = 'gcp/security-analytics.ndjson'
const AUDIT = 'gcp/panther-audit.half.ndjson'
const SIGNINS = 'entra/panther-azure-signin.half.ndjson'
const MSTICPY = 'entra/msticpy-signinlogs.first30.ndjson'

type Raw = Readonly<Record<string, unknown>>
const child = (record: Raw, key: string): Raw => (record[key] ?? {}) as Raw

const repeat = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item)

let samples: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  samples = await createTestDatabase()
  pool = samples.pool
  await importInto(pool, 'aws', 'gcp', 'entra', 'other', 'containers')
})
afterAll(() => samples?.drop())

/** The events of records made by hand, in a store of their own; all must be stored. They come in the order of their time. */
function storedAlone(...records: readonly unknown[]): Promise<readonly StoredEvent[]> {
  return inOwnStore(async (own) => {
    const summary = await importRecords(own, ...records)
    expect(reasons(summary)).toEqual({})
    return events(own)
  })
}
/** A documentation record with the time that it lacks. */
const timed = (file: string, line: number, more: Raw = {}): Raw => ({
  timestamp: '2026-05-01T00:00:00.123456789Z',
  insertId: `made-${line}`,
  ...sampleRecord(file, line),
  ...more,
})
/** What an event says, without what names it and its text. */
const content = ({
  id: _id,
  nativeId: _nativeId,
  masked: _masked,
  line: _line,
  ...rest
}: StoredEvent): Omit<StoredEvent, 'id' | 'nativeId' | 'masked' | 'line'> => rest

describe('Missing, empty and strange values', () => {
  test('no `userIdentity`', async () => {
    const [exchange] = await eventsAt(pool, 'aws/keyless-kingdom.ndjson', 1)
    expect(exchange).toMatchObject({
      kind: 'token.exchanged',
      proof: 'federation',
      proofSubject: 'repo:MikeDominic92/keyless-kingdom:ref:refs/heads/main',
      agentOid: null,
    })
    expect((await eventsAt(pool, PANTHER, 52, 54, 225)).map(({ proof, confidence }) => [proof, confidence])).toEqual(repeat(3, ['nothing', 'none']))
  })

  test('`authenticationInfo: {}`', async () => {
    expect(await eventsAt(pool, ANALYTICS, 12)).toMatchObject([{ proof: 'nothing', outcome: 'failure', errorCode: '7', principal: null, confidence: 'none' }])
    expect(await storedAlone(timed(GCP_STRATUS, 12))).toMatchObject([
      { kind: 'credential.minted', proof: 'nothing', outcome: 'failure', confidence: 'none', sessionId: null },
    ])
  })

  test('no `authenticationInfo` at all', async () => {
    const lines = [1, 9, 10]
    expect(lines.map((line) => child(sampleRecord(GCP_STRATUS, line), 'protoPayload')['authenticationInfo'])).toEqual([undefined, undefined, undefined])
    expect((await storedAlone(...lines.map((line) => timed(GCP_STRATUS, line)))).map(({ proof, principal }) => [proof, principal])).toEqual(
      repeat(3, ['nothing', null]),
    )
  })

  test('denied AssumeRole with `requestParameters: null`', async () => {
    expect((await eventsAt(pool, STRATUS, 33, 34, 132, 133)).map(({ outcome, errorCode, resource, issues }) => [outcome, errorCode, resource, issues])).toEqual(
      [
        ...repeat(2, ['failure', 'AccessDenied', 'arn:aws:iam::457448411975:role/stratus-red-team-ec2-get-password-data-role', null]),
        ...repeat(2, ['failure', 'AccessDenied', 'arn:aws:iam::321848314756:role/stratus-red-team-get-usr-data-role', null]),
      ],
    )
  })

  test('AssumeRole without `assumedRoleUser`', async () => {
    expect(await eventsAt(pool, PANTHER, 43, 241)).toMatchObject([
      // Line 43 is the console's sign-in under the same name, which mints nothing that a record shows.
      { action: 'signin:AssumeRole', kind: 'other', issues: null },
      { action: 'sts:AssumeRole', kind: 'credential.minted' },
    ])
  })

  test('the string `"null"`, `"<null>"`, `"None"` for nothing', async () => {
    const signIn = sampleRecord(MSTICPY, 1)
    expect(signIn['ResultSignature']).toBe('None')
    const written = ['null', '<null>', 'None', '']
    const stored = await storedAlone(
      ...written.map((nothing, index) => ({
        ...signIn,
        Id: `00000000-0000-4000-8000-00000000000${index}`,
        UserId: nothing,
        AppId: nothing,
        ServicePrincipalId: nothing,
        IPAddress: nothing,
        CorrelationId: nothing,
        AADTenantId: nothing,
      })),
    )
    expect(stored.map(({ proofOid, sourceIp, tenantId, subjectOid }) => [proofOid, sourceIp, tenantId, subjectOid])).toEqual(
      // The tenant stands in the resource id, too.
      repeat(4, [null, null, '4b2462a4-bbee-495a-a0e1-f23ae524cc9c', null]),
    )
  })

  test('empty string for absent', async () => {
    expect(sampleRecord(MSTICPY, 1)['ServicePrincipalId']).toBe('')
    const { rows: columns } = await pool.query<{ name: string }>(
      `select attname::text as name from pg_attribute where attrelid = 'events'::regclass and atttypid = 'text'::regtype and not attisdropped`,
    )
    expect(columns.length).toBeGreaterThan(15)
    const { rows } = await pool.query(`select event_id from events where '' in (${columns.map(({ name }) => `"${name}"`).join(', ')}) or '' = any(asserted)`)
    expect(rows).toEqual([])
  })

  test('booleans as strings', async () => {
    const record = sampleRecord(STRATUS, 1)
    const session = { attributes: { creationDate: '2024-07-30T21:00:00Z', mfaAuthenticated: 'false' } }
    const identity = { ...child(record, 'userIdentity'), sessionContext: session }
    const spelled = [
      { ...record, eventID: 'a', readOnly: true, userIdentity: identity },
      {
        ...record,
        eventID: 'b',
        readOnly: 'true',
        sessionCredentialFromConsole: 'true',
        userIdentity: { ...identity, sessionContext: { attributes: { ...session.attributes, mfaAuthenticated: false } } },
      },
    ]
    const [one, other] = await storedAlone(...spelled)
    expect(content(one!)).toEqual(content(other!))
  })

  test('numbers as strings and back', async () => {
    expect((await eventsAt(pool, SIGNINS, 9, 6, 3)).map(({ outcome, errorCode }) => [outcome, errorCode])).toEqual([
      ['success', null],
      ['success', null],
      ['failure', '50053'],
    ])
    expect(await events(pool, `e.error_code = '7000215'`)).toMatchObject([{ outcome: 'failure' }])
    const [text, number] = await storedAlone(
      { ...sampleRecord(SIGNINS, 9), resultType: '0', correlationId: 'a' },
      { ...sampleRecord(SIGNINS, 9), resultType: 0, correlationId: 'b' },
    )
    expect(content(text!)).toEqual(content(number!))
  })

  test('caller address that is none', async () => {
    const written = ['AWS Internal', 'autoscaling.amazonaws.com', 'gce-internal-ip', '(calling IP)']
    const raw = [PANTHER, AUDIT, GCP_STRATUS].map((file) => readFileSync(join(SAMPLES, file), 'utf8')).join()
    expect(written.filter((address) => !raw.includes(`"${address}"`))).toEqual([])
    const addresses = (await events(pool, 'e.source_ip is not null')).map(({ sourceIp }) => sourceIp!)
    expect(addresses.length).toBeGreaterThan(400)
    expect(addresses.filter((address) => isIP(address) === 0)).toEqual([])
  })

  test('eventVersion', async () => {
    const record = { ...sampleRecord(STRATUS, 1) }
    const versions = ['1.03', '1.08', '1.11', '1.99', '1.100']
    expect(sampleRecord(OPENSHIFT, 3)['eventVersion']).toBe('1.99')
    const stored = await storedAlone(...versions.map((eventVersion) => ({ ...record, eventID: eventVersion, eventVersion })))
    expect(stored).toHaveLength(versions.length)
    for (const event of stored) expect(content(event)).toEqual(content(stored[0]!))
  })

  test('impossible names', async () => {
    expect((await eventsAt(pool, OPENSHIFT, 4))[0]).toMatchObject({ action: expect.stringContaining('ec2v2types'), outcome: 'success' })
    expect((await eventsAt(pool, STRATUS, 1))[0]).toMatchObject({ region: 'apiso-northsouth-3r' })
  })

  test('ellipses as values', async () => {
    expect(JSON.stringify([sampleRecord(AUDIT, 9), sampleRecord(AUDIT, 10)])).toMatch(/"machineType":"\.\.\."|"@type":"\.\.\."|"at_sign_type":"\.\.\."/)
    expect((await eventsAt(pool, AUDIT, 9, 10)).map(({ source }) => source)).toEqual(['gcp', 'gcp'])
  })

  test('duplicate JSON keys', async () => {
    const text = JSON.stringify({ ...sampleRecord(STRATUS, 34), eventName: 'Last' }).replace('{', '{"eventName":"First","eventTime":"2020-01-01T00:00:00Z",')
    await inOwnStore(async (own) => {
      await importRecords(own, text)
      const [event] = await events(own)
      // JSON.parse decides: the last one counts. Nothing of the evidence is lost.
      expect(event!.action).toContain(':Last')
      expect(await rawTexts(own, event!.id)).toEqual([text])
    })
  })

  test('secrets in records', async () => {
    const [mint] = await eventsAt(pool, STRATUS, 32)
    expect(mint!.masked).toEqual(['/responseElements/credentials/sessionToken'])
    expect((await rawTexts(pool, mint!.id))[0]).toContain('"sessionToken":"***masked***"')
    const [exchange] = await eventsAt(pool, 'aws/keyless-kingdom.ndjson', 1)
    expect(exchange!.masked).toEqual(['/requestParameters/webIdentityToken', '/responseElements/credentials/sessionToken'])
    // A certificate is public and stays.
    expect((await rawTexts(pool, (await eventsAt(pool, STRATUS, 306))[0]!.id))[0]).toContain('CERTIFICATE')
  })

  test('text that must be masked anywhere', async () => {
    const secrets = [
      'ya29.c0AfMadeUpForThisTest0123',
      ['-----BEGIN ', 'PRIVATE KEY-----\nTWFkZVVwRm9yVGhpc1Rlc3Q=\n-----END ', 'PRIVATE KEY-----\n'].join(''),
      'QWxsTWFkZVVwRm9yVGhpc1Rlc3Q0NTY3ODk',
    ]
    const [prefix, key, encoded] = secrets as [string, string, string]
    const entry = sampleRecord(ANALYTICS, 2)
    const payload = child(entry, 'protoPayload')
    await inOwnStore(async (own) => {
      await importRecords(
        own,
        { ...entry, insertId: 'a', protoPayload: { ...payload, metadata: { anything: [{ tokenPrefix: prefix }, `seen ${prefix} there`] } } },
        { ...entry, insertId: 'b', protoPayload: { ...payload, response: { privateKeyData: key, note: key } } },
        { ...sampleRecord(STRATUS, 33), errorMessage: `You are not authorized. Encoded authorization failure message: ${encoded}` },
      )
      const stored = await events(own)
      expect(stored.map(({ masked }) => masked?.length)).toEqual([2, 2, 1])
      const texts = (await Promise.all(stored.map(({ id }) => rawTexts(own, id)))).flat()
      expect(texts.filter((text) => secrets.some((secret) => text.includes(JSON.stringify(secret).slice(1, -1))))).toEqual([])
    })
  })
})

describe('Casing and renaming', () => {
  test('envelope keys lower-cased', async () => {
    const lower = sampleRecord(SIGNINS, 16)
    expect(Object.keys(lower)).toEqual(expect.arrayContaining(['resourceid', 'calleripaddress', 'operationname', 'resulttype', 'tenantid']))
    const names = {
      resourceid: 'resourceId',
      calleripaddress: 'callerIpAddress',
      operationname: 'operationName',
      resulttype: 'resultType',
      tenantid: 'tenantId',
      correlationid: 'correlationId',
      resultsignature: 'resultSignature',
      resultdescription: 'resultDescription',
      durationms: 'durationMs',
      operationversion: 'operationVersion',
    }
    const cased = Object.fromEntries(Object.entries(lower).map(([key, value]) => [names[key as keyof typeof names] ?? key, value]))
    const [one] = await storedAlone(lower)
    const [other] = await storedAlone(cased)
    expect(one).toMatchObject({ action: 'entra:ServicePrincipalSignIn', errorCode: '7000215', tenantId: 'a2aa49aa-2c0c-49d2-af87-f402c421df0b' })
    expect({ id: one!.id, ...content(one!) }).toEqual({ id: other!.id, ...content(other!) })
  })

  test('`protopayload`, `insertid`, `logname`', async () => {
    expect(Object.keys(sampleRecord(AUDIT, 17))).toEqual(expect.arrayContaining(['insertid', 'logname', 'protopayload']))
    const lower = sampleRecord(AUDIT, 17)
    const { insertid: insertId, logname: logName, protopayload: protoPayload, receivetimestamp: receiveTimestamp, ...rest } = lower
    const [one, ...more] = await storedAlone(lower, { ...rest, insertId, logName, protoPayload, receiveTimestamp })
    expect(more).toEqual([])
    expect(one).toMatchObject({ nativeId: insertId, source: 'gcp' })
    expect(one!.action).not.toBe('gcp:LogEntry')
    expect((await rejected(pool, AUDIT)).filter(({ reason }) => reason === 'no known record format').map(({ line }) => line)).toEqual([18, 19, 23, 24])
  })

  test('`@type` → `at_sign_type`, `callerIp` → `callerIP`', async () => {
    const entry = sampleRecord(PLASO, 5)
    const renamed = JSON.parse(JSON.stringify(entry).replaceAll('"@type"', '"at_sign_type"').replaceAll('"callerIp"', '"callerIP"')) as Raw
    const [one] = await storedAlone(entry)
    const [other] = await storedAlone(renamed)
    expect(one).toMatchObject({ sourceIp: '1.1.1.1' })
    expect(other).toEqual(one)
  })

  test('vendor additions', async () => {
    const record = sampleRecord(SIGNINS, 16)
    const bare = Object.fromEntries(Object.entries(record).filter(([key]) => !key.startsWith('p_')))
    expect(Object.keys(record).length).toBeGreaterThan(Object.keys(bare).length)
    const [one] = await storedAlone(record)
    const [other] = await storedAlone(bare)
    expect(other).toEqual(one)
  })

  test('`mapped_principal` and `mappedPrincipal`', async () => {
    const exchange = timed(DOCS, 1)
    const { mapped_principal: mapped } = child(child(exchange, 'protoPayload'), 'metadata')
    const renamed = { ...exchange, protoPayload: { ...child(exchange, 'protoPayload'), metadata: { mappedPrincipal: mapped } } }
    const [one] = await storedAlone(exchange)
    const [other] = await storedAlone(renamed)
    expect(one).toMatchObject({ kind: 'token.exchanged', proofSubject: 'a1234bcd-5678-9012-efa3-4b5cd678ef9a' })
    expect(other).toEqual(one)
    const signIns = await storedAlone(timed(DOCS, 5), timed(DOCS, 8), timed(DOCS, 9))
    expect(signIns.map(({ proofSubject }) => proofSubject!).toSorted()).toEqual([
      'a1234bcd-5678-9012-efa3-4b5cd678ef9a',
      'user@example.com',
      'user@example.com',
    ])
  })
})

describe('Meaning', () => {
  test('principalSubject without a scheme', async () => {
    await inOwnStore(async (own) => {
      await importRecords(own, timed(DOCS, 1))
      const [exchange] = await events(own)
      expect(exchange).toMatchObject({
        proof: 'federation',
        proofSubject: 'a1234bcd-5678-9012-efa3-4b5cd678ef9a',
        proofOid: 'a1234bcd-5678-9012-efa3-4b5cd678ef9a',
      })
      expect((await rawTexts(own, exchange!.id))[0]).toContain('b6112abb-5791-4507-adb5-7e8cc306eb2e')
    })
  })

  test('colons and slashes in subjects', async () => {
    expect(await eventsAt(pool, 'gcp/keyless-kingdom.ndjson', 1)).toMatchObject([
      { proofSubject: 'repo:MikeDominic92/keyless-kingdom:ref:refs/heads/main', proofOid: null },
    ])
    const odd = 'a:b/subject/c:d/e'
    const call = timed(DOCS, 2)
    const payload = child(call, 'protoPayload')
    const uri = 'principal://iam.googleapis.com/projects/1234567890123/locations/global/workloadIdentityPools/aws-pool/subject/'
    const stored = await storedAlone(call, { ...call, insertId: 'odd', protoPayload: { ...payload, authenticationInfo: { principalSubject: `${uri}${odd}` } } })
    expect(stored.map(({ proofSubject }) => proofSubject!).toSorted()).toEqual(['012345678901', odd])
  })

  test('failed sign-in that still carries a mapped principal', async () => {
    expect(await storedAlone(timed(DOCS, 9))).toMatchObject([{ outcome: 'failure', errorCode: '3', proofSubject: 'user@example.com' }])
  })

  test('success without `status`', async () => {
    expect(child(sampleRecord(ANALYTICS, 2), 'protoPayload')['status']).toBeUndefined()
    expect(await eventsAt(pool, ANALYTICS, 2, 3)).toMatchObject([
      { outcome: 'success', errorCode: null, kind: 'llm.invoked' },
      { outcome: 'success', errorCode: null },
    ])
  })

  test('delegation by a human', async () => {
    const [human] = await eventsAt(pool, PLASO, 11)
    expect(JSON.stringify(sampleRecord(PLASO, 11))).toContain('firstPartyPrincipal')
    expect(human).toMatchObject({ proof: 'nothing', subjectOid: null, agentOid: null })
    expect(await storedAlone(timed(DOCS, 3))).toMatchObject([{ proof: 'federation', proofSubject: '012345678901', subjectOid: null, agentOid: null }])
  })

  test('an IAM user calling Bedrock', async () => {
    const lines = Array.from({ length: 15 }, (_, index) => 270 + index)
    const stored = await eventsAt(pool, STRATUS, ...lines)
    expect(stored.filter(({ confidence, subjectOid }) => confidence !== 'none' || subjectOid !== null)).toEqual([])
    expect(stored.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['bedrock:InvokeModel', 'bedrock:PutUseCaseForModelAccess', 'bedrock:CreateFoundationModelAgreement']),
    )
    expect(stored.filter(({ kind }) => kind === 'llm.invoked')).toHaveLength(1)
  })

  test('half-real sets', async () => {
    await inOwnStore(async (own) => {
      await importInto(own, 'aws/keyless-kingdom.ndjson', 'gcp/keyless-kingdom.ndjson')
      const stored = await events(own)
      expect(new Set(stored.map(({ proofSubject }) => proofSubject)).size).toBe(1)
      expect(stored.map(({ subjectOid, agentOid, confidence, parentId }) => [subjectOid, agentOid, confidence, parentId])).toEqual(
        repeat(2, [null, null, 'none', null]),
      )
      expect((await own.query('select from timeline union all select from traces')).rows).toEqual([])
    })
  })
})

describe('Containers', () => {
  test('damaged JSON', async () => {
    await inOwnStore(async (own) => {
      const summary = await importInto(own, 'containers/broken-array.opensearch.json')
      expect(summary.errors).toEqual([
        { file: join(SAMPLES, 'containers/broken-array.opensearch.json'), reason: expect.stringMatching(/^line 435, byte 17418: the text ends/) },
      ])
      // A brace too many costs itself, and the last record is cut: both are kept with their reason, and every record that is whole is read.
      expect(summary).toMatchObject({ read: 12, stored: 10, rejected: 2 })
    })
  })

  test('record under an envelope', async () => {
    const inner = (file: string): readonly string[] =>
      sampleRecords(file).map((record) => (JSON.parse(record['CloudTrailEvent'] as string) as Raw)['eventID'] as string)
    expect((await eventsAt(pool, LOOKUPS, 1, 2, 3, 4, 5, 6)).map(({ nativeId }) => nativeId)).toEqual(inner(LOOKUPS))
    const enveloped = [
      ['containers/eventbridge-envelope.c7n.json', 'aws', /^\{\s*"eventVersion"/, /"detail-type"/],
      ['containers/cloudevents-structured.gcp-audit.json', 'gcp', /"protoPayload"/, /"specversion"/],
      ['containers/broken-array.opensearch.json', 'aws', /"eventID"/, /"aws"\s*:\s*\{\s*"cloudtrail"/],
    ] as const
    for (const [file, source, record, envelope] of enveloped) {
      expect(readFileSync(join(SAMPLES, file), 'utf8')).toMatch(envelope)
      await inOwnStore(async (own) => {
        await importInto(own, file)
        for (const event of await events(own)) {
          expect(event.source).toBe(source)
          const [text] = await rawTexts(own, event.id)
          expect(text).toMatch(record)
          expect(text).not.toMatch(envelope)
        }
      })
    }
  })

  test('enveloped and bare records mixed', async () => {
    expect(sampleRecords(C7N).filter((record) => record['detail'])).toHaveLength(10)
    const stored = await inOwnStore(async (own) => {
      await importInto(own, C7N)
      return events(own)
    })
    expect(stored).toHaveLength(21)
    expect(new Set(stored.map(({ line }) => 'detail' in sampleRecord(C7N, line!)))).toEqual(new Set([true, false]))
  })

  test('`.Zip` in capitals, no trailing newline, `\\r\\n` inside strings', async () => {
    await inOwnStore(async (own) => {
      expect((await importInto(own, 'containers/AADAuditEvents.Zip')).read).toBe(4)
      expect(readFileSync(join(SAMPLES, 'containers/lookup-events.plaso.jsonl')).at(-1)).not.toBe(10)
      expect((await importInto(own, 'containers/lookup-events.plaso.jsonl')).read).toBe(6)
    })
    expect(sampleRecord(MSTICPY, 1)['AuthenticationDetails']).toContain('\r\n')
    expect(await eventsAt(pool, MSTICPY, 30)).toMatchObject([{ kind: 'token.issued' }])
  })

  test('JSON inside string cells', async () => {
    const row = sampleRecord(MSTICPY, 1)
    const cells = ['Status', 'DeviceDetail', 'LocationDetails', 'MfaDetail', 'ConditionalAccessPolicies']
    const asText = Object.fromEntries(
      Object.entries(row).map(([key, value]) => [key, cells.includes(key) && typeof value !== 'string' ? JSON.stringify(value) : value]),
    )
    expect(JSON.stringify(asText)).not.toBe(JSON.stringify(row))
    const [one] = await storedAlone(row)
    const [other] = await storedAlone(asText)
    expect(other).toEqual(one)
    const failed = { ...row, ResultType: undefined, Status: { errorCode: 50126, failureReason: 'x' } }
    expect(await storedAlone(failed)).toMatchObject([{ outcome: 'failure', errorCode: '50126' }])
    expect(await storedAlone({ ...failed, Status: JSON.stringify(failed.Status) })).toMatchObject([{ outcome: 'failure', errorCode: '50126' }])
  })

  test('foreign shapes', async () => {
    const all = await rejected(pool, 'other/stratus-azure-activity.ndjson')
    expect(all).toHaveLength(15)
    expect(all.filter(({ reason, line }) => reason === '' || line === null)).toEqual([])
    expect(await rejected(pool, 'containers/panther-rule-tests.yml')).toEqual([{ line: 1, reason: 'not JSON: it begins with "A"' }])
    expect((await eventsAt(pool, ANALYTICS, 9)).map(({ kind, source }) => [kind, source])).toEqual([['other', 'gcp']])
    expect((await eventsAt(pool, PLASO, 8, 9)).map(({ kind, action }) => [kind, action])).toEqual(repeat(2, ['other', 'gcp:LogEntry']))
  })
})
