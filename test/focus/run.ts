/**
 * Holds the FOCUS export against focus-validator, the FinOps Foundation's own: usage of every kind, priced, partly priced and without a price table. Version 1.0.0 is the newest that
 * runs on Python 3.11; it knows FOCUS 1.0. It ends with 0 whatever it finds, so its words count; a file with a fault must be found out, too.
 *
 *   npm run test:focus
 *
 * Needs Python 3.10 or newer; without it it says so and tests nothing; with CI set that is a failure.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { usageRow } from '#api/usage/fixture.ts'
import { focusHeader, focusRows } from '#api/usage/focus.ts'
import { parsePrice, type PriceTable } from '#api/usage/price.ts'
import { pythonTools } from '../python.ts'

const ROWS = [
  usageRow({ calls: 3, errors: 1, throttles: 1, tokenBasis: 'metered', inputTokens: 571, outputTokens: 300, cacheReadTokens: 20, cacheWriteTokens: 5 }),
  usageRow({ cloud: 'gcp', account: 'shop', region: 'europe-west4', model: 'gemini-2.5-flash', modelId: 'gemini-2.5-flash', calls: 7 }),
  usageRow({ cloud: 'gcp', account: 'shop', region: null, model: null, modelId: 'opaque', calls: 1 }),
  usageRow({ share: 'ambiguous', agentOid: null, confidence: 'ambiguous', candidates: ['a', 'b'], tokenBasis: 'metered', inputTokens: 10 }),
  usageRow({ share: 'unattributed', agentOid: null, confidence: 'none', calls: 2 }),
]
const price = (text: string): bigint => parsePrice(text, 1_000_000)!
const entry = { cloud: null, region: null, from: null, to: null }
const NOVA = { ...entry, model: 'nova-lite-v1', prices: { input: price('3'), output: price('15'), cacheRead: price('0.3'), cacheWrite: price('3.75') } }
const GEMINI = { ...entry, model: 'gemini-2.5-flash', prices: { request: parsePrice('0.002', 1)! } }
const table = (...entries: PriceTable['entries']): PriceTable => ({ currency: 'EUR', entries, sha256: 'x' })

/** File, and whether it is right. */
const FILES: Readonly<Record<string, readonly [text: string, right: boolean]>> = {
  'partly-priced': [focusHeader() + focusRows(ROWS, table(NOVA, GEMINI)), true],
  'all-priced': [focusHeader() + focusRows(ROWS.slice(0, 2), table(NOVA, GEMINI)), true],
  'without-prices': [focusHeader() + focusRows(ROWS, null), true],
  'no-such-currency': [(focusHeader() + focusRows(ROWS, table(NOVA))).replaceAll(',EUR,', ',EURO,'), false],
}

async function main(): Promise<number> {
  const bin = await pythonTools('trailjoin-focus', join(import.meta.dirname, 'requirements.txt'))
  if (bin === null) {
    console.error('The FOCUS export was not validated: that needs Python 3.10 or newer with venv and pip.')
    return process.env['CI'] ? 1 : 0
  }
  const execute = promisify(execFile)
  const { stdout } = await execute(join(bin, 'python'), ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])'])
  const folder = await mkdtemp(join(tmpdir(), 'trailjoin-focus-'))
  let failed = 0
  try {
    for (const [name, [text, right]] of Object.entries(FILES)) {
      const file = join(folder, `${name}.csv`)
      await writeFile(file, text)
      // It reads its list of currencies relative to where it runs.
      const said = await execute(join(bin, 'focus-validator'), ['--data-file', file, '--validate-version', '1.0', '--column-namespace', 'x_'], {
        cwd: stdout.trim(),
      })
      const succeeded = said.stdout.includes('Validation succeeded.')
      if (succeeded !== right) failed++
      console.log(`FOCUS ${name}: ${succeeded ? 'valid' : 'not valid'}${succeeded === right ? ', as it must be' : `\n${said.stdout}`}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
