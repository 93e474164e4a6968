/** Sigma's modifiers that change a value before it is looked for. */

/** Modifiers of this kind, applied in the order in which the rule names them. */
export const ENCODINGS = ['wide', 'utf16le', 'utf16be', 'utf16', 'base64', 'base64offset', 'windash'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** A value as it is looked for: text with Sigma's wildcards, or text that stands for itself. */
export interface Wanted {
  readonly text: string
  readonly literal: boolean
}

/** All texts that the value stands for after these modifiers; one is enough. */
export function encoded(value: string, encodings: readonly Encoding[]): readonly Wanted[] {
  let found: readonly (Wanted | Buffer)[] = [{ text: value, literal: false }]
  for (const encoding of encodings) found = found.flatMap((one) => apply(one, encoding))
  return found.map((one) => (Buffer.isBuffer(one) ? { text: one.toString('latin1'), literal: true } : one))
}

const bytesOf = (value: Wanted | Buffer): Buffer => (Buffer.isBuffer(value) ? value : Buffer.from(unescaped(value.text)))
const textOf = (value: Wanted | Buffer): string => (Buffer.isBuffer(value) ? value.toString() : unescaped(value.text))
const literal = (text: string): Wanted => ({ text, literal: true })

function apply(value: Wanted | Buffer, encoding: Encoding): readonly (Wanted | Buffer)[] {
  switch (encoding) {
    case 'wide':
    case 'utf16le':
      return [Buffer.from(textOf(value), 'utf16le')]
    case 'utf16be':
      return [Buffer.from(textOf(value), 'utf16le').swap16()]
    case 'utf16':
      return [Buffer.from(`\uFEFF${textOf(value)}`, 'utf16le')]
    case 'base64':
      return [literal(bytesOf(value).toString('base64'))]
    case 'base64offset':
      return [0, 1, 2].map((offset) => literal(atOffset(bytesOf(value), offset)))
    case 'windash':
      return Buffer.isBuffer(value) ? [value] : dashes(value)
  }
}

/** What is the same of the base64 of any text that holds this one so many bytes (of three) after its beginning. */
function atOffset(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset, ' '), bytes]).toString('base64')
  const start = [0, 2, 3][offset]!
  const end = [text.length, text.length - 3, text.length - 2][(bytes.length + offset) % 3]!
  return text.slice(start, end)
}

const DASHES = ['-', '/', '\u2013', '\u2014', '\u2015']
/** Flags of a command under any dash that Windows takes. */
function dashes(value: Wanted): readonly Wanted[] {
  const texts = [value.text, ...DASHES.map((dash) => value.text.replaceAll(/(^|[\s"'*])[-/](?=\w)/g, `$1${dash}`))]
  return [...new Set(texts)].map((text) => ({ ...value, text }))
}

const unescaped = (text: string): string => text.replaceAll(/\\([\\*?])/g, '$1')
/** Whether the value holds a wildcard: such a value cannot be encoded. */
export const hasWildcard = (text: string): boolean => /[*?]/.test(text.replaceAll(/\\[\\*?]/g, ''))
