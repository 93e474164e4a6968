/** The OpenAPI 3.1 document, made from the same schemas that the routes parse and answer with. */
import { z } from 'zod'
import { Problem } from './contract.ts'
import { rolesOf } from './access/gate.ts'
import type { RouteBody, RunnableRoute } from './routes/route.ts'

type Schema = Readonly<Record<string, unknown>>

/** @returns the document as a plain object, ready for JSON */
export function openApiDocument(routes: readonly RunnableRoute[], version: string): Schema {
  const components: Record<string, unknown> = {}
  const schemaOf = (type: z.ZodType, io: 'input' | 'output'): Schema =>
    hoist(z.toJSONSchema(type, { io, target: 'draft-2020-12', unrepresentable: 'any' }), components)
  const problem = schemaOf(Problem, 'output')
  const paths: Record<string, Schema> = {}
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method ?? 'get']: operation(route, schemaOf, problem) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'trailjoin',
      version,
      description: "One agent's timeline across Entra, AWS and Google Cloud.",
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    // Wherever the document was read from.
    servers: [{ url: '/', description: 'This server' }],
    paths,
    components: { schemas: components, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

type SchemaOf = (type: z.ZodType, io: 'input' | 'output') => Schema

function operation(route: RunnableRoute, schemaOf: SchemaOf, problem: Schema): Schema {
  const parameters = [...parametersOf(route.params, 'path', schemaOf), ...parametersOf(route.query, 'query', schemaOf)]
  const { status = 200, description, schema, alsoAs = [] } = route.answer
  const content = {
    ...(schema ? { 'application/json': { schema: schemaOf(schema, 'output') } } : {}),
    ...Object.fromEntries(alsoAs.map((type) => [type, { schema: { type: 'string' } }])),
  }
  const statuses = new Set([400, ...(route.open ? [] : [401, 403, 429, 503]), ...(route.body ? [413, 415] : []), ...(route.problems ?? [])])
  return {
    summary: route.summary,
    ...(route.open ? {} : { description: `For callers with one of these roles: ${rolesOf(route).join(', ')}.`, 'x-roles': rolesOf(route) }),
    operationId: [...(route.method === undefined || route.method === 'get' ? [] : [route.method]), ...route.path.split(/[/{}]+/).filter(Boolean)].join('-'),
    security: route.open ? [] : [{ token: [] }],
    parameters,
    ...(route.body ? { requestBody: requestBody(route.body, schemaOf) } : {}),
    responses: {
      [status]: { description, ...(Object.keys(content).length > 0 ? { content } : {}) },
      ...Object.fromEntries(
        [...statuses].map((problemStatus) => [
          problemStatus,
          { description: 'Problem details.', content: { 'application/problem+json': { schema: problem } } },
        ]),
      ),
      // Node answers by itself, before the program sees the request.
      431: { description: 'The address or the headers are longer than 16 KiB. Without a body.' },
    },
  }
}

function requestBody({ description, schema, types = ['application/json'] }: RouteBody, schemaOf: SchemaOf): Schema {
  const content = schema ? schemaOf(schema, 'input') : { type: 'string' }
  return { description, required: true, content: Object.fromEntries(types.map((type) => [type, { schema: content }])) }
}

function parametersOf(type: z.ZodType | undefined, place: 'path' | 'query', schemaOf: SchemaOf): Schema[] {
  if (!type) return []
  const { properties = {}, required = [] } = schemaOf(type, 'input') as { properties?: Record<string, Schema>; required?: string[] }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }))
}

/** Moves the `$defs` of one generated schema to the shared components and points its references there. */
function hoist(schema: unknown, components: Record<string, unknown>): Schema {
  const { $schema: _dialect, $defs, id, ...rest } = schema as { $schema?: string; $defs?: Record<string, unknown>; id?: string } & Record<string, unknown>
  for (const [name, definition] of Object.entries($defs ?? {})) components[name] ??= repoint(definition)
  const own = repoint(rest) as Schema
  if (id === undefined) return own
  components[id] ??= own
  return { $ref: `#/components/schemas/${id}` }
}

function repoint(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(repoint)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, inner]) => !(key === 'id' && typeof inner === 'string'))
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, key === '$ref' && typeof inner === 'string' ? inner.replace('#/$defs/', '#/components/schemas/') : repoint(inner)]),
  )
}
