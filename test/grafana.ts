/** The dashboards of dashboards/grafana/, as Grafana reads them: their queries, with macros and variables replaced as its documentation says. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'
import { z } from 'zod'

const FOLDER = join(import.meta.dirname, '..', 'dashboards')

const DataSource = z.strictObject({ type: z.string(), uid: z.string() })
const Target = z.looseObject({
  refId: z.string(),
  datasource: DataSource,
  rawSql: z.string().optional(),
  expr: z.string().optional(),
  format: z.enum(['table', 'time_series']).optional(),
})
const Panel = z.looseObject({
  id: z.int().positive(),
  type: z.enum(['row', 'stat', 'timeseries', 'table', 'barchart']),
  title: z.string().min(1),
  description: z.string().min(1).optional(),
  gridPos: z.strictObject({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) }),
  datasource: DataSource.optional(),
  targets: z.array(Target).default([]),
})
const Variable = z.looseObject({
  name: z.string(),
  type: z.enum(['query', 'datasource', 'constant']),
  query: z.string(),
  allValue: z.string().nullish(),
  refresh: z.int().optional(),
  datasource: DataSource.optional(),
  current: z.looseObject({ value: z.union([z.string(), z.array(z.string())]) }),
})
const Dashboard = z.looseObject({
  uid: z.string().regex(/^[a-z-]{1,40}$/),
  title: z.string(),
  schemaVersion: z.literal(42),
  timezone: z.literal('utc'),
  templating: z.strictObject({ list: z.array(Variable) }),
  annotations: z.strictObject({ list: z.array(z.looseObject({ name: z.string(), datasource: DataSource, expr: z.string().optional() })) }),
  panels: z.array(Panel),
})
export type Dashboard = z.infer<typeof Dashboard>

export interface Query {
  /** Dashboard, panel and refId, or the variable: for messages. */
  readonly where: string
  readonly text: string
}

/** Every dashboard by the name of its file. @throws ZodError for one that Grafana's model does not fit */
export function readDashboards(): ReadonlyMap<string, Dashboard> {
  const files = globSync('grafana/dashboards/*.json', { cwd: FOLDER }).toSorted()
  return new Map(files.map((file) => [basename(file, '.json'), Dashboard.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')))]))
}

/** Text of a file below dashboards/. */
export const readFile = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')

const targetsOf = (pick: 'rawSql' | 'expr'): Query[] =>
  [...readDashboards()].flatMap(([file, { panels }]) =>
    panels.flatMap(({ title, targets }) =>
      targets.flatMap((target) => (target[pick] === undefined ? [] : [{ where: `${file}: ${title} ${target.refId}`, text: target[pick] }])),
    ),
  )

/** The SQL of every panel. */
export const panelSql = (): readonly Query[] => targetsOf('rawSql')

/** The SQL of every variable. */
export const variableSql = (): readonly Query[] =>
  [...readDashboards()].flatMap(([file, { templating }]) =>
    templating.list.flatMap(({ name, type, query }) => (type === 'query' ? [{ where: `${file}: variable ${name}`, text: query }] : [])),
  )

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[mh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.string() }),
          annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
})

/** The rules of dashboards/prometheus/alerts.yml. */
export const alertRules = () => Rules.parse(parse(readFile('prometheus/alerts.yml'))).groups.flatMap(({ rules }) => rules)

/** Every PromQL expression of panels, annotations and alert rules. */
export const promQueries = (): readonly Query[] => [
  ...targetsOf('expr'),
  ...[...readDashboards()].flatMap(([file, { annotations }]) =>
    annotations.list.flatMap(({ name, expr }) => (expr === undefined ? [] : [{ where: `${file}: annotation ${name}`, text: expr }])),
  ),
  ...alertRules().map(({ alert, expr }) => ({ where: `alert ${alert}`, text: expr })),
]

export interface Chosen {
  readonly from: Date
  readonly to: Date
  /** Values of the multi-value variables; one that is left out is "All". */
  readonly values?: Readonly<Record<string, readonly string[]>>
}

const ALL = "'*'"

/**
 * SQL as Grafana sends it. Variables: `${name:sqlstring}` gives each value in quotes, quotes in it doubled; "All" gives the variable's custom value as it stands. Macros: as the documentation of
 * the PostgreSQL data source and its source (macros.go) have them.
 */
export function interpolateSql(text: string, { from, to, values = {} }: Chosen): string {
  const sql = text.replaceAll(
    /\$\{(\w+):sqlstring\}/g,
    (_whole, name: string) => values[name]?.map((value) => `'${value.replaceAll("'", "''")}'`).join(',') ?? ALL,
  )
  const iso = (date: Date): string => `'${date.toISOString()}'`
  const nanos = (date: Date): string => `${date.getTime()}000000`
  const macros: Readonly<Record<string, (column: string) => string>> = {
    __timeFilter: (column) => `${column} BETWEEN ${iso(from)} AND ${iso(to)}`,
    __unixEpochNanoFrom: () => nanos(from),
    __unixEpochNanoTo: () => nanos(to),
  }
  return sql.replaceAll(/\$(\w+)\(([^)]*)\)/g, (whole, name: string, column: string) => {
    const macro = macros[name]
    if (macro === undefined) throw new Error(`unknown macro ${whole}`)
    return macro(column.trim())
  })
}

export interface Selector {
  readonly metric: string
  /** Labels that it selects by. */
  readonly labels: readonly string[]
}

/** What a PromQL expression asks for. @throws when Prometheus' grammar does not fit it */
export function inspectPromql(text: string): { readonly selectors: readonly Selector[]; readonly grouping: readonly string[] } {
  const expression = text.replaceAll('$__rate_interval', '5m')
  const [selectors, grouping]: [{ metric: string; labels: string[] }[], string[]] = [[], []]
  const cursor = parser.parse(expression).cursor()
  let grouped = false
  do {
    const { name, from, to } = cursor
    const word = expression.slice(from, to)
    if (cursor.type.isError) throw new Error(`${expression}: not understood at character ${from}`)
    if (name === 'VectorSelector') selectors.push({ metric: '', labels: [] })
    if (name === 'VectorSelector' || name === 'GroupingLabels') grouped = name === 'GroupingLabels'
    if (name === 'Identifier' && selectors.length > 0 && selectors.at(-1)!.metric === '') selectors.at(-1)!.metric = word
    if (name === 'LabelName') (grouped ? grouping : selectors.at(-1)!.labels).push(word)
  } while (cursor.next())
  return { selectors, grouping }
}
