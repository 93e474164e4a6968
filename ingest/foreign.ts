const MAGIC: readonly (readonly [string, string])[] = [
  ['89504e47', 'a PNG image'],
  ['ffd8ff', 'a JPEG image'],
  ['47494638', 'a GIF image'],
  ['25504446', 'a PDF document'],
  ['7f454c46', 'a program'],
  ['53514c69746520666f726d6174', 'an SQLite database'],
  ['50415231', 'a Parquet file'],
  ['4f626a01', 'an Avro file'],
  ['28b52ffd', 'zstd-compressed data, which is not supported'],
  ['425a68', 'bzip2-compressed data, which is not supported'],
  ['fd377a585a00', 'xz-compressed data, which is not supported'],
  ['377abcaf271c', 'a 7-Zip archive, which is not supported'],
  ['526172211a07', 'a RAR archive, which is not supported'],
]

/** What a file is that is known by its first bytes and holds no text, or null. */
export function foreignKind(head: Buffer): string | null {
  const hex = head.toString('hex', 0, 16)
  return MAGIC.find(([start]) => hex.startsWith(start))?.[1] ?? null
}

/** Of a foreign file only the first line is kept, shortened: what else is in it is none of our business. */
export function firstLine(head: Buffer): string {
  return (head.toString('utf8').trimStart().split('\n')[0] ?? '').slice(0, 200)
}
