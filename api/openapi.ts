/** The OpenAPI 3.1 document, made from the same schemas that the routes parse and answer with. */
import { z } from 'zod'
import { Problem } from './contract.ts'
import type { RunnableRoute } from './routes/route.ts'

type Schema = Readonly<Record<string, unknown>>

/** @returns the document as a plain object, ready for JSON */
export function openApiDocument(routes: readonly RunnableRoute[], version: string): Schema {
  const components: Record<string, unknown> = {}
  const schemaOf = (type: z.ZodType, io: 'input' | 'output'): Schema =>
    hoist(z.toJSONSchema(type, { io, target: 'draft-2020-12', unrepresentable: 'any' }), components)
  const problem = schemaOf(Problem, 'output')
  const paths: Record<string, unknown> = {}
  for (const route of routes) paths[route.path] = { get: operation(route, schemaOf, problem) }
  return {
    openapi: '3.1.0',
    info: { title: 'trailjoin', version, description: "One agent's timeline across Entra, AWS and Google Cloud." },
    paths,
    components: { schemas: components, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

function operation(route: RunnableRoute, schemaOf: (type: z.ZodType, io: 'input' | 'output') => Schema, problem: Schema): Schema {
  const parameters = [...parametersOf(route.params, 'path', schemaOf), ...parametersOf(route.query, 'query', schemaOf)]
  const answer = schemaOf(route.answer.schema, 'output')
  const content = Object.fromEntries([
    ['application/json', { schema: answer }],
    ...(route.answer.alsoAs ?? []).map((type) => [type, { schema: { type: 'string' } }]),
  ])
  const statuses = [400, ...(route.open ? [] : [401]), ...(route.problems ?? [])].toSorted((a, b) => a - b)
  return {
    summary: route.summary,
    operationId: route.path
      .replaceAll(/[/{}]+/g, ' ')
      .trim()
      .replaceAll(' ', '-'),
    security: route.open ? [] : [{ token: [] }],
    parameters,
    responses: {
      200: { description: route.answer.description, content },
      ...Object.fromEntries(
        statuses.map((status) => [status, { description: 'Problem details.', content: { 'application/problem+json': { schema: problem } } }]),
      ),
    },
  }
}

function parametersOf(type: z.ZodType | undefined, place: 'path' | 'query', schemaOf: (type: z.ZodType, io: 'input' | 'output') => Schema): Schema[] {
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
