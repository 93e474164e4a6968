/** The OpenAPI document as a page to read: one HTML text without scripts and without other files, so nothing in it can run or call home. */
import { STYLE } from './style.ts'

type Node = Readonly<Record<string, unknown>>

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
const node = (value: unknown): Node => (isNode(value) ? value : {})
const nodes = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.filter(isNode) : [])
const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (value: string): string => value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
/** Words in back quotes are code, as in the descriptions of the schemas. */
const prose = (value: unknown): string => escape(text(value)).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly body: Node
}

/** @param document as `openApiDocument` makes it */
export function referencePage(document: Node): string {
  const operations = Object.entries(node(document['paths'])).flatMap(([path, item]) =>
    Object.entries(node(item)).map(([method, body]): Operation => ({ id: text(node(body)['operationId']), method, path, body: node(body) })),
  )
  const schemas = Object.entries(node(node(document['components'])['schemas'])).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const { title, version, description } = node(document['info'])
  const links = operations.map(({ id, method, path }) => `<li><a href="#${escape(id)}">${badge(method)} ${escape(path)}</a></li>`).join('')
  const schemaLinks = schemas.map(([name]) => `<li><a href="#schema-${escape(name)}">${escape(name)}</a></li>`).join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${prose(title)} API</title><style>${STYLE}</style></head>
<body><nav><p><strong>${prose(title)} API</strong> <span class="dim">${prose(version)}</span></p><ul><li><a href="#about">About</a></li></ul><ul>${links}</ul><p class="dim">Schemas</p><ul>${schemaLinks}</ul></nav>
<main>${about(text(title), text(description))}${operations.map(section).join('')}${schemas.map(([name, schema]) => schemaSection(name, node(schema))).join('')}</main></body></html>
`
}

const badge = (method: string): string => `<span class="method ${escape(method)}">${escape(method)}</span>`

function about(title: string, description: string): string {
  return `<h1 id="about">${escape(title)} API</h1><p>${prose(description)} The same as data: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<pre>curl -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:8417/v1/agents?limit=5"</pre>
<ul><li>Times are ISO 8601 in UTC with nanoseconds. What a log does not say is <code>null</code>, never invented.</li>
<li>Lists have <code>items</code> and <code>next</code>: give <code>next</code> as <code>cursor</code> for the next page; <code>null</code> on the last one. Cursors are opaque, and late records shift nothing.</li>
<li>Errors are <code>application/problem+json</code> (RFC 9457); <code>type</code> is stable and leads to an explanation, <code>errors</code> names each faulty parameter. An unknown parameter is an error.</li>
<li>429 and 503 come with <code>Retry-After</code>.</li></ul>`
}

function section({ id, method, path, body }: Operation): string {
  const parameters = nodes(body['parameters'])
  const request = node(body['requestBody'])
  const responses = Object.entries(node(body['responses']))
  const answers = responses.filter(([status]) => status.startsWith('2'))
  const problems = responses.filter(([status]) => !status.startsWith('2')).map(([status]) => `<code>${escape(status)}</code>`)
  return `<section id="${escape(id)}"><h2>${badge(method)} <code>${escape(path)}</code></h2><p>${prose(body['summary'])}</p><p class="dim">${
    body['description'] === undefined ? 'Open: no token is needed.' : prose(body['description'])
  }</p>${parameters.length === 0 ? '' : `<h3>Parameters</h3><table>${parameters.map(parameterRow).join('')}</table>`}${
    request['content'] === undefined ? '' : `<h3>Body</h3><p>${prose(request['description'])}</p>${contents(node(request['content']))}`
  }<h3>Answer</h3>${answers.map(([status, answer]) => `<p><code>${escape(status)}</code> ${prose(node(answer)['description'])}</p>${contents(node(node(answer)['content']))}`).join('')}
<p class="dim">Problems: ${problems.join(' ')}</p></section>`
}

function parameterRow(parameter: Node): string {
  const need = parameter['required'] === true ? ' <span class="need">required</span>' : ''
  const place = parameter['in'] === 'path' ? ' <span class="dim">in the path</span>' : ''
  return `<tr><td><code>${escape(text(parameter['name']))}</code>${need}${place}</td><td>${typeOf(node(parameter['schema']))}</td><td>${prose(parameter['description'])}</td></tr>`
}

function contents(content: Node): string {
  const rows = Object.entries(content).map(([type, media]) => `<tr><td><code>${escape(type)}</code></td><td>${typeOf(node(node(media)['schema']))}</td></tr>`)
  return rows.length === 0 ? '' : `<table>${rows.join('')}</table>`
}

function schemaSection(name: string, schema: Node): string {
  return `<section id="schema-${escape(name)}"><h2>${escape(name)}</h2><p>${prose(schema['description'])}</p>${properties(schema) || `<p>${typeOf(schema)}</p>`}</section>`
}

function properties(schema: Node): string {
  const entries = Object.entries(node(schema['properties']))
  if (entries.length === 0) return ''
  const rows = entries.map(([name, value]) => {
    const inner = node(value)
    const nested =
      properties(inner) ||
      properties(node(inner['items'])) ||
      nodes(inner['anyOf'])
        .map((choice) => properties(choice))
        .join('')
    const more = nested === '' ? '' : `<details><summary class="dim">its fields</summary>${nested}</details>`
    return `<tr><td><code>${escape(name)}</code></td><td>${typeOf(inner)}</td><td>${prose(inner['description'])}${more}</td></tr>`
  })
  return `<table><tr><th>field</th><th>type</th><th></th></tr>${rows.join('')}</table>`
}

/** A type in a few words, with links to named schemas. */
function typeOf(schema: Node): string {
  const reference = text(schema['$ref'])
  if (reference !== '') {
    const name = reference.split('/').at(-1)!
    return `<a href="#schema-${escape(name)}">${escape(name)}</a>`
  }
  const choices = nodes(schema['anyOf'] ?? schema['oneOf'])
  if (choices.length > 0) return choices.map(typeOf).join(' or ')
  if (Array.isArray(schema['enum'])) return schema['enum'].map((word) => `<code>${escape(text(word))}</code>`).join(' ')
  if (schema['const'] !== undefined) return `<code>${escape(text(schema['const']))}</code>`
  const type = schema['type']
  if (type === 'array') return `list of ${typeOf(node(schema['items']))}`
  if (Array.isArray(type)) return type.map((one) => escape(text(one))).join(' or ')
  if (type === 'object' && schema['properties'] === undefined) return 'object of any fields'
  return escape([text(type) || 'anything', text(schema['format'])].filter((part) => part !== '').join(', '))
}
