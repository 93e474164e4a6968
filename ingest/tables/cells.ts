/** Splits separated text (CSV) into rows of cells, from bytes that come cut anywhere, with memory for one row. */

/** A larger row is refused, and what follows its first line gets its own chance: a quote without its end would otherwise swallow the rest of the file. */
const MAX_ROW = 4 * 1024 * 1024
/** Of a refused row not more is handed on, in bytes: the caller masks and cuts it. */
const KEPT_BYTES = 256 * 1024
const QUOTE = 34
const NEWLINE = 10

export interface Rows {
  /** The cells of one row, its text, and the line that it begins on (from 1). */
  readonly row: (cells: readonly string[], text: string, line: number) => void
  /** A line that is no row. */
  readonly broken: (reason: string, text: string, line: number) => void
}

/**
 * Quotes count at the beginning of a cell and end at a quote that the separator or the end of the line follows; two are one inside (RFC 4180). A quote in the middle of
 * a cell is a letter.
 */
export function cellSplitter(separator: string, rows: Rows): { write(chunk: Uint8Array): void; end(): void } {
  const byte = separator.charCodeAt(0)
  let bytes: Buffer = Buffer.alloc(0)
  let start = 0
  let at = 0
  let line = 1
  /** Line breaks inside the present row. */
  let inside = 0
  /** Whether `at` stands at the beginning of a cell, and whether it stands inside quotes. */
  let fresh = true
  let quoted = false
  /** Inside of a line that was given up before its end. */
  let skipping = false

  function give(end: number): void {
    const text = bytes
      .toString('utf8', start, end)
      .replace(/^\uFEFF/, '')
      .replace(/\r$/, '')
    if (text.trim() !== '') rows.row(cellsOf(text, separator), text, line)
    next(end + 1, inside + 1)
  }

  function next(from: number, lines: number): void {
    start = from
    at = from
    line += lines
    inside = 0
    fresh = true
    quoted = false
  }

  /** Gives the first line of the row up as broken and goes on behind it. */
  function giveUp(reason: string): void {
    const end = bytes.indexOf(NEWLINE, start)
    rows.broken(reason, bytes.toString('utf8', start, Math.min(end < 0 ? bytes.length : end, start + KEPT_BYTES)), line)
    skipping = end < 0
    next(end < 0 ? bytes.length : end + 1, end < 0 ? 0 : 1)
  }

  const ends = (one: number): boolean => one === byte || one === NEWLINE || one === 13 || one === 32

  function scan(last: boolean): void {
    if (skipping) {
      const end = bytes.indexOf(NEWLINE, start)
      if (end < 0) return next(bytes.length, 0)
      skipping = false
      next(end + 1, 1)
    }
    for (;;) {
      while (at < bytes.length) {
        const one = bytes[at]!
        if (quoted) {
          if (one === NEWLINE) inside++
          else if (one === QUOTE) {
            if (at + 1 >= bytes.length && !last) break
            if (bytes[at + 1] === QUOTE) at++
            else if (inside > 0 && at + 1 < bytes.length && !ends(bytes[at + 1]!)) {
              // The quote of a later cell: the one that began here has no end.
              giveUp('a quote without its end')
              continue
            } else quoted = false
          }
          at++
        } else if (one === NEWLINE) give(at)
        else {
          if (one === byte) fresh = true
          // A byte-order mark and blanks before a quote are no content of the cell.
          else if (one === QUOTE && fresh) quoted = true
          else if (one !== 32 && !(at - start < 3 && one >= 0xbb)) fresh = false
          at++
        }
        if (at - start > MAX_ROW) giveUp(`a row larger than ${MAX_ROW} bytes`)
      }
      if (!last || start >= bytes.length) return
      if (quoted) giveUp('a quote without its end')
      else give(bytes.length)
    }
  }

  return {
    write(chunk) {
      bytes = start === bytes.length ? Buffer.from(chunk) : Buffer.concat([bytes.subarray(start), chunk])
      at -= start
      start = 0
      scan(false)
    },
    end: () => scan(true),
  }
}

/** The cells of one row. */
export function cellsOf(text: string, separator: string): string[] {
  const cells: string[] = []
  for (let at = 0; ;) {
    let from = at
    while (text.charCodeAt(from) === 32) from++
    if (text.charCodeAt(from) === QUOTE) {
      let cell = ''
      let open = from + 1
      for (;;) {
        const close = text.indexOf('"', open)
        if (close < 0) {
          cell += text.slice(open)
          at = text.length
          break
        }
        cell += text.slice(open, close)
        at = close + 1
        if (text.charCodeAt(at) !== QUOTE) break
        cell += '"'
        open = at + 1
      }
      // Letters behind the closing quote belong to the cell: somebody did not double a quote.
      const stop = text.indexOf(separator, at)
      const rest = stop < 0 ? text.slice(at) : text.slice(at, stop)
      cells.push(rest.trim() === '' ? cell : cell + rest)
      if (stop < 0) return cells
      at = stop + 1
    } else {
      const stop = text.indexOf(separator, at)
      cells.push(stop < 0 ? text.slice(at) : text.slice(at, stop))
      if (stop < 0) return cells
      at = stop + 1
    }
  }
}
