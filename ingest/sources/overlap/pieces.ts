import type { Piece } from '../../engine/source.ts'

/**
 * Records as pieces of text. Objects stand one below the other at the beginning of a line, where damage inside one (too deep, too large) cannot spread to
 * the others as it would inside an array. What is no object is a piece of its own, and is rejected alone.
 */
export function piecesOf(where: string, texts: readonly string[]): readonly Piece[] {
  const objects = texts.filter((text) => text.startsWith('{'))
  const others = texts.filter((text) => !text.startsWith('{'))
  return [
    ...(objects.length === 0 ? [] : [{ where, text: objects.join('\n') }]), // An array of their own keeps the reader from taking an array's items for records.
    ...others.map((text) => ({ where, text: text.startsWith('[') ? `[${text}]` : text })),
  ]
}
