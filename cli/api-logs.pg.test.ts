/** Access logs in words of their own, from the configuration to the store: imported and pushed. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TenantId } from '#core/keys.ts'
import { createCorrelator } from '#correlate/index.ts'
import { apiLogs } from '#ingest/api-logs.ts'
import { parseApiLogs } from '../config/api-logs-section.ts'
import { createTestDatabase } from '../test/postgres.ts'
import type { TestDatabase } from '../test/postgres.ts'
import { startProgram } from '../test/program.ts'
import { reportPath } from '../test/reports/study.ts'
import { createIntake } from './intake.ts'

const CONFIG = `apiLogs:
  - name: weather
    when: { logger: access }
    fields: { time: at, oid: who.object, tid: who.directory, requestId: call.id, method: call.verb, path: call.target, status: call.result }
    timeForm: epoch-seconds
    api: weather
`
const LINES = reportPath('31-api-log-times', 'own-mapped.ndjson')

let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-api-logs-'))
  await cp(LINES, join(folder, 'access.ndjson'))
  await writeFile(join(folder, 'own.yaml'), CONFIG)
}, 120_000)

afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

const run = async (...args: string[]): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> => {
  const { child, ended } = startProgram(args, folder, { DATABASE_URL: database.url, TRAILJOIN_DATA_DIR: join(folder, 'data') })
  child.stdin.end('')
  return ended
}

test('import reads the lines that the configuration describes; a time of another form is refused by its value, other lines as unknown', async () => {
  const { code, stdout, stderr } = await run('import', 'access.ndjson', '--json', '--config', 'own.yaml')
  expect(JSON.parse(stdout)).toMatchObject({ read: 3, stored: 1, rejected: 2, byFormat: { 'api-access': 1 } })
  expect(stderr).toContain('access.ndjson:2: api-access: time must be an instant (ISO 8601 or since 1970), got "not epoch-seconds: soon"')
  expect(stderr).toContain('access.ndjson:3: no known record format')
  expect(code).toBe(0)
  const { rows } = await database.pool.query<{ time_ns: bigint; action: string; request_id: string }>('select time_ns, action, request_id from events')
  expect(rows).toEqual([{ time_ns: 1_794_305_100_000_000_000n, action: 'weather:GET /w', request_id: 'm1' }])
})

test('what is pushed counts like what was imported', async () => {
  const intake = createIntake(createCorrelator(database.pool), apiLogs(parseApiLogs(CONFIG, 'own.yaml')))
  const results = await intake({ from: 'test', bytes: await readFile(LINES), tenantId: null, scope: ['5d0f7c1a-0b2e-4c3d-9e4f-aa11bb22cc33'] as TenantId[] })
  expect(results.map(({ status }) => status)).toEqual(['duplicate', 'rejected', 'rejected'])
})

test('a fault of the configuration is told with file and line, and nothing is imported', async () => {
  await writeFile(join(folder, 'bad.yaml'), CONFIG.replace('epoch-seconds', 'unix'))
  const { code, stdout, stderr } = await run('import', 'access.ndjson', '--json', '--config', 'bad.yaml')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('bad.yaml:5: apiLogs[0].timeForm must be one of iso, epoch-seconds')
})
