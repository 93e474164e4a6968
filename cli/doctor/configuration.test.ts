import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseReports } from '../../config/reports-section.ts'
import { parseWebhooks } from '../../config/webhooks-section.ts'
import { readConfig } from '../../config.ts'
import type { Cli } from '../cli.ts'
import { readConfiguration } from './configuration.ts'
import { reportsReport, webhooksReport } from './delivery.ts'
import type { Report } from './report.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-doctor-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const lines = ({ findings }: Report): string[] => findings.map(({ check, level, message }) => `${level} ${check}: ${message.replaceAll(folder, '')}`)

let files = 0
async function read(text: string | null, environment: Readonly<Record<string, string>> = {}) {
  const file = join(folder, `${++files}.yaml`)
  if (text !== null) await writeFile(file, text)
  const cli = { config: readConfig(environment), environment } as unknown as Cli
  return await readConfiguration(cli, file)
}
const ISSUER = 'oidc: [{issuer: "https://login.example.com", audience: trailjoin}]'

describe('a file', () => {
  test('that says only who may call is no fault, and what it says is there to be checked', async () => {
    const { report, access, sources } = await read(`api:\n  ${ISSUER}\n`)
    expect(lines(report)).toEqual([
      `ok configuration: /${files}.yaml says: who may call`,
      'warning sources: no live source is named: nothing is collected from here',
    ])
    expect([access?.oidc[0]?.issuer, sources]).toEqual(['https://login.example.com', null])
  })

  test('with a fault in one section is told of it, and the others are looked at all the same', async () => {
    const { report, access, webhooks, reports } = await read(
      `api:\n  odic: []\nwebhooks:\n  - {name: soc, url: "https://soc.example/", secret: {env: HOOK}}\nreports:\n  - {name: A, every: month}\n`,
    )
    expect(lines(report).filter((line) => line.includes('odic'))).toEqual([`problem configuration: /${files}.yaml:2: api.odic is not known here`])
    expect(lines(report).some((line) => line.includes('reports[0].name is no name of a report'))).toBe(true)
    expect([access, webhooks.map(({ name }) => name), reports]).toEqual([null, ['soc'], []])
  })

  test.each([
    ['', 'says nothing'],
    ['source:\n  - {kind: aws-s3}\n', ':1: source is not known here: the sections are sources, api, apiLogs, webhooks, reports'],
    ['- kind: aws-s3\n', 'is no group of settings'],
    ['api:\n  - [\n', ':'],
    ['sources: []\n', 'sources names no source'],
  ])('like %j is told of once', async (text, words) => {
    const { report } = await read(text)
    expect(lines(report).filter((line) => line.includes(words))).toHaveLength(1)
    expect(lines(report).every((line) => line.startsWith('problem'))).toBe(true)
  })

  test('that somebody named and that is not there is told of once', async () => {
    expect(lines((await read(null)).report)).toEqual([expect.stringMatching(/^problem configuration: .* does not exist/)])
  })
})

test('the environment alone can say who may call, and its faults are told', async () => {
  const cli = (environment: Readonly<Record<string, string>>) => ({ config: readConfig(environment), environment }) as unknown as Cli
  const alone = await readConfiguration(cli({ TRAILJOIN_OIDC_ISSUER: 'https://login.example.com', TRAILJOIN_OIDC_AUDIENCE: 'trailjoin' }), undefined)
  expect(lines(alone.report)[0]).toBe('ok configuration: the environment says: who may call')
  const half = await readConfiguration(cli({ TRAILJOIN_OIDC_ISSUER: 'https://login.example.com' }), undefined)
  expect(lines(half.report)).toEqual([expect.stringContaining('TRAILJOIN_OIDC_AUDIENCE is missing')])
})

describe('what is told to others', () => {
  test('webhooks whose address and secret can be used are well; the others say why, without their secret', async () => {
    const webhooks = parseWebhooks(
      'webhooks:\n  - {name: good, url: "https://soc.example/a", secret: {env: HOOK}}\n  - {name: plain, url: "http://soc.example/", secret: {env: HOOK}}\n' +
        '  - {name: lost, url: {env: NOWHERE}, secret: {env: HOOK}}\n  - {name: weak, url: "https://soc.example/b", secret: {env: WEAK}}\n',
      'trailjoin.yaml',
    )
    const told = lines(await webhooksReport(webhooks, { HOOK: SECRET, WEAK: 'hunter2' }))
    expect(told[0]).toBe('ok good: address and secret can be read; findings go to soc.example')
    expect(told[1]).toMatch(/^problem plain: the webhook's address is not https/)
    expect(told[2]).toMatch(/^problem lost: .*NOWHERE/)
    expect(told[3]).toMatch(/^problem weak: the webhook's secret is not whsec_/)
    expect(told.join()).not.toMatch(/hunter2|BwcH/)
  })

  test('reports whose folder and prices are there are well; the others say what is not', async () => {
    await writeFile(join(folder, 'a-file'), '')
    await chmod(folder, 0o755)
    const reports = parseReports(
      'reports:\n  - {name: good, every: month, format: csv, folder: new/one}\n  - {name: blocked, every: month, format: csv, folder: a-file/below}\n' +
        '  - {name: unpriced, every: month, format: focus, folder: new, prices: nowhere.yaml}\n',
      join(folder, 'trailjoin.yaml'),
    )
    const others = ['problem blocked: the folder /a-file/below cannot be written into: ENOTDIR', 'problem unpriced: /nowhere.yaml: does not exist']
    expect(lines(await reportsReport(reports, {}, { may: true }))).toEqual(['ok good: can be made, and goes to /new/one', ...others])
    // Where the database lets nobody keep what was made, `api` makes none; where it does not answer, nobody knows.
    expect(lines(await reportsReport(reports, {}, { may: false, why: 'GRANT it' }))).toEqual([
      'problem database: GRANT it',
      'ok good: goes to /new/one',
      ...others,
    ])
    expect(lines(await reportsReport(reports, {}, null))).toEqual(['ok good: goes to /new/one', ...others])
  })
})
