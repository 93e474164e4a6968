/**
 * CloudTrail (JSON 1.1), S3 (REST), SQS (JSON 1.0) and STS (Query) on a port of this machine, for the real SDKs: pages, throttles, times out, repeats, delays, gives partial and damaged
 * answers. Wire formats: what the SDK clients of package.json send and read.
 */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type FaultKind =
  /** 400 ThrottlingException; S3: 503 SlowDown. */
  | 'throttle'
  /** 429 with an empty body: only the status says what it is. */
  | 'status-429'
  | 'error-500'
  /** A proxy's page in the place of the answer. */
  | 'html-502'
  | 'denied'
  /** No answer at all. */
  | 'hang'
  /** The connection ends in the middle of the answer. */
  | 'cut'
  /** CloudTrail: an empty page with a token, then the same page. S3 listing: says that it is cut off and gives no token. */
  | 'partial'
  /** CloudTrail: the events of this page come again on the next one. */
  | 'repeat'
  /** CloudTrail: the token of this page is refused when it comes back. */
  | 'stale-token'

interface Fault {
  readonly service: 'cloudtrail' | 's3' | 'sqs' | 'sts'
  readonly kind: FaultKind
  /** Only requests of this operation: `LookupEvents`, `AssumeRole`, `ListObjectsV2`, `GetObject`, `ReceiveMessage`, `DeleteMessageBatch`. */
  readonly operation?: string
  /** Only requests of this region (from the signature). */
  readonly region?: string
  readonly times: number
}

interface TrailEvent {
  readonly account: string
  readonly region: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly name: string
  readonly source: string
  readonly text: string
}

export interface FakeAws {
  readonly url: string
  /** The account of an access key id: the fake's idea of authentication. */
  readonly accounts: Map<string, string>
  /** Roles by ARN; STS lets those key ids assume one that it trusts. */
  readonly roles: Map<string, FakeRole>
  readonly events: TrailEvent[]
  readonly buckets: Map<string, Map<string, Buffer>>
  /** Queue URL's last segment → messages. */
  readonly queues: Map<string, QueueMessage[]>
  /** Every request, in order. */
  readonly requests: { readonly service: string; readonly operation: string; readonly region: string; readonly at: number; readonly detail: string }[]
  fault(fault: Fault): void
  /** Every request of every service is throttled while it is true. */
  throttling: boolean
  /** Faults that were injected so far. */
  injected(): number
  close(): Promise<void>
}

interface FakeRole {
  readonly trusts: readonly string[]
  readonly externalId?: string
  /** Of the keys that it gives out; default 3600. */
  readonly seconds?: number
}

interface QueueMessage {
  readonly body: string
  visibleAt: number
  receipt: string
  received: number
}

export interface FakeAwsOptions {
  /** Keys a listing page. */
  readonly listPage?: number
  /** Events a LookupEvents page, at most. */
  readonly lookupPage?: number
}

