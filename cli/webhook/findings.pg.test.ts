import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import type { FindingWebhook } from '../../config/webhooks-section.ts'
import { openWebhooks, tellWebhooks } from './findings.ts'
import { isSigned, webhookKey } from './sign.ts'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`
const ENVIRONMENT = { HOOK: SECRET }
const FINDING = '11111111-1111-8111-8111-111111111111'

interface Received {
  readonly id: string
  readonly signed: boolean
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: { readonly rule: string } }
}

let database: TestDatabase
let server: Server
let received: Received[]
/** Status of the answer to the message with this number. */
let answer: (number: number) => number
let asked: number

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.pool.query('truncate finding_changes, webhook_positions, webhook_outbox')
  received = []
  asked = 0
  answer = () => 204
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (part: Buffer) => (text += part.toString()))
    request.on('end', () => {
      const status = answer(asked++)
      if (status < 300)
        received.push({
          id: String(request.headers['webhook-id']),
          signed: isSigned(webhookKey(SECRET), request.headers, text),
          body: JSON.parse(text) as Received['body'],
        })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

const settings = (more: Partial<FindingWebhook> = {}): FindingWebhook => ({
  name: 'soc',
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
  secret: { env: 'HOOK' },
  severity: 'info',
  rules: undefined,
  changes: ['new', 'changed'],
  tenant: undefined,
  ...more,
})
const change = (kind: string, body: object = {}): Promise<unknown> =>
  database.pool.query('insert into finding_changes (finding_id, change, body, changed_at) values ($1, $2, $3, now())', [
    FINDING,
    kind,
    { rule: 'sami-anchor', severity: 'medium', ...body },
  ])
const tell = async (...webhooks: FindingWebhook[]): Promise<Awaited<ReturnType<typeof tellWebhooks>>> =>
  tellWebhooks(database.pool, await openWebhooks(webhooks, ENVIRONMENT), { pauseMs: 1, retries: 0 })
const due = (): Promise<unknown> => database.pool.query('update webhook_outbox set next_at = now()')
const types = (): string[] => received.map((one) => one.body.type)

test('a new webhook begins with what comes, and is told of each change once, signed, in order', async () => {
  await change('new')
  await tell(settings())
  expect(received).toEqual([])
  await change('new')
  await change('changed')
  expect(await tell(settings())).toEqual({ delivered: 2, failed: 0, errors: [] })
  await tell(settings())
  expect(types()).toEqual(['finding.new', 'finding.changed'])
  expect(received.every((one) => one.signed)).toBe(true)
  expect(received[0]!.body.data).toMatchObject({ rule: 'sami-anchor' })
  expect(new Set(received.map((one) => one.id)).size).toBe(2)
})

test('what could not be delivered is delivered later, with the same id, also by another process', async () => {
  await tell(settings())
  await change('new')
  answer = (number) => (number === 0 ? 500 : 204)
  expect(await tell(settings())).toMatchObject({ delivered: 0, failed: 1, errors: [expect.stringContaining('answered 500')] })
  expect(await tell(settings())).toMatchObject({ delivered: 0, failed: 0 })
  await due()
  expect(await tell(settings())).toMatchObject({ delivered: 1 })
  const [row] = (await database.pool.query<{ id: bigint }>('select max(id) as id from finding_changes')).rows
  expect(received.map((one) => one.id)).toEqual([`finding_${FINDING}_${row!.id}`])
})

test('a message that is refused blocks those behind it for one round only', async () => {
  await tell(settings())
  await change('new')
  await change('changed')
  answer = (number) => (number === 0 ? 400 : 204)
  await tell(settings())
  await tell(settings())
  expect(types()).toEqual(['finding.changed'])
})

test('what was refused for days is given up and kept with the reason', async () => {
  await tell(settings())
  await change('new')
  // An old change is no reason: the program may not have run.
  await database.pool.query(`update finding_changes set changed_at = now() - interval '20 days'`)
  answer = () => 410
  await tell(settings())
  await due()
  expect(await tell(settings())).toMatchObject({ failed: 1 })
  await database.pool.query('update webhook_outbox set attempts = 99')
  await due()
  expect(await tell(settings())).toMatchObject({ failed: 1 })
  await due()
  expect(await tell(settings())).toMatchObject({ delivered: 0, failed: 0 })
  const { rows } = await database.pool.query<{ last_error: string }>('select last_error from webhook_outbox where failed_at is not null')
  expect(rows[0]!.last_error).toContain('410')
})

test('a webhook is told only of what it asks for, and one that is away does not keep another waiting', async () => {
  const away = settings({ name: 'away', url: 'http://127.0.0.1:9/' })
  const choosy = settings({ name: 'choosy', severity: 'high', rules: ['llm-probing'], changes: ['gone'] })
  await tell(away, choosy)
  await change('new', { severity: 'critical', rule: 'llm-probing' })
  await change('gone', { severity: 'critical', rule: 'sami-anchor' })
  await change('gone', { severity: 'medium', rule: 'llm-probing' })
  await change('gone', { severity: 'high', rule: 'llm-probing' })
  expect(await tell(away, choosy)).toMatchObject({ delivered: 1, failed: 1 })
  expect(received.map((one) => [one.body.type, one.body.data.rule])).toEqual([['finding.gone', 'llm-probing']])
})

test('of two processes one tells', async () => {
  await tell(settings())
  for (let count = 0; count < 20; count++) await change('new')
  await Promise.all([tell(settings()), tell(settings()), tell(settings())])
  await tell(settings())
  expect(received).toHaveLength(20)
  expect(new Set(received.map((one) => one.id)).size).toBe(20)
})

test('a webhook that cannot be used is refused by name, and its secret is not repeated', async () => {
  await expect(openWebhooks([settings({ url: 'http://soc.example/' })], ENVIRONMENT)).rejects.toThrow("webhook soc: the webhook's address is not https")
  await expect(openWebhooks([settings()], { HOOK: 'hunter2' })).rejects.toThrow(/^webhook soc: (?!.*hunter2)/)
  await expect(openWebhooks([settings()], {})).rejects.toThrow('webhook soc: the environment variable HOOK is not set')
})
