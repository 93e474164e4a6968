import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRole } from './roles.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-roles-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a process that hangs before it works is killed and started again, and one that works is left alone', async () => {
  const program = join(folder, 'program.ts')
  // It hangs without a word the first time.
  await writeFile(
    program,
    `import { appendFileSync, readFileSync } from 'node:fs'
     appendFileSync('${folder}/starts', 'x')
     if (readFileSync('${folder}/starts', 'utf8').length > 1) process.stderr.write('Collecting from one source')
     setInterval(() => undefined, 1000)`,
  )
  const surprises: string[] = []
  const surprised = (what: string): void => void surprises.push(what)
  const role = createRole({ role: 'ingest', name: 'one', args: [], environment: {}, logs: folder, surprised, program, attemptMs: 5000 })
  await role.start()
  const starts = await readFile(join(folder, 'starts'), 'utf8')
  // On a machine that is very busy another attempt may have been too slow.
  expect(starts.length).toBeGreaterThanOrEqual(2)
  await new Promise((resolve) => setTimeout(resolve, 5500))
  expect([surprises, await readFile(join(folder, 'starts'), 'utf8')]).toEqual([[], starts])
  await role.close()
  expect(await readFile(join(folder, 'one.log'), 'utf8')).toContain('killed: it did not say within 5 s that it works')
})
