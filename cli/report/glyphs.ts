/** Which characters a TrueType font can show, read from its `cmap` table (OpenType 1.9, format 4: the Basic Multilingual Plane). */

/** @throws Error if the font has no such table */
export function charactersOf(font: Buffer): ReadonlySet<number> {
  const table = cmapFormat4(font)
  const segments = font.readUInt16BE(table + 6) / 2
  const [ends, starts] = [table + 14, table + 16 + segments * 2]
  const [deltas, offsets] = [starts + segments * 2, starts + segments * 4]
  const characters = new Set<number>()
  for (let segment = 0; segment < segments; segment++) {
    const [start, end] = [font.readUInt16BE(starts + segment * 2), font.readUInt16BE(ends + segment * 2)]
    const [delta, offset] = [font.readUInt16BE(deltas + segment * 2), font.readUInt16BE(offsets + segment * 2)]
    for (let code = start; code <= end && code < 0xffff; code++) {
      const glyph = offset === 0 ? code : font.readUInt16BE(offsets + segment * 2 + offset + (code - start) * 2)
      if (glyph !== 0 && ((glyph + delta) & 0xffff) !== 0) characters.add(code)
    }
  }
  return characters
}

function cmapFormat4(font: Buffer): number {
  for (let index = 0; index < font.readUInt16BE(4); index++) {
    const entry = 12 + index * 16
    if (font.toString('latin1', entry, entry + 4) !== 'cmap') continue
    const cmap = font.readUInt32BE(entry + 8)
    for (let record = 0; record < font.readUInt16BE(cmap + 2); record++) {
      const table = cmap + font.readUInt32BE(cmap + 8 + record * 8)
      if (font.readUInt16BE(table) === 4) return table
    }
  }
  throw new Error('the font has no cmap table of format 4')
}

/** The text with characters that cannot be shown written as their codes, `‹U+65E5 U+672C›` (in whatever brackets the font has). */
export function showable(text: string, characters: ReadonlySet<number>): string {
  const [open, close] = characters.has(0x2039) ? ['‹', '›'] : ['<', '>']
  const shows = (character: string): boolean => characters.has(character.codePointAt(0)!)
  let shown = ''
  let hidden: string[] = []
  const flush = (): void => {
    if (hidden.length > 0) shown += `${open}${hidden.join(' ')}${close}`
    hidden = []
  }
  for (const character of text) {
    if (!shows(character)) {
      hidden.push(`U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`)
      continue
    }
    flush()
    shown += character
  }
  flush()
  return shown
}