export async function startFakeAws(options: FakeAwsOptions = {}): Promise<FakeAws> {
  const faults: { fault: Fault; left: number }[] = []
  const held = new Set<ServerResponse>()
  const staleTokens = new Set<string>()
  /** Keys that STS gave out. */
  const sessions = new Map<string, { readonly token: string; readonly until: number }>()
  let injected = 0
  let counter = 0
  const { promise: listening, resolve } = Promise.withResolvers<void>()

  const take = (service: Fault['service'], operation: string, region: string): FaultKind | null => {
    if (fake.throttling) {
      injected++
      return 'throttle'
    }
    const entry = faults.find(
      ({ fault, left }) => left > 0 && fault.service === service && (fault.operation ?? operation) === operation && (fault.region ?? region) === region,
    )
    if (!entry) return null
    entry.left--
    injected++
    return entry.fault.kind
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const target = String(request.headers['x-amz-target'] ?? '')
    const [, keyId = '', region = ''] = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? []
    const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ? new URLSearchParams(body) : null
    const service = form ? 'sts' : target.startsWith('CloudTrail_20131101.') ? 'cloudtrail' : target.startsWith('AmazonSQS.') ? 'sqs' : 's3'
    const url = new URL(request.url ?? '/', 'http://fake')
    const operation = form
      ? (form.get('Action') ?? '')
      : service === 's3'
        ? url.searchParams.get('list-type') === '2'
          ? 'ListObjectsV2'
          : 'GetObject'
        : target.slice(target.indexOf('.') + 1)
    fake.requests.push({ service, operation, region, at: performance.now(), detail: service === 's3' ? decodeURIComponent(url.pathname) + url.search : body })
    const fault = take(service, operation, region)
    if (fault === 'hang') {
      held.add(response)
      return
    }
    const error = (status: number, code: string): void => {
      if (form)
        send(response, status, 'text/xml', `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`)
      else if (service === 's3')
        send(response, status, 'application/xml', `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
      else
        send(response, status, 'application/x-amz-json-1.1', JSON.stringify({ __type: service === 'sqs' ? `com.amazonaws.sqs#${code}` : code, message: code }))
    }
    if (fault === 'throttle') return service === 's3' ? error(503, 'SlowDown') : error(400, 'ThrottlingException')
    if (fault === 'status-429') return send(response, 429, 'text/plain', '')
    if (fault === 'error-500') return error(500, service === 's3' ? 'InternalError' : 'InternalFailure')
    if (fault === 'html-502') return send(response, 502, 'text/html', '<html><body>Bad gateway</body></html>')
    if (fault === 'denied') return error(service === 's3' ? 403 : 400, service === 's3' ? 'AccessDenied' : 'AccessDeniedException')
    if (form) return assumeRole(response, form, keyId, error)
    const session = sessions.get(keyId)
    if (session && (session.token !== request.headers['x-amz-security-token'] || session.until <= Date.now())) return error(403, 'ExpiredTokenException')
    const account = fake.accounts.get(keyId)
    if (account === undefined) return error(403, service === 's3' ? 'InvalidAccessKeyId' : 'UnrecognizedClientException')
    if (service === 'cloudtrail') return lookup(response, JSON.parse(body) as Lookup, account, region, fault, error)
    if (service === 'sqs') return queue(response, operation, JSON.parse(body) as QueueRequest, fault, error)
    const [, bucketName = '', ...rest] = decodeURIComponent(url.pathname).split('/')
    const bucket = fake.buckets.get(bucketName)
    if (!bucket) return error(404, 'NoSuchBucket')
    if (operation === 'ListObjectsV2') return list(response, bucket, url.searchParams, fault)
    const object = bucket.get(rest.join('/'))
    if (object === undefined) return error(404, 'NoSuchKey')
    if (fault === 'cut') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': object.length })
      response.write(object.subarray(0, object.length >> 1))
      // Later, so that the half has left this process.
      setTimeout(() => response.destroy(), 30)
      return
    }
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')
    const part = range ? object.subarray(Number(range[1]), Number(range[2]) + 1) : object
    response.writeHead(range ? 206 : 200, { 'content-type': 'application/octet-stream', 'content-length': part.length })
    response.end(part)
  }

  function assumeRole(response: ServerResponse, form: URLSearchParams, keyId: string, error: (status: number, code: string) => void): void {
    const arn = form.get('RoleArn') ?? ''
    const role = fake.roles.get(arn)
    if (!role?.trusts.includes(keyId) || (role.externalId !== undefined && role.externalId !== form.get('ExternalId'))) return error(403, 'AccessDenied')
    const [key, token] = [`ASIAFAKE${counter++}`, `token-${counter++}`]
    const until = Date.now() + (role.seconds ?? 3600) * 1000
    sessions.set(key, { token, until })
    fake.accounts.set(key, arn.split(':')[4] ?? '')
    const credentials = `<AccessKeyId>${key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${new Date(until).toISOString()}</Expiration>`
    send(
      response,
      200,
      'text/xml',
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    )
  }

  interface Lookup {
    readonly StartTime?: number
    readonly EndTime?: number
    readonly MaxResults?: number
    readonly NextToken?: string
    readonly LookupAttributes?: readonly { readonly AttributeKey: string; readonly AttributeValue: string }[]
  }

  function lookup(
    response: ServerResponse,
    query: Lookup,
    account: string,
    region: string,
    fault: FaultKind | null,
    error: (status: number, code: string) => void,
  ): void {
    const { NextToken, ...parameters } = query
    const same = createHash('sha256').update(JSON.stringify(parameters)).digest('hex').slice(0, 16)
    // The service refuses a token that comes with other parameters than those it was given out for.
    const [hash, offsetText = '0'] = NextToken?.split('.') ?? [same]
    if (hash !== same || (NextToken !== undefined && staleTokens.delete(NextToken))) return error(400, 'InvalidNextTokenException')
    const { StartTime = 0, EndTime = Number.MAX_SAFE_INTEGER, MaxResults = 50, LookupAttributes: [attribute] = [] } = parameters
    const found = fake.events
      .filter((event) => event.account === account && event.region === region && event.time >= StartTime * 1000 && event.time <= EndTime * 1000)
      .filter((event) => !attribute || (attribute.AttributeKey === 'EventName' ? event.name : event.source) === attribute.AttributeValue)
      .toSorted((a, b) => b.time - a.time)
    const offset = Number(offsetText)
    const size = Math.min(MaxResults, options.lookupPage ?? 50)
    const page = fault === 'partial' ? [] : found.slice(offset, offset + size)
    const next = offset + (fault === 'partial' || fault === 'repeat' ? 0 : page.length)
    const token = fault === 'partial' || fault === 'repeat' || next < found.length ? `${same}.${next}.${counter++}` : undefined
    if (fault === 'stale-token' && token !== undefined) staleTokens.add(token)
    const text = JSON.stringify({
      Events: page.map((event) => ({
        EventId: `e${event.time}`,
        EventName: event.name,
        ReadOnly: 'true',
        EventTime: event.time / 1000,
        EventSource: event.source,
        CloudTrailEvent: event.text,
      })),
      ...(token === undefined ? {} : { NextToken: token }),
    })
    if (fault === 'cut') {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': Buffer.byteLength(text) })
      response.write(text.slice(0, text.length >> 1))
      setTimeout(() => response.destroy(), 30)
      return
    }
    send(response, 200, 'application/x-amz-json-1.1', text)
  }

  function list(response: ServerResponse, bucket: ReadonlyMap<string, Buffer>, query: URLSearchParams, fault: FaultKind | null): void {
    const prefix = query.get('prefix') ?? ''
    const delimiter = query.get('delimiter')
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const keys = [...bucket.keys()].filter((key) => key.startsWith(prefix)).toSorted((a, b) => (a < b ? -1 : 1))
    const entries = new Set(
      keys.map((key) => {
        const end = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length)
        return end < 0 ? key : key.slice(0, end + 1)
      }),
    )
    const left = [...entries].filter((entry) => entry > after)
    const page = left.slice(0, options.listPage ?? 1000)
    const truncated = fault === 'partial' || left.length > page.length
    const contents = page
      .filter((entry) => !delimiter || !entry.endsWith(delimiter))
      .map((key) => `<Contents><Key>${xml(key)}</Key><Size>${bucket.get(key)?.length ?? 0}</Size></Contents>`)
    const folders = page
      .filter((entry) => delimiter && entry.endsWith(delimiter))
      .map((entry) => `<CommonPrefixes><Prefix>${xml(entry)}</Prefix></CommonPrefixes>`)
    const token = truncated && fault !== 'partial' ? `<NextContinuationToken>${xml(page.at(-1) ?? '')}</NextContinuationToken>` : ''
    send(
      response,
      200,
      'application/xml',
      `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${truncated}</IsTruncated>${contents.join('')}${folders.join('')}${token}</ListBucketResult>`,
    )
  }

  interface QueueRequest {
    readonly QueueUrl: string
    readonly MaxNumberOfMessages?: number
    readonly VisibilityTimeout?: number
    readonly Entries?: readonly { readonly Id: string; readonly ReceiptHandle: string }[]
  }

  function queue(
    response: ServerResponse,
    operation: string,
    query: QueueRequest,
    _fault: FaultKind | null,
    error: (status: number, code: string) => void,
  ): void {
    const messages = fake.queues.get(query.QueueUrl.split('/').at(-1) ?? '')
    if (!messages) return error(400, 'QueueDoesNotExist')
    const reply = (value: unknown): void => send(response, 200, 'application/x-amz-json-1.0', JSON.stringify(value))
    const now = Date.now()
    if (operation === 'ReceiveMessage') {
      const taken = messages.filter((message) => message.visibleAt <= now).slice(0, query.MaxNumberOfMessages ?? 1)
      for (const message of taken) {
        message.visibleAt = now + (query.VisibilityTimeout ?? 30) * 1000
        message.receipt = `r${counter++}`
        message.received++
      }
      if (taken.length === 0) return reply({})
      return reply({
        Messages: taken.map(({ body, receipt }) => ({
          MessageId: receipt,
          ReceiptHandle: receipt,
          Body: body,
          MD5OfBody: createHash('md5').update(body).digest('hex'),
        })),
      })
    }
    if (operation === 'DeleteMessageBatch') {
      for (const { ReceiptHandle } of query.Entries ?? []) {
        const index = messages.findIndex(({ receipt }) => receipt === ReceiptHandle)
        if (index >= 0) messages.splice(index, 1)
      }
      return reply({ Successful: (query.Entries ?? []).map(({ Id }) => ({ Id })), Failed: [] })
    }
    return reply({
      Attributes: {
        ApproximateNumberOfMessages: String(messages.filter(({ visibleAt }) => visibleAt <= now).length),
        ApproximateNumberOfMessagesNotVisible: '0',
      },
    })
  }

  server.listen(0, '127.0.0.1', resolve)
  await listening
  const fake: FakeAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accounts: new Map(),
    roles: new Map(),
    events: [],
    buckets: new Map(),
    queues: new Map(),
    requests: [],
    throttling: false,
    fault: (fault) => void faults.push({ fault, left: fault.times }),
    injected: () => injected,
    close: async () => {
      for (const response of held) response.destroy()
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
  return fake
}

/** A message as it lies in a queue. */
export const queueMessage = (body: string): QueueMessage => ({ body, visibleAt: 0, receipt: '', received: 0 })

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
