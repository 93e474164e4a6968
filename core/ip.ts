import { isIP, isIPv4 } from 'node:net'

/**
 * An address in the one form in which addresses are compared and stored: IPv6 as RFC 5952 writes it, an IPv4 address that an IPv6 one only wraps as IPv4. What
 * exporters put around it is taken off: brackets, a port, a zone, the prefix of a whole address. Null for anything else: `AWS Internal`, names, networks, lists.
 */
export function canonicalIp(value: unknown): string | null {
  if (typeof value !== 'string') return null
  // Nearly all are this already.
  if (isIPv4(value)) return value
  const written = bare(value.trim())
  const kind = isIP(written)
  return kind === 4 ? written : kind === 6 ? ipv6(written) : null
}

function bare(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  const address = bracketed ?? /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1] ?? text
  // The zone says on which interface of one machine; a link-local address means no more without it.
  const whole = address.replace(/^([^/%]+)%[^/]*/, '$1')
  return whole.includes(':') ? whole.replace(/\/128$/, '') : whole.replace(/\/32$/, '')
}

/** `text` is valid. */
function ipv6(text: string): string {
  // The URL standard compresses as RFC 5952 does: lower case, no leading zeros, the first longest run of zeros.
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? []
  if (high === undefined || low === undefined) return short
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`
}
