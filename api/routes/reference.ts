import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import { referencePage } from '../reference/page.ts'

/** The API's description for people, at `/docs`: open like `/openapi.json`, because it says nothing about anybody's records. Made once. */
export function reference(document: Readonly<Record<string, unknown>>): RequestHandler {
  const page = referencePage(document)
  const etag = `"${createHash('sha256').update(page).digest('base64url')}"`
  return (request, response) => {
    response.setHeader('ETag', etag)
    response.setHeader('Cache-Control', 'no-cache')
    if (request.fresh) return void response.status(304).end()
    response.type('text/html').send(page)
  }
}
