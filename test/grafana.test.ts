/** The dashboards for Grafana and the rules for Prometheus as files: that they fit each other and the models of both. What their queries answer: grafana.pg.test.ts; what they ask the roles for: grafana.kafka.test.ts. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { alertRules, inspectPromql, promQueries, readDashboards, readFile } from './grafana.ts'

const ROOT = join(import.meta.dirname, '..')
const page = readFileSync(join(ROOT, 'docs/operators/dashboards.md'), 'utf8')
const dashboards = readDashboards()

const Provisioned = z.strictObject({
  apiVersion: z.literal(1),
  datasources: z.array(
    z.looseObject({
      name: z.string(),
      uid: z.string(),
      type: z.enum(['prometheus', 'postgres']),
      url: z.string(),
      editable: z.literal(false),
      jsonData: z.record(z.string(), z.unknown()),
    }),
  ),
})
const { datasources } = Provisioned.parse(parse(readFile('grafana/provisioning/datasources/trailjoin.yaml')))

test('there are two dashboards, under names of their own', () => {
  expect([...dashboards.keys()]).toEqual(['agents', 'running'])
  expect(new Set([...dashboards.values()].flatMap(({ uid, title }) => [uid, title])).size).toBe(4)
})

describe.each([...dashboards])('%s', (_file, dashboard) => {
  const panels = dashboard.panels
  test('numbers its panels, and the queries of each, once', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { title, targets } of panels) expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length)
  })
  test('lays its panels side by side', () => {
    for (const { title, gridPos: a } of panels) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24)
      for (const { title: other, gridPos: b } of panels)
        if (a !== b) expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h, `${title} / ${other}`).toBe(false)
    }
  })
  test('says of every panel what it shows', () => {
    for (const { title, type, description, targets } of panels) {
      expect(description !== undefined, title).toBe(type !== 'row')
      expect(targets.length > 0, title).toBe(type !== 'row')
    }
  })
  test('asks data sources that can be chosen, by default the provisioned ones', () => {
    const choices = new Map(dashboard.templating.list.filter(({ type }) => type === 'datasource').map((variable) => [`\${${variable.name}}`, variable]))
    for (const { query, current } of choices.values()) {
      const source = datasources.find(({ uid }) => uid === current.value)
      // `postgres` is the old name, which provisioning files go on using.
      expect(source?.type.replace(/^postgres$/, 'grafana-postgresql-datasource')).toBe(query)
    }
    const asked = [
      ...panels.flatMap(({ datasource, targets }) => [...(datasource ? [datasource] : []), ...targets.map((target) => target.datasource)]),
      ...dashboard.templating.list.flatMap(({ datasource }) => (datasource ? [datasource] : [])),
      ...dashboard.annotations.list.map(({ datasource }) => datasource).filter(({ type }) => type !== 'grafana'),
    ]
    for (const { type, uid } of asked) expect(choices.get(uid)?.query).toBe(type)
  })
  test('formats choices for SQL, wherever they stand', () => {
    for (const { title, targets } of panels)
      for (const { rawSql = '' } of targets) expect(rawSql.match(/\$\{?(tenant|agent|cloud|page)\b(?!:sqlstring\})/g), title).toBeNull()
    for (const { name, type, query, allValue } of dashboard.templating.list.filter((variable) => variable.type === 'query')) {
      expect(query.match(/\$\{?(tenant|agent|cloud)\b(?!:sqlstring\})/g), name).toBeNull()
      expect({ type, allValue }).toEqual({ type: 'query', allValue: "'*'" })
    }
  })
  test('links to the other dashboard, and from oids to the page', () => {
    const text = JSON.stringify(dashboard)
    const uids = [...dashboards.values()].map(({ uid }) => uid)
    for (const [, uid] of text.matchAll(/"\/d\/([\w-]+)"/g)) expect(uids).toContain(uid)
    const withOids = panels.filter(({ targets }) => targets.some(({ rawSql = '' }) => /::text as oid\b/.test(rawSql)))
    expect(withOids).toHaveLength(dashboard.uid === 'trailjoin-agents' ? 4 : 0)
    for (const panel of withOids) expect(JSON.stringify(panel), panel.title).toContain('${page:raw}/?oid=${__data.fields.oid}&tenant=${__data.fields.tenant}')
  })
})

test('the page’s address is a constant that no address of a dashboard can change', () => {
  const variable = dashboards.get('agents')!.templating.list.find(({ name }) => name === 'page')
  expect(variable).toMatchObject({ type: 'constant', skipUrlSync: true, query: 'http://127.0.0.1:8417', current: { value: 'http://127.0.0.1:8417' } })
})

test('provisioning holds no secret: what differs comes from the environment, unexpanded twice', () => {
  const text = readFile('grafana/provisioning/datasources/trailjoin.yaml')
  const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, { environment: Record<string, unknown>; volumes: string[] }>
  }
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'))
  expect(lines.filter((line) => line.includes('${'))).toEqual([])
  for (const key of ['url', 'user', 'database', 'password', 'sslmode'])
    for (const line of lines.filter((one) => one.trim().startsWith(`${key}:`))) expect(line).toMatch(/: \$TRAILJOIN_[A-Z_]+$/)
  for (const [name] of text.matchAll(/\$TRAILJOIN_[A-Z_]+/g)) expect(Object.keys(services['grafana']!.environment)).toContain(name.slice(1))
  const { providers } = parse(readFile('grafana/provisioning/dashboards/trailjoin.yaml')) as { providers: { options: { path: string } }[] }
  expect(services['grafana']!.volumes.map((volume) => volume.split(':')[1])).toContain(providers[0]!.options.path)
  for (const service of ['grafana', 'prometheus', 'prometheus-inside'])
    for (const [source = ''] of services[service]!.volumes.map((volume) => volume.split(':')).filter(([from]) => from!.startsWith('./')))
      expect(existsSync(join(ROOT, source)), source).toBe(true)
})

describe('PromQL', () => {
  test.each(promQueries())('$where is of Prometheus’ grammar and names what it asks for', ({ text }) => {
    const { selectors } = inspectPromql(text)
    expect(selectors.length).toBeGreaterThan(0)
    // A metric of every process of the Prometheus, ours or not, is asked for by job.
    for (const { metric, labels } of selectors) expect(metric.startsWith('trailjoin_') || metric === 'ALERTS' || labels.includes('job'), text).toBe(true)
  })
  test('that is none is refused', () => {
    expect(() => inspectPromql('sum(rate(x[5m])')).toThrow('not understood')
    expect(inspectPromql('sum by (a) (rate(x{b="1",c=~"2"}[5m])) / max(y)')).toEqual({
      selectors: [
        { metric: 'x', labels: ['b', 'c'] },
        { metric: 'y', labels: [] },
      ],
      grouping: ['a'],
    })
  })
})

describe.each(alertRules())('the alert $alert', ({ alert, expr, labels, annotations }) => {
  test('says how bad it is, what is the matter and what to do, with a chapter of the documentation', () => {
    expect(alert).toMatch(/^Trailjoin[A-Z]\w+$/)
    expect(labels.severity).toMatch(/^(warning|critical)$/)
    expect(annotations.summary.length).toBeGreaterThan(20)
    expect(annotations.description.length).toBeGreaterThan(60)
    expect(annotations.runbook).toBe(`docs/operators/dashboards.md#${alert.toLowerCase()}`)
    expect(page).toContain(`\n### ${alert}\n`)
  })
  test('names only labels that its expression leaves', () => {
    const { grouping } = inspectPromql(expr)
    for (const [, label = ''] of `${annotations.summary} ${annotations.description}`.matchAll(/\$labels\.(\w+)/g)) expect(grouping).toContain(label)
  })
})
