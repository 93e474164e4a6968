import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openApiDocument } from './openapi.ts'
import { ROUTES } from './routes/index.ts'

const LINTER = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-openapi-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Complaints of the strictest of Redocly's rule sets. */
async function complaints(document: object): Promise<readonly string[]> {
  const file = join(folder, 'openapi.json')
  await writeFile(file, JSON.stringify(document))
  const args = [LINTER, 'lint', file, '--extends', 'recommended-strict', '--format', 'json']
  // It reports nothing home, and looks for no newer version of itself.
  const env = { PATH: process.env['PATH'], REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env, maxBuffer: 64 << 20 }).catch((failed: { stdout: string }) => failed)
  const { problems } = JSON.parse(stdout) as { problems: readonly { ruleId: string; message: string }[] }
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)
}

test('a linter has nothing to say about the OpenAPI document', async () => {
  expect(await complaints(openApiDocument(ROUTES, '1.2.3'))).toEqual([])
})

test('and would say what is wrong', async () => {
  expect(await complaints({ ...openApiDocument(ROUTES, '1.2.3'), servers: [] })).toEqual([expect.stringContaining('no-empty-servers')])
})
