import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { discoverSources } from '#ingest/engine/discover.ts'
import { ConfigError } from '../config.ts'
import { parseSources, readSourcesFile } from './sources-file.ts'

const kinds = await discoverSources()
const parse = (text: string) => parseSources(text, 'trailjoin.yaml', kinds)

/** The message that a text is refused with. */
function refusal(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('was accepted')
}

test('sources are read with their defaults', () => {
  const [trail, lookup] = parse(`
sources:
  - kind: aws-s3
    name: org-trail
    bucket: my-trail
    region: eu-central-1
    tenantId: 8F3C1F0E-5C0A-4B7E-9A55-2F0D6B6F1C11
  - kind: aws-cloudtrail-lookup
    name: lookup
    everySeconds: 300
    accounts:
      - account: "111122223333"
        regions: [us-east-1]
        credentials: {accessKeyId: {env: A}, secretAccessKey: {file: /run/secrets/b}}
`)
  expect(trail).toMatchObject({
    kind: 'aws-s3',
    name: 'org-trail',
    everySeconds: 60,
    context: { tenantId: '8f3c1f0e-5c0a-4b7e-9a55-2f0d6b6f1c11' },
    settings: { bucket: 'my-trail', prefix: '' },
  })
  expect(lookup).toMatchObject({ name: 'lookup', everySeconds: 300, context: {}, settings: { startDays: 7 } })
})

test('every fault is named at once, with its line and path, and no value of a secret is repeated', () => {
  const lines = refusal(`sources:
  - kind: aws-s3
    name: Org Trail
    bucket: s3://my-trail
    credentials: {accessKeyId: AKIAPLAINTEXT, secretAccessKey: hunter2}
    colour: red
  - kind: aws-s4
    name: b
  - kind: aws-cloudtrail-lookup
    name: c
    endpoint: http://example.com
    accounts:
      - account: 111122223333
        regions: []
  - just text
`).split('\n')
  expect(lines).toEqual([
    expect.stringMatching(/^trailjoin.yaml:3: sources\[0\]\.name is no name/),
    expect.stringMatching(/^trailjoin.yaml:4: sources\[0\]\.bucket is no bucket name/),
    expect.stringMatching(/^trailjoin.yaml:2: sources\[0\]\.region is missing/),
    expect.stringMatching(/^trailjoin.yaml:5: sources\[0\]\.credentials are neither/),
    expect.stringMatching(/^trailjoin.yaml:6: sources\[0\]\.colour is not known here/),
    expect.stringMatching(/^trailjoin.yaml:7: sources\[1\]\.kind is no kind of source: write one of .*aws-s3/),
    expect.stringMatching(/^trailjoin.yaml:13: sources\[2\]\.accounts\[0\]\.account is no AWS account/),
    expect.stringMatching(/^trailjoin.yaml:14: sources\[2\]\.accounts\[0\]\.regions names no region/),
    expect.stringMatching(/^trailjoin.yaml:11: sources\[2\]\.endpoint is plain http/),
    'trailjoin.yaml:15: sources[3] is no group of settings: write them as `name: value`',
  ])
  expect(lines.join()).not.toMatch(/hunter2|AKIAPLAINTEXT/)
})

test('a source in the place of a list of sources is told in words', () => {
  expect(refusal('sources:\n  kind: aws-s3\n')).toBe(
    'trailjoin.yaml:1: sources is no list: write its entries below it, each on a line of its own behind a hyphen',
  )
})

test('broken YAML is told by its line, without its text', () => {
  const message = refusal('sources:\n  - kind: "aws-s3\n    secret: hunter2\n')
  expect(message).toMatch(/^trailjoin.yaml:\d+: /)
  expect(message).not.toContain('hunter2')
})

test.each(['', 'sources: []', 'source: []', '- a'])('%j names no source', (text) => {
  expect(refusal(text)).toMatch(/^trailjoin.yaml/)
})

test('two sources cannot have one name', () => {
  expect(
    refusal('sources:\n  - {kind: aws-s3, name: a, bucket: bucket, region: us-east-1}\n  - {kind: aws-s3, name: a, bucket: other, region: us-east-1}\n'),
  ).toContain('trailjoin.yaml:3: sources[1].name "a" is the name of another source')
})

test('a file that does not exist says what to do', async () => {
  await expect(readSourcesFile('/nowhere/trailjoin.yaml', kinds)).rejects.toThrow(/does not exist.*docs\/configuration.md.*TRAILJOIN_CONFIG/)
})

test.each(['configuration.md', 'operators/sources-aws.md'])('the examples of docs/%s are accepted', async (name) => {
  const text = await readFile(join(import.meta.dirname, '..', 'docs', name), 'utf8')
  // Other sections stand in examples of their own, and have tests of their own.
  const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '').filter((example) => /^sources:/m.test(example))
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) expect(parse(example).length).toBeGreaterThan(0)
})
