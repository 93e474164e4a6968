import { describe, expect, test } from 'vitest'
import { parseWebhooks, readWebhooks } from './webhooks-section.ts'

const parse = (text: string) => parseWebhooks(text, 'trailjoin.yaml')

test('a webhook is told of new and changed findings of any severity, unless it asks for less', () => {
  expect(parse('webhooks:\n  - { name: soc, url: https://x.example/h, secret: { env: HOOK } }')).toEqual([
    {
      name: 'soc',
      url: 'https://x.example/h',
      secret: { env: 'HOOK' },
      severity: 'info',
      rules: undefined,
      changes: ['new', 'changed'],
      tenant: undefined,
    },
  ])
})

test.each(['[]', 'webhook: []', 'sources: []\nreport: []'])('%j is refused: a word that nobody reads would mean that nobody is told', (text) =>
  expect(() => parse(text)).toThrow(/is not known here|is no group of settings/),
)

test('a file that was named must be there', async () => {
  await expect(readWebhooks('/nowhere/trailjoin.yaml')).rejects.toThrow('/nowhere/trailjoin.yaml does not exist')
})

test.each(['', 'sources: []', 'webhooks:'])('%j names no webhook', (text) => expect(parse(text)).toEqual([]))

describe('is refused with line and reason:', () => {
  test.each([
    ['webhooks:\n  - { name: a, url: https://x.example/, secret: hunter2 }', 'trailjoin.yaml:2: webhooks[0].secret is no reference to a secret'],
    ['webhooks:\n  - { name: a, url: https://x.example/ }', 'webhooks[0].secret is no reference to a secret'],
    ['webhooks:\n  - { name: a, url: https://x.example/, secret: { env: A }, severity: grave }', 'is none of info'],
    ['webhooks:\n  - { name: a, url: https://x.example/, secret: { env: A }, changes: [] }', 'names no change'],
    ['webhooks:\n  - { name: a, url: https://x.example/, secret: { env: A }, colour: red }', 'webhooks[0].colour is not known here'],
    [
      'webhooks:\n  - { name: a, url: https://x.example/, secret: { env: A } }\n  - { name: a, url: https://x.example/, secret: { env: A } }',
      'trailjoin.yaml:3: webhooks[1].name "a" is the name of another',
    ],
  ])('%j', (text, message) => {
    expect(() => parse(text)).toThrow(message)
    expect(() => parse(text)).not.toThrow('hunter2')
  })
})
