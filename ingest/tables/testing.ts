import type { TextReader } from '../text-reader.ts'

/** What a reader makes of a text that comes in chunks of `size` bytes; null where it is none of its texts. */
export function read(
  reader: TextReader,
  text: string,
  size = 7,
): { readonly records: [number, unknown][]; readonly rejected: [number, string, string][] } | null {
  if (!reader.fits(text.replace(/^\uFEFF/, '').slice(0, 64 * 1024), text.length <= 64 * 1024)) return null
  const records: [number, unknown][] = []
  const rejected: [number, string, string][] = []
  const splitter = reader.open({
    record: (own, value, line) => {
      if (JSON.stringify(JSON.parse(own)) !== JSON.stringify(value)) throw new Error('the text of a record must say what its value says')
      records.push([line, value])
    },
    rejected: (reason, own, line) => void rejected.push([line, reason, own]),
  })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) splitter.write(bytes.subarray(at, at + size))
  splitter.end()
  return { records, rejected }
}
