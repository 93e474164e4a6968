/** Prompts and completions go nowhere, whatever they came in (the README says which report is which). */
import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { reportPath, study } from './study.ts'

const REPORTS = ['03-bedrock-data-objects', '26b-prompts-in-wrappers', '37-toplevel-prompts']

test.each(REPORTS)('%s: no prompt or completion in any table, summary or message', { timeout: 120_000 }, async (report) => {
  const written = readdirSync(reportPath(report))
    .map((name) => readFileSync(reportPath(report, name), 'latin1'))
    .join('\n')
  expect(written).toMatch(/CANARY/)
  const made = await study([report])
  try {
    const everything = [...(await made.dump()), JSON.stringify(made.summary), JSON.stringify(made.events)]
    expect(everything.filter((text) => /CANARY|Jane Roe|diabetes/.test(text)).map((text) => text.slice(0, 400))).toEqual([])
  } finally {
    await made.close()
  }
})

test(
  'objects that hold bodies are not read, and said to be left out, in folders and in archives; a file that is only named alike is read',
  { timeout: 120_000 },
  async () => {
    const made = await study(['03-bedrock-data-objects'])
    try {
      const names = made.summary.skipped.map(({ file }) => file.split(/[/!]/).at(-1))
      expect(new Set(names)).toEqual(new Set(['11111111_input.json', '11111111_output.json', '22222222_input.json', 'a1b2c3d4_input.json']))
      expect(made.summary.rejections.map(({ origin }) => origin.file.split('/').at(-1))).toEqual(['own-trail_output.json'])
      expect(made.events.map(({ kind, usage }) => [kind, usage?.outputTokens])).toEqual([
        ['llm.metered', 50],
        ['llm.metered', 2],
      ])
    } finally {
      await made.close()
    }
  },
)

test('what is measured survives: model, request and counts of invocation logs', { timeout: 120_000 }, async () => {
  const made = await study(['37-toplevel-prompts'])
  try {
    expect(
      new Set(
        made.events.map(({ requestId, model, usage }) => [requestId?.slice(-2), model?.name !== null, usage?.inputTokens, usage?.outputTokens].join(' ')),
      ),
    ).toEqual(new Set(['01 true 100 50', '02 true 5 2', '11 true 3 4', '12 true 3 4']))
  } finally {
    await made.close()
  }
})
