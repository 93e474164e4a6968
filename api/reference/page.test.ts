import { expect, test } from 'vitest'
import { openApiDocument } from '../openapi.ts'
import { ROUTES } from '../routes/index.ts'
import { referencePage } from './page.ts'

const page = referencePage(openApiDocument(ROUTES, '1.2.3'))

test('has every route with its parameters, and every link leads somewhere', () => {
  for (const { path, method = 'get' } of ROUTES) {
    expect(page).toContain(`<code>${path}</code>`)
    expect(page).toContain(`<span class="method ${method}">`)
  }
  expect(page).toContain('1.2.3')
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!))
  expect(ids.size).toBe([...page.matchAll(/ id="([^"]+)"/g)].length)
  const broken = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]!).filter((id) => !ids.has(id))
  expect(broken).toEqual([])
})

test('has no script, and loads nothing', () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\bon\w+="|https?:\/\/(?!127\.0\.0\.1)/i)
})

test('shows text of the document as text', () => {
  const hostile = '<img src=x onerror="alert(1)">'
  const text = referencePage({
    info: { title: hostile, version: hostile, description: hostile },
    paths: {
      [`/${hostile}`]: {
        get: {
          operationId: hostile,
          summary: hostile,
          parameters: [{ name: hostile, in: 'query', schema: { enum: [hostile] } }],
          responses: { 200: { description: hostile } },
        },
      },
    },
    components: { schemas: { [hostile]: { properties: { [hostile]: { type: hostile, description: hostile } } } } },
  })
  expect(text).not.toContain('<img')
})
