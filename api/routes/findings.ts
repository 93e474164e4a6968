import { z } from 'zod'
import { page } from '../contract.ts'
import { Finding } from '../findings/contract.ts'
import { acknowledge, Reason, reopen } from '../findings/decide.ts'
import { ocsfFinding } from '../findings/ocsf.ts'
import { FindingsQuery } from '../findings/query.ts'
import { sarifLog } from '../findings/sarif.ts'
import { ProblemError } from '../problem.ts'
import { DEFAULT_LIMIT, guid, NoQuery } from '../query.ts'
import { findingById, findingsPage } from '../read-models/findings.ts'
import { defineRoute } from './route.ts'

const Params = z.object({ id: guid })

export const findings = defineRoute({
  path: '/v1/findings',
  roles: ['reader', 'responder', 'compliance'],
  summary:
    'Findings: anti-patterns, broken trust, signs of abuse, each with its evidence; the latest first. As SARIF 2.1.0 or as OCSF 1.8 Detection Findings (one JSON object a line), too: then the header `Link` names the next page.',
  query: FindingsQuery,
  handsOut: (request) => !['json', undefined].includes(request.query['format'] as string | undefined),
  answer: { description: 'A page of findings.', schema: page(Finding), alsoAs: ['application/sarif+json', 'application/x-ndjson'] },
  handle: async ({ query: { limit, cursor, format = 'json', ...filters }, request, response }, { store, gave }) => {
    const answer = await findingsPage(store, filters, limit ?? DEFAULT_LIMIT, cursor)
    if (format === 'json') return void response.json(answer)
    gave(answer.items.length)
    if (answer.next !== null) {
      const next = new URL(request.originalUrl, 'http://localhost')
      next.searchParams.set('cursor', answer.next)
      response.setHeader('Link', `<${next.pathname}${next.search}>; rel="next"`)
    }
    if (format === 'sarif') return void response.type('application/sarif+json').send((await Array.fromAsync(sarifLog(answer.items))).join(''))
    response.type('application/x-ndjson').send(answer.items.map((finding) => `${JSON.stringify(ocsfFinding(finding))}\n`).join(''))
  },
})

export const finding = defineRoute({
  path: '/v1/findings/{id}',
  roles: ['reader', 'responder', 'compliance'],
  summary: 'One finding. Its id stays when more evidence comes.',
  params: Params,
  query: NoQuery,
  answer: { description: 'The finding.', schema: Finding },
  problems: [404],
  handle: async ({ params: { id }, response }, { store }) => {
    response.json(found(await findingById(store, id), id))
  },
})

export const acknowledgeFinding = defineRoute({
  method: 'post',
  roles: ['responder', 'compliance'],
  path: '/v1/findings/{id}/acknowledgement',
  summary:
    'Says that a finding needs nothing more, and why. It stays acknowledged when findings are computed again; `evidenceChanged` tells when it rests on more, or is graver, than it was.',
  params: Params,
  query: NoQuery,
  body: { description: 'Why nothing more needs to be done.', schema: Reason },
  answer: { description: 'The finding.', schema: Finding },
  problems: [404],
  handle: async ({ params: { id }, body: { reason }, response }, { store, db, caller }) => {
    response.json(found(await acknowledge(store, db, id, reason, caller!), id))
  },
})

export const reopenFinding = defineRoute({
  method: 'delete',
  roles: ['responder', 'compliance'],
  path: '/v1/findings/{id}/acknowledgement',
  summary: 'Takes an acknowledgement back: the finding is open again. Who had acknowledged it, and who took it back, stays on record.',
  params: Params,
  query: NoQuery,
  answer: { description: 'The finding.', schema: Finding },
  problems: [404],
  handle: async ({ params: { id }, response }, { store, db, caller }) => {
    response.json(found(await reopen(store, db, id, caller!), id))
  },
})

function found(finding: Finding | null, id: string): Finding {
  if (!finding) throw new ProblemError(404, `There is no finding ${id}.`)
  return finding
}
