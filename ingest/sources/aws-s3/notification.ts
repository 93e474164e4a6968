/** What a queue message says: which objects appeared. */
export interface Notice {
  readonly objects: readonly { readonly bucket: string; readonly key: string }[]
}

/**
 * Reads a message body: an S3 event, CloudTrail's own SNS message (`{s3Bucket, s3ObjectKey: […]}`), an EventBridge "Object Created" event, each bare or inside an
 * SNS notification. S3's test event names no object. Null when it is nothing of this: somebody else's message, which must not be deleted without a trace.
 */
export function readNotice(body: string): Notice | null {
  const value = parse(body)
  if (value === null) return null
  if (value['Type'] === 'Notification' && typeof value['Message'] === 'string') return readNotice(value['Message'])
  if (value['Event'] === 's3:TestEvent') return { objects: [] }
  if (typeof value['s3Bucket'] === 'string' && Array.isArray(value['s3ObjectKey'])) {
    const bucket = value['s3Bucket']
    return { objects: value['s3ObjectKey'].filter((key) => typeof key === 'string').map((key) => ({ bucket, key })) }
  }
  if (value['detail-type'] === 'Object Created') {
    const object = objectOf(value['detail'], (key) => key)
    return object ? { objects: [object] } : null
  }
  if (!Array.isArray(value['Records'])) return null
  const objects: { bucket: string; key: string }[] = []
  for (const record of value['Records'] as readonly unknown[]) {
    const { eventName, s3 } = (record ?? {}) as { readonly eventName?: unknown; readonly s3?: unknown }
    if (typeof eventName !== 'string') return null
    const object = objectOf(s3, decodeKey)
    if (object === null) return null
    // Deleted and restored objects are no news.
    if (eventName.replace(/^s3:/, '').startsWith('ObjectCreated:')) objects.push(object)
  }
  return { objects }
}

/** S3 events write keys as in a form: `+` is a space. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}

function objectOf(value: unknown, decode: (key: string) => string): { readonly bucket: string; readonly key: string } | null {
  const { bucket, object } = (value ?? {}) as { readonly bucket?: { readonly name?: unknown }; readonly object?: { readonly key?: unknown } }
  return typeof bucket?.name === 'string' && typeof object?.key === 'string' ? { bucket: bucket.name, key: decode(object.key) } : null
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
