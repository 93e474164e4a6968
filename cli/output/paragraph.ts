/** Running text for a terminal: wrapped at words, harmless (see `printable`). */
import { printable } from './table.ts'

/**
 * Wraps a text.
 * @param first what the first line begins with; the others are indented by as much
 */
export function paragraph(text: string, width: number, first = ''): string {
  const indent = ' '.repeat(first.length)
  const lines: string[] = []
  let line = first
  for (const word of printable(text).split(' ')) {
    const fits = line.length + word.length + 1 <= width
    if (line.trim() === first.trim() && line.length === first.length) line += word
    else if (fits) line += ` ${word}`
    else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line, ''].join('\n')
}
