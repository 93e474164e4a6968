/** What every request passes before anybody is asked who they are: names that this server answers to, origins that may read, headers that protect the page. */
import cors from 'cors'
import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { sendProblem } from '../problem.ts'

/**
 * Headers of every answer.
 * @param options.tls browsers reach this server by https: then they are told to stay with it
 * @param options.asks origins that the page's scripts may ask beside this server
 */
export function securityHeaders({ tls, asks = [] }: { readonly tls: boolean; readonly asks?: readonly string[] }): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Charts set style attributes; scripts are the page's own files and nothing else.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        ...(asks.length > 0 ? { connectSrc: ["'self'", ...asks] } : {}),
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Loopback has no TLS; the header would break other local servers of the same name. Sub-domains are not ours to speak for.
    strictTransportSecurity: tls ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'no-referrer' },
  })
}

const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz'])
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]']

/**
 * A page elsewhere can make its own host name resolve to this server and so become same-origin with it (DNS rebinding). Its requests still carry that name
 * as Host: names that are not on the list are turned away. Probes of an orchestrator use bare addresses and learn nothing, so theirs are let pass.
 * @param hosts names without ports, beside the loopback ones
 */
export function knownHostsOnly(hosts: readonly string[]): RequestHandler {
  const known = new Set([...LOOPBACK_HOSTS, ...hosts])
  return (request, response, next) => {
    const name = /^(.+?)(?::\d{1,5})?$/.exec(request.headers.host ?? '')?.[1]?.toLowerCase() ?? ''
    if (known.has(name) || PROBES.has(request.path)) return next()
    sendProblem(response, 421, `This server answers only to ${[...known].join(', ')}.`)
  }
}

/** Pages of these origins may ask; without any, the browser keeps every other page out by itself. */
export function allowedOrigins(origins: readonly string[]): RequestHandler[] {
  if (origins.length === 0) return []
  return [
    cors({
      origin: [...origins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'content-encoding', 'if-none-match', 'last-event-id'],
      exposedHeaders: ['content-disposition', 'etag', 'link', 'ratelimit', 'ratelimit-policy', 'repr-digest', 'retry-after', 'www-authenticate'],
      // Tokens are sent by scripts; there are no cookies.
      credentials: false,
      maxAge: 600,
    }),
  ]
}
